// y[m, o] = x[m, indices[m, o]], m = 0 .. planes - 1: what max pooling chose, taken from another tensor. The adjoint of max unpooling.
//
// x [planes, plane], indices u32 and y [planes, window count]. A pure copy.
// One invocation moves four elements that lie 64 apart, a workgroup 256 consecutive ones.

struct Params {
  outputs: u32,
  windows: u32, // outputs of one plane
  plane: u32, // inputs of one plane
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let base = (group.y * groups.x + group.x) * 256u + local;
  for (var step = 0u; step < 4u; step++) {
    let at = base + step * 64u;
    if (at >= params.outputs) {
      return;
    }
    output[at] = x[at / params.windows * params.plane + indices[at]];
  }
}
