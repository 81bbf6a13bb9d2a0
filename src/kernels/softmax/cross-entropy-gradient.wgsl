// output[n, c] = (softmax(x[n, :])[c] - (1 if c == labels[n] else 0)) * scale_n: the gradient of scale_n * cross-entropy.
//
// x = logits [N, C], labels u32 [N]. scale_n is params.scale or, where there is a tensor of them, scales[n * scale_stride]:
// `softmax.ts` replaces the two lines marked {{...}} by `output` and, before it, `scales`.
// One invocation computes one row; a workgroup 64 rows. Order: the sum runs over k = 0, 1, ..., C - 1 from 0.
// The entry of the label is -(sum of the others' exp) / (sum of all): 1 - softmax would cancel where the row is nearly right.
// The output holds the numerators until the sums are known, since exp costs more than memory.

struct Params {
  rows: u32,
  classes: u32,
  scale: f32,
  scale_stride: u32, // 1: one scale a row, 0: scales[0] for all
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
// {{bindings}}

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
  // {{scale}}
  let first = n * params.classes;
  let end = first + params.classes;
  let target_at = first + labels[n];
  var largest = logits[first];
  for (var at = first + 1u; at < end; at++) {
    largest = max(largest, logits[at]);
  }
  var total = 0.0;
  var others = 0.0;
  for (var at = first; at < end; at++) {
    let e = exp(logits[at] - largest);
    total += e;
    others += select(e, 0.0, at == target_at);
    output[at] = e;
  }
  for (var at = first; at < end; at++) {
    let numerator = select(output[at], -others, at == target_at);
    output[at] = numerator / total * scale;
  }
}
