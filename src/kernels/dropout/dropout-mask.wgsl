// output[e] = scale where the uniform number e of a stream is at least `rate`, else 0, e = 0 .. count - 1: a dropout mask.
//
// The stream is the given one derived for the step, as `stream.derive(step)` of src/base/random.ts: its key is threefry2x32 of the
// given key and the counter [step, 0xc0000000]. `dropout-mask.ts` puts random.wgsl before this text.
// One invocation makes four consecutive elements from two blocks; a workgroup makes 256.

struct Params {
  count: u32,
  key0: u32,
  key1: u32,
  rate: f32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> step: array<u32>;
@group(0) @binding(2) var<storage, read_write> output: array<vec4f>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let v = (group.y * groups.x + group.x) * 64u + local;
  let e = 4u * v;
  if (e >= params.count) {
    return;
  }
  let key = threefry2x32(vec2u(params.key0, params.key1), vec2u(step[0], 0xc0000000u));
  let words = vec4u(threefry2x32(key, vec2u(2u * v, 0u)), threefry2x32(key, vec2u(2u * v + 1u, 0u)));
  let result = select(vec4f(0.0), vec4f(params.scale), uniform_of(words) >= vec4f(params.rate));
  if (e + 4u <= params.count) {
    output[v] = result;
  } else {
    for (var j = 0u; j < params.count - e; j++) {
      output[v][j] = result[j];
    }
  }
}
