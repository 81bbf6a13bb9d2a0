// Pooling by windows of 2 x 2 that lie side by side, as pool.wgsl has it, with the same order and bits, for planes whose width is a
// multiple of 8: y[m, r, c] from x[m, 2r .. 2r + 1, 2c .. 2c + 1], m = 0 .. N * C - 1. A last odd row is in no window.
//
// A template: `pool.ts` puts in the largest value, its index in the plane (u32), or the mean.
// One invocation computes four neighbouring outputs from four vec4f; a workgroup 256 consecutive ones.

struct Params {
  outputs: u32, // N * C * OH * OW / 4
  height: u32,
  width: u32, // W / 4
  output_height: u32,
  output_width: u32, // OW / 4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
// {{output}}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + local;
  if (index >= params.outputs) {
    return;
  }
  let line = index / params.output_width;
  let q = index - line * params.output_width;
  let m = line / params.output_height;
  let r = line - m * params.output_height;
  let at = (m * params.height + 2u * r) * params.width + 2u * q;
  let a = x[at];
  let b = x[at + 1u];
  let c = x[at + params.width];
  let d = x[at + params.width + 1u];
  let values = array(
    vec4f(a.x, a.z, b.x, b.z),
    vec4f(a.y, a.w, b.y, b.w),
    vec4f(c.x, c.z, d.x, d.z),
    vec4f(c.y, c.w, d.y, d.w),
  );
  // {{result}}
}
