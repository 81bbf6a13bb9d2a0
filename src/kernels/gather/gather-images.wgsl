// output[n, p] = table[channel(p) * 256 + byte], byte = images[indices[start + n] * pixels + p], channel(p) = p / (pixels / channels).
//
// images: bytes, four in a u32, the first in its lowest 8 bits, image after image without gaps; indices u32; table f32
// [channels, 256]: what each byte value of each channel becomes (scaling and normalisation are one look-up); output f32
// [count, pixels], pixels = channels * height * width.
// One invocation makes four consecutive outputs, which may belong to two or more images; a workgroup 256 outputs.

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
  let stored = min(4u, params.outputs - 4u * v);
  var result = vec4f(0.0);
  for (var j = 0u; j < stored; j++) {
    if (p == params.pixels) {
      p = 0u;
      n++;
      image = indices[params.start + n];
    }
    let byte_at = image * params.pixels + p;
    let byte = (images[byte_at / 4u] >> (8u * (byte_at % 4u))) & 255u;
    result[j] = table[p / params.plane * 256u + byte];
    p++;
  }
  if (stored == 4u) {
    output[v] = result;
  } else {
    for (var j = 0u; j < stored; j++) {
      output[v][j] = result[j];
    }
  }
}
