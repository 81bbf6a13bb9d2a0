// output[i0, i1, i2, i3] = input[p0, p1, p2, p3] with p_k = (i_k * multiply_k + start_k) / divide_k, or 0 where a division leaves a rest
// or a p_k lies outside the input: cropping, padding with zeros, taking every s-th element, and putting them back.
//
// A template (template.ts). Elements are moved as bits: `window.ts` may replace u32 in the alias by vec4u and divide the last sizes by 4.
// DIVIDES and WHOLE exclude each other; WHOLE where all divide_k are 1. Integer divisions cost more than the rest on adapters that compute on the CPU, so it is done in f32,
// exact where it leaves no rest, and checked by multiplying: axes with a divide_k above 1 have less than 2^24 indices.
// One invocation moves four output elements that lie 64 apart, a workgroup 256 consecutive ones.

alias Element = u32;

struct Params {
  output_size: vec4u,
  input_size: vec4i,
  start: vec4i,
  multiply: vec4i,
  divide: vec4i,
  outputs: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<Element>;
@group(0) @binding(2) var<storage, read_write> output: array<Element>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let first = (group.y * groups.x + group.x) * 256u + local;
  for (var step = 0u; step < 4u; step++) {
    let at = first + step * 64u;
    if (at >= params.outputs) {
      return;
    }
    let size = params.output_size;
    let row = at / size.w;
    let plane = row / size.z;
    let outer = plane / size.y;
    let i = vec4i(vec4u(outer, plane - outer * size.y, row - plane * size.z, at - row * size.w));
    let scaled = i * params.multiply + params.start;
    // {{if DIVIDES}}
    let quotient = vec4i(round(vec4f(scaled) / vec4f(params.divide)));
    let p = select(quotient, scaled, params.divide == vec4i(1));
    // {{end}}
    // {{if WHOLE}}
    let p = scaled;
    // {{end}}
    let limit = params.input_size;
    if (all(scaled >= vec4i(0)) && all(p * params.divide == scaled) && all(p < limit)) {
      output[at] = input[((p.x * limit.y + p.y) * limit.z + p.z) * limit.w + p.w];
    } else {
      output[at] = Element(0u);
    }
  }
}
