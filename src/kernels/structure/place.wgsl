// output[o * output_row + start + k] = input[o * input_row + k]: rows of the input put into rows of the output, which keep what lies
// around. Concatenation is one such dispatch for each part.
//
// Elements are moved as bits. `concatenate.ts` may replace u32 in the alias by vec4u and divide all lengths by 4.
// One invocation moves four elements that lie 64 apart, a workgroup 256 consecutive ones of the input.

alias Element = u32;

struct Params {
  count: u32, // elements of the input
  input_row: u32,
  output_row: u32,
  start: u32,
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
    if (at >= params.count) {
      return;
    }
    let o = at / params.input_row;
    output[o * params.output_row + params.start + at - o * params.input_row] = input[at];
  }
}
