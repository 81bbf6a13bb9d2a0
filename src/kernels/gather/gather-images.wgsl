// output[n, p] = table[channel(p) * 256 + byte], byte = images[indices[start + n] * pixels + p], channel(p) = p / (pixels / channels).
//
// images: bytes, four in a u32, the first in its lowest 8 bits, image after image without gaps; indices u32; table f32
// [channels, 256]: what each byte value of each channel becomes (scaling and normalisation are one look-up); output f32
// [count, pixels], pixels = channels * height * width.
// One invocation makes four consecutive outputs, a workgroup 256. Where the pixels of a channel are a multiple of 4, all four lie in
// one channel and their bytes in one u32; otherwise they may belong to two or more images, and each is looked up on its own.

struct Params {
  outputs: u32, // count * pixels
  pixels: u32, // of one image, all channels
  plane: u32, // of one channel
  start: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> images: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<f32>;
@group(0) @binding(3) var<storage, read> indices: array<u32>;
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;

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
  var n = 4u * v / params.pixels;
  var p = 4u * v - n * params.pixels;
  var image = indices[params.start + n];
  if (params.plane % 4u == 0u) {
    let word = images[(image * params.pixels + p) / 4u];
    let bytes = (vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u);
    let at = bytes + vec4u(p / params.plane * 256u);
    output[v] = vec4f(table[at.x], table[at.y], table[at.z], table[at.w]);
    return;
  }
  for (var j = 0u; j < min(4u, params.outputs - 4u * v); j++) {
    if (p == params.pixels) {
      p = 0u;
      n++;
      image = indices[params.start + n];
    }
    let at = image * params.pixels + p;
    let byte = (images[at / 4u] >> (8u * (at % 4u))) & 255u;
    output[v][j] = table[p / params.plane * 256u + byte];
    p++;
  }
}
