// The adjoint of pool-halves.wgsl, as unpool.wgsl has it: dx[m, 2r .. 2r + 1, 2c .. 2c + 1] from dy[m, r, c]; zeros in a last odd row.
//
// A template: `pool.ts` puts in the part of dy that one of the four places gets.
// One invocation computes two rows of eight inputs from four neighbouring windows; a workgroup 64 such blocks. No atomics.

struct Params {
  blocks: u32, // N * C * ceil(H / 2) * OW / 4
  height: u32,
  width: u32, // W / 4
  output_height: u32,
  output_width: u32, // OW / 4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
// {{bindings}}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + local;
  if (index >= params.blocks) {
    return;
  }
  let rows = (params.height + 1u) / 2u;
  let line = index / params.output_width;
  let q = index - line * params.output_width;
  let m = line / rows;
  let r = line - m * rows;
  let at = (m * params.height + 2u * r) * params.width + 2u * q;
  if (r >= params.output_height) {
    output[at] = vec4f(0.0);
    output[at + 1u] = vec4f(0.0);
    return;
  }
  let window = (m * params.output_height + r) * params.output_width + q;
  let g = dy[window];
  // {{begin}}
  let a = /* {{top left}} */;
  let b = /* {{top right}} */;
  let c = /* {{bottom left}} */;
  let d = /* {{bottom right}} */;
  output[at] = vec4f(a.x, b.x, a.y, b.y);
  output[at + 1u] = vec4f(a.z, b.z, a.w, b.w);
  output[at + params.width] = vec4f(c.x, d.x, c.y, d.y);
  output[at + params.width + 1u] = vec4f(c.z, d.z, c.w, d.w);
}
