// Mean and squares of groups of partial results put together: from one (mean, squares) for each chunk to one for `fan` chunks, and at
// last to the mean and the biased variance of each channel.
//
// partials [count, channels] of (m, q): m the mean of a chunk less the channel's reference x[0, c, 0], q the sum of squared distances
// from the chunk's own mean. A chunk has `span` elements, the channel's last one the rest of `total`.
// One invocation puts one group together: M = (sum of n_p m_p) / n, then Q = sum of (q_p + n_p (m_p - M)^2), p in order, from 0.
// Everything in Q is positive: nothing cancels. A workgroup computes 64 groups of neighbouring channels.
// output: [groups, channels] of (M, Q), or where there is one group: row 0 reference + M, row 1 Q / n, rows of `row` elements.
// A template (../matmul/template.ts): with ORIGIN row 0 is (reference - origin) + M, where PLAIN rounds to the size of the mean.

struct Params {
  groups: u32, // groups of each channel
  count: u32, // partial results of each channel
  fan: u32,
  channels: u32,
  inner: u32, // x is [outer, channels, inner]
  span: u32,
  total: u32,
  row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> partials: array<vec2f>;
// {{if PLAIN}}
@group(0) @binding(3) var<storage, read_write> output: array<f32>;
// {{end}}
// {{if ORIGIN}}
@group(0) @binding(3) var<storage, read> origin: array<f32>; // [channels]
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
// {{end}}

fn elements(p: u32) -> f32 {
  return f32(min(params.span, params.total - p * params.span));
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + local;
  if (index >= params.groups * params.channels) {
    return;
  }
  let c = index % params.channels;
  let g = index / params.channels;
  let start = g * params.fan;
  let end = min(start + params.fan, params.count);
  var n = 0.0;
  var weighted = 0.0;
  for (var p = start; p < end; p++) {
    let size = elements(p);
    weighted = fma(size, partials[p * params.channels + c].x, weighted);
    n += size;
  }
  let mean = weighted / n;
  var squares = 0.0;
  for (var p = start; p < end; p++) {
    let partial = partials[p * params.channels + c];
    let distance = partial.x - mean;
    squares += fma(elements(p) * distance, distance, partial.y);
  }
  if (params.groups == 1u) {
    // {{if PLAIN}}
    output[c] = x[c * params.inner] + mean;
    // {{end}}
    // {{if ORIGIN}}
    output[c] = (x[c * params.inner] - origin[c]) + mean;
    // {{end}}
    output[params.row + c] = squares / n;
  } else {
    output[2u * index] = mean;
    output[2u * index + 1u] = squares;
  }
}
