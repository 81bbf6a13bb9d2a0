// output[i, j] = sum over n, p of (a[n, i, p] - shift_a[i]) * (b[n, j, p] - shift_b[j]), in f32: the slow, obvious version, and the
// definition. Layouts stand in cross_moments.wgsl.
//
// Order of summation (the numerics class "f32, chunks of 512"; every other variant gives the same bits):
//   1. k = n * inner + p is cut into chunks of 512. Inside a chunk: acc = 0, then acc = fma(a - shift_a, b - shift_b, acc) for each k,
//      ascending; the differences are rounded to f32 first.
//   2. A chunk's sum of -0 becomes +0. Sums are added from left to right: total = c0, total = total + c1, ... (no k: total = 0).
//   3. Where the host function accumulates, the total is added to the old output: output = output + total.
// Swapping a and b transposes the output, bit for bit: products and fma do not mind the order of their factors.
//
// One invocation computes one element of one span of chunks, a workgroup 64 consecutive ones. No workgroup memory, no barriers.

@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (group.y * grid.x + group.x) * 64u + local;
  let j = at % params.columns;
  let i = at / params.columns % params.rows;
  let first = at / (params.columns * params.rows) * params.span;
  if (first >= params.chunks || (params.symmetric != 0u && i > j)) {
    return;
  }
  for (var chunk = first; chunk < min(first + params.span, params.chunks); chunk++) {
    var acc = 0.0;
    for (var k = chunk * CHUNK; k < min((chunk + 1u) * CHUNK, params.total); k++) {
      let n = k / params.inner;
      let p = k % params.inner;
      let x = a[(n * params.rows + i) * params.inner + p] - shift_a[i];
      let y = b[(n * params.columns + j) * params.inner + p] - shift_b[j];
      acc = fma(x, y, acc);
    }
    store(at, acc, chunk == first);
  }
}
