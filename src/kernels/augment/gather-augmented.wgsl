// output[n, c, y, x] = table[c * 256 + byte of image indices[start + n] at (c, sy, sx)], where (sy, sx) is where the pixel comes from once
// the image was flipped, cropped with padding and translated; byte 0 for places outside the image, 0.0 for places cut out.
//
// images: bytes, four in a u32, the first in its lowest 8 bits, image after image without gaps; indices u32; table f32
// [channels, 256]; output f32 [count, channels, height, width].
// What happens to an image is four words of a stream, those from 4 * (its position in the data set) on (`augmentationStream` says which is
// what), so neither batches nor order matter. Integers and copies only: the same bits on every adapter.
// `gather-augmented.ts` puts random.wgsl before this text. One invocation makes four consecutive outputs, a workgroup 256.

struct Params {
  outputs: u32, // count * pixels
  pixels: u32, // of one image, all channels
  height: u32,
  width: u32,
  start: u32,
  key0: u32,
  key1: u32,
  flip: u32, // 0 or 1
  crop: u32, // padding on each side
  translate: u32, // furthest move along each axis
  cutout: u32, // side of the square, 0 for none
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> images: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<f32>;
@group(0) @binding(3) var<storage, read> indices: array<u32>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;

// What happens to one image. Pairs are x, y.
struct Change {
  flip: bool,
  crop: vec2i, // source = place + crop
  translate: vec2i, // source = place - translate
  cut: vec2i, // upper left corner of the square
}

// An integer below `bound` (at most 2^16) from each half of a word, low half first.
fn halves_below(word: u32, bound: vec2u) -> vec2i {
  return vec2i((vec2u(word & 0xffffu, word >> 16u) * bound) >> vec2u(16u));
}

fn change_of(image: u32) -> Change {
  let key = vec2u(params.key0, params.key1);
  // Block b of the stream holds words 2 b and 2 b + 1; 2 * image may pass 32 bits.
  let high = image >> 31u;
  let first = threefry2x32(key, vec2u(2u * image, high));
  let second = threefry2x32(key, vec2u(2u * image + 1u, high));
  var change: Change;
  change.flip = params.flip == 1u && (second.y >> 31u) == 1u;
  change.crop = halves_below(first.x, vec2u(2u * params.crop + 1u)) - vec2i(i32(params.crop));
  change.translate = halves_below(first.y, vec2u(2u * params.translate + 1u)) - vec2i(i32(params.translate));
  let centre = halves_below(second.x, vec2u(params.width, params.height));
  change.cut = centre - vec2i(i32(params.cutout / 2u));
  return change;
}

fn within(place: vec2i, size: vec2i) -> bool {
  return all(place >= vec2i(0)) && all(place < size);
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let v = (group.y * groups.x + group.x) * 64u + local;
  if (4u * v >= params.outputs) {
    return;
  }
  let size = vec2i(i32(params.width), i32(params.height));
  let plane = params.width * params.height;
  var n = 4u * v / params.pixels;
  var p = 4u * v - n * params.pixels;
  var image = indices[params.start + n];
  var change = change_of(image);
  for (var j = 0u; j < min(4u, params.outputs - 4u * v); j++) {
    if (p == params.pixels) {
      p = 0u;
      n++;
      image = indices[params.start + n];
      change = change_of(image);
    }
    let channel = p / plane;
    let row = (p - channel * plane) / params.width;
    let place = vec2i(i32(p - channel * plane - row * params.width), i32(row));
    let moved = place - change.translate;
    var source = moved + change.crop;
    var byte = 0u;
    if (within(moved, size) && within(source, size)) {
      source.x = select(source.x, size.x - 1 - source.x, change.flip);
      let at = image * params.pixels + channel * plane + u32(source.y) * params.width + u32(source.x);
      byte = (images[at / 4u] >> (8u * (at % 4u))) & 255u;
    }
    let cut = params.cutout > 0u && within(place - change.cut, vec2i(i32(params.cutout)));
    output[v][j] = select(table[channel * 256u + byte], 0.0, cut);
    p++;
  }
}
