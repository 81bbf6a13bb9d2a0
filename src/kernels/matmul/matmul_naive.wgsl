// output[m, n] = activation(sum over k of a[m, k] * b[k, n] + bias[n]), in f32: the slow, obvious version, and the definition.
//
// Operands are seen through strides in elements: a[m, k] = a[m * a_m + k * a_k], b[k, n] = b[k * b_k + n * b_n], so one text
// serves NN, NT and TN. The output [M, N] is dense and row-major.
//
// Order of summation (the numerics class "f32, chunks of 512"; every other variant gives the same bits):
//   1. k is cut into chunks of 512. Inside a chunk: acc = 0, then acc = fma(a, b, acc) for each k, ascending.
//   2. Chunk sums are added from left to right: total = c0, total = total + c1, total = total + c2, ... (no chunk: total = 0).
//   3. bias[n] is added to the total. 4. ReLU is select(x, 0, x <= 0): -0 becomes 0, a NaN stays one where the adapter keeps NaNs.
//
// One invocation computes one output, a workgroup 64 consecutive ones. No workgroup memory, no barriers.

struct Params {
  m: u32,
  n: u32,
  k: u32,
  flags: u32, // 1: add bias, 2: ReLU
  a_m: u32,
  a_k: u32,
  b_k: u32,
  b_n: u32,
}

const CHUNK = 512u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>; // unused without flag 1: then any buffer
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + local;
  let m = index / params.n;
  let n = index % params.n;
  if (m >= params.m) {
    return;
  }
  var total = 0.0;
  for (var start = 0u; start < params.k; start += CHUNK) {
    var acc = 0.0;
    for (var k = start; k < min(start + CHUNK, params.k); k++) {
      acc = fma(operand(a[m * params.a_m + k * params.a_k]), operand(b[k * params.b_k + n * params.b_n]), acc);
    }
    total = select(total + acc, acc, start == 0u);
  }
  if ((params.flags & 1u) != 0u) {
    total += bias[n];
  }
  if ((params.flags & 2u) != 0u) {
    total = select(total, 0.0, total <= 0.0);
  }
  output[index] = total;
}
