// output[n, p] = table[channel(p) * 256 + byte], byte = images[indices[start + n] * pixels + p], channel(p) = p / (pixels / channels).
//
// images: bytes, four in a u32, the first in its lowest 8 bits, image after image without gaps; indices u32; table f32
// [channels, 256]: what each byte value of each channel becomes (scaling and normalisation are one look-up); output f32
// [count, pixels], pixels = channels * height * width.
// One invocation makes `run` vec4f of output that lie 64 apart, a workgroup 256 run consecutive elements. Where the pixels of a channel are a
// multiple of 4 (FITS), all four lie in one channel and their bytes in one u32; otherwise (TAIL) they may belong to two or more images, and
// each is looked up on its own.

struct Params {
  outputs: u32, // count * pixels
  pixels: u32, // of one image, all channels
  plane: u32, // of one channel
  start: u32,
  run: u32,
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
  let outputs = params.outputs;
  let pixels = params.pixels;
  let plane = params.plane;
  let start = params.start;
  let run = params.run;
  let first = (group.y * groups.x + group.x) * run * 64u + local;
  for (var step = 0u; step < run; step++) {
    let v = first + step * 64u;
    if (4u * v >= outputs) {
      return;
    }
    var n = 4u * v / pixels;
    var p = 4u * v - n * pixels;
    // {{if FITS}}
    let word = images[(indices[start + n] * pixels + p) >> 2u];
    let bytes = (vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u);
    let at = bytes + vec4u(p / plane * 256u);
    output[v] = vec4f(table[at.x], table[at.y], table[at.z], table[at.w]);
    // {{end}}
    // {{if TAIL}}
    var image = indices[start + n];
    for (var j = 0u; j < min(4u, outputs - 4u * v); j++) {
      if (p == pixels) {
        p = 0u;
        n++;
        image = indices[start + n];
      }
      let at = image * pixels + p;
      let byte = (images[at >> 2u] >> (8u * (at & 3u))) & 255u;
      output[v][j] = table[p / plane * 256u + byte];
      p++;
    }
    // {{end}}
  }
}
