// output[n, c] = (x[n, c] - max_n) - log(sum over k of exp(x[n, k] - max_n)), x = logits [N, C].
//
// One invocation computes one row; a workgroup 64 rows. Order: the sum runs over k = 0, 1, ..., C - 1 from 0.
// With the row's largest logit taken off exp cannot overflow and the sum is at least 1, so that its logarithm is at least 0.

struct Params {
  rows: u32,
  classes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

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
  var largest = logits[first];
  for (var at = first + 1u; at < end; at++) {
    largest = max(largest, logits[at]);
  }
  var total = 0.0;
  for (var at = first; at < end; at++) {
    total += exp(logits[at] - largest);
  }
  let logarithm = log(total);
  for (var at = first; at < end; at++) {
    output[at] = (logits[at] - largest) - logarithm;
  }
}
