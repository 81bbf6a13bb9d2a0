// output[o, i, k] = input[o, index[i], k] for input [outer, size, inner], output [outer, count, inner]; 0 where index[i] >= size.
//
// Elements are moved as bits, never computed with: any NaN and any denormal arrives as it was.
// `gather-axis.ts` may replace u32 in the alias by vec4u and divide `inner` by 4.
// One invocation moves four output elements that lie 64 apart, a workgroup 256 consecutive ones.

alias Element = u32;

struct Params {
  outputs: u32, // outer * count * inner
  size: u32,
  count: u32,
  inner: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<Element>;
@group(0) @binding(2) var<storage, read> index: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<Element>;

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
    let row = at / params.inner;
    let k = at - row * params.inner;
    let o = row / params.count;
    let source = index[row - o * params.count];
    if (source < params.size) {
      output[at] = input[(o * params.size + source) * params.inner + k];
    } else {
      output[at] = Element(0u);
    }
  }
}
