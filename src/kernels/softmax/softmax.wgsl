// output[n, c] = exp(x[n, c] - max_n) / sum over k of exp(x[n, k] - max_n), x = logits [N, C].
//
// One invocation computes one row; a workgroup 64 rows. Order: the sum runs over k = 0, 1, ..., C - 1 from 0.
// Subtracting the row's largest logit keeps exp from overflowing, and the sum at 1 or more.
// exp is computed twice: keeping the numerators in the output instead was slower on SwiftShader. The output holds the numerators
// until the sum is known, since exp costs more than memory.

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
    let e = exp(logits[at] - largest);
    total += e;
    output[at] = e;
  }
  for (var at = first; at < end; at++) {
    output[at] /= total;
  }
}
