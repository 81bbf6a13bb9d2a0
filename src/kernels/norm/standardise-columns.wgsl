// Layer norm without its scale and shift over the channels at each position: x [N, C, S], for every n and s on its own
//   y[c] = (x[c] - m) * r, m = mean of x[c], r = 1 / sqrt(variance + eps), variance = mean of (x[c] - m)^2,
// or what its gradient is: dx[c] = r * (dy[c] - mean of dy - (x[c] - m) * r^2 * mean of dy (x - m)).
//
// A template: `standardise.ts` puts in one of the two, and may replace f32 in the alias by vec4f and divide S by 4.
// One invocation computes one position (or four neighbours); a workgroup 64 consecutive ones: neighbours read neighbouring memory.
// Order: sums run over c = 0, 1, ..., from 0; the mean counts from x[0], so that large values lose nothing.

alias Element = f32;

struct Params {
  positions: u32, // N * S
  channels: u32,
  space: u32, // S
  eps: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Element>;
// {{bindings}}

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
  let count = f32(params.channels);
  let shift = x[start];
  var total = Element(0.0);
  for (var at = start; at < end; at += params.space) {
    total += x[at] - shift;
  }
  let mean = shift + total / count;
  var squares = Element(0.0);
  // {{begin}}
  for (var at = start; at < end; at += params.space) {
    let distance = x[at] - mean;
    squares = fma(distance, distance, squares);
    // {{step}}
  }
  let variance = squares / count + Element(params.eps);
  let r = Element(1.0) / sqrt(variance);
  for (var at = start; at < end; at += params.space) {
    output[at] = // {{result}}
  }
}
