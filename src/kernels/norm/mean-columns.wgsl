// output[n, c, s] = mean over k of x[n, k, s]: the mean over the channels at each position, in the place of every channel.
//
// `standardise.ts` may replace f32 in the alias by vec4f and divide S by 4.
// One invocation computes one position (or four neighbours); a workgroup 64 consecutive ones. The sum runs over k = 0, 1, ..., from 0.

alias Element = f32;

struct Params {
  positions: u32, // N * S
  channels: u32,
  space: u32, // S
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
@group(0) @binding(2) var<storage, read_write> output: array<Element>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + local;
  if (index >= params.positions) {
    return;
  }
  let n = index / params.space;
  let start = n * params.channels * params.space + index - n * params.space;
  let end = start + params.channels * params.space;
  var total = Element(0.0);
  for (var at = start; at < end; at += params.space) {
    total += x[at];
  }
  let mean = total / f32(params.channels);
  for (var at = start; at < end; at += params.space) {
    output[at] = mean;
  }
}
