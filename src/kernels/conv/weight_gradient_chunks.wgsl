// output[i] = chunks[0, i] + chunks[1, i] + ..., from left to right, in f32: the end of a weight gradient whose chunks were summed by
// invocations of their own. Same bits as weight_gradient_naive.wgsl in one go.
//
// chunks [count, size], output [size]. One invocation computes one element, a workgroup 64 consecutive ones.

struct Params {
  count: u32,
  size: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> chunks: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (group.y * grid.x + group.x) * 64u + local;
  if (at >= params.size) {
    return;
  }
  var total = chunks[at];
  for (var c = 1u; c < params.count; c++) {
    total = total + chunks[c * params.size + at];
  }
  output[at] = total;
}
