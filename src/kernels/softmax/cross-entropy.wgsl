// losses[n] = log(sum over k of exp(x[n, k])) - x[n, labels[n]], x = logits [N, C], labels u32 [N].
//
// Computed as log(sum of exp(x[n, k] - max_n)) + (max_n - x[n, labels[n]]): nothing overflows, and nothing cancels.
// One invocation computes one row; a workgroup 64 rows. Order: the sum runs over k = 0, 1, ..., C - 1 from 0.
// A label of C or more gives NaN, so that a wrong data set shows.

struct Params {
  rows: u32,
  classes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> losses: array<u32>; // bits of f32: a NaN's bits are stored as they are

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let n = (group.y * groups.x + group.x) * 64u + local;
  if (n >= params.rows) {
    return;
  }
  let first = n * params.classes;
  let end = first + params.classes;
  let label = labels[n];
  if (label >= params.classes) {
    losses[n] = 0x7fc00000u;
    return;
  }
  var largest = logits[first];
  for (var at = first + 1u; at < end; at++) {
    largest = max(largest, logits[at]);
  }
  var total = 0.0;
  for (var at = first; at < end; at++) {
    total += exp(logits[at] - largest);
  }
  losses[n] = bitcast<u32>(log(total) + (largest - logits[first + label]));
}
