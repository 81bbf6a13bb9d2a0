// output[i] = input[i], i = 0 .. count - 1, as bits: any NaN and any denormal arrives as it was.
//
// One invocation copies four vec4u that lie 64 apart, a workgroup 1024 consecutive elements. The last vec4u is stored
// element by element, so that nothing past `count` is touched.

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4u>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4u>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let first = (group.y * groups.x + group.x) * 256u + local;
  for (var step = 0u; step < 4u; step++) {
    let v = first + step * 64u;
    let i = 4u * v;
    if (i >= params.count) {
      return;
    }
    if (i + 4u <= params.count) {
      output[v] = input[v];
    } else {
      for (var j = 0u; j < params.count - i; j++) {
        output[v][j] = input[v][j];
      }
    }
  }
}
