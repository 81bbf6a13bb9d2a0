// output[n] = 1 if labels[n] is the argmax of logits[n, :], else 0. The lowest index wins a tie.
//
// The label wins when its logit is above every one before it and not below any one after it. A row with a NaN counts as wrong;
// WGSL may assume that there are no NaNs, so they are found by their bits. So does a label of C or more.
// One invocation computes one row; a workgroup 64 rows. There is no order to keep: nothing is rounded.

struct Params {
  rows: u32,
  classes: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<u32>; // bits of f32
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

fn is_nan(bits: u32) -> bool {
  return (bits & 0x7fffffffu) > 0x7f800000u;
}

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
  let label = labels[n];
  var wins = label < params.classes;
  let best = bitcast<f32>(logits[first + min(label, params.classes - 1u)]);
  for (var c = 0u; c < params.classes; c++) {
    let bits = logits[first + c];
    let value = bitcast<f32>(bits);
    let beaten = select(value <= best, value < best, c < label);
    wins = wins && !is_nan(bits) && (beaten || c == label);
  }
  output[n] = select(0.0, 1.0, wins);
}
