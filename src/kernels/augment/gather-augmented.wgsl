// output[n, c, y, x] = table[c * 256 + byte of image indices[start + n] at (c, sy, sx)], where (sy, sx) is where the pixel comes from once
// the image was flipped, cropped with padding and translated; byte 0 for places outside the image, 0.0 for places cut out.
//
// images: bytes, four in a u32, the first in its lowest 8 bits, image after image without gaps; indices u32; table f32
// [channels, 256]; output f32 [count, channels, height, width].
// What happens to an image is four words of a stream, those from 4 * (its position in the data set) on (`augmentationStream` says which is
// what), so neither batches nor order matter. Integers and copies only: the same bits on every adapter.
// `gather-augmented.ts` puts random.wgsl before this text. One invocation makes a row of one channel, so that random
// numbers are made once for it; a workgroup makes 64 rows.

struct Params {
  rows: u32, // count * channels * height
  channels: u32,
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
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

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

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = (group.y * groups.x + group.x) * 64u + local;
  if (row >= params.rows) {
    return;
  }
  let planes = row / params.height;
  let n = planes / params.channels;
  let channel = planes - n * params.channels;
  let image = indices[params.start + n];
  let change = change_of(image);
  let size = vec2i(i32(params.width), i32(params.height));
  let y = i32(row - planes * params.height);
  let moved_y = y - change.translate.y;
  let source_y = moved_y + change.crop.y;
  let row_inside = moved_y >= 0 && moved_y < size.y && source_y >= 0 && source_y < size.y;
  let row_cut = y >= change.cut.y && y < change.cut.y + i32(params.cutout);
  let source_row = ((image * params.channels + channel) * params.height + u32(source_y)) * params.width;
  for (var x = 0; x < size.x; x++) {
    let moved_x = x - change.translate.x;
    let source_x = moved_x + change.crop.x;
    var byte = 0u;
    if (row_inside && moved_x >= 0 && moved_x < size.x && source_x >= 0 && source_x < size.x) {
      let at = source_row + u32(select(source_x, size.x - 1 - source_x, change.flip));
      byte = (images[at / 4u] >> (8u * (at % 4u))) & 255u;
    }
    let cut = row_cut && x >= change.cut.x && x < change.cut.x + i32(params.cutout);
    output[row * params.width + u32(x)] = select(table[channel * 256u + byte], 0.0, cut);
  }
}
