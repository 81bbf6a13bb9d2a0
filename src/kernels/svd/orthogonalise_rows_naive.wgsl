// One step of a sweep of one-sided Jacobi (Hestenes 1958) by blocks, in f32: the slow, obvious version, and the definition. What the
// names mean and which rows meet stands in orthogonalise_rows.wgsl.
//
// The rows of a matrix [rows, 4 stride] are cut into blocks of 4. In a step every block meets one other. For the 8 rows w of such a pair:
//   g[i, j] = w_i . w_j over the first 4 length columns;
//   the largest |cosine| between two of them is noted; where it is at most the tolerance nothing else happens;
//   x, a product of rotations, is one sweep of Jacobi on g (diagonalise.wgsl);
//   w_i' = sum over r of x[i, r] w_r, in all 4 stride columns: what follows the first ones is turned along.
// As rows become orthogonal, dot products are taken afresh at every step: nothing that is decided rests on sums that were carried along.
//
// Order of summation (every other variant gives the same bits):
//   dot products: columns are cut into chunks of 32. Inside a chunk acc = 0, then acc = fma(a, b, acc) for each column, ascending.
//   Chunk c belongs to strand c mod 4: strand = 0, then strand = strand + chunk, ascending; then (s0 + s1) + (s2 + s3).
//   w_i': acc = 0, then acc = fma(x[i, r], w_r, acc), r = 0 .. 7. Rotations: each element by two fma, in the order of diagonalise.wgsl.
//
// One invocation computes one pair, a workgroup four. No workgroup memory, no barriers.

fn dot_product(a: u32, b: u32) -> f32 {
  var strands: array<f32, STRANDS>;
  for (var start = 0u; start < params.length; start += CHUNK) {
    var acc = 0.0;
    for (var v = start; v < min(start + CHUNK, params.length); v++) {
      for (var k = 0u; k < 4u; k++) {
        acc = fma(vectors[a + v][k], vectors[b + v][k], acc);
      }
    }
    strands[start / CHUNK % STRANDS] += acc;
  }
  return (strands[0] + strands[1]) + (strands[2] + strands[3]);
}

@compute @workgroup_size(4)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * grid.x + group.x) * 4u + local;
  if (index >= params.count) {
    return;
  }
  let blocks = blocks_of(index % params.pairs);
  var g: array<f32, 64>;
  for (var i = 0u; i < 8u; i++) {
    for (var j = 0u; j < 8u; j++) {
      g[8u * i + j] = dot_product(row_of(index, blocks, i), row_of(index, blocks, j));
    }
  }
  let largest = largest_cosine(&g);
  note(index, largest);
  if (!(largest > params.tolerance)) {
    return;
  }
  var x = unit_matrix();
  diagonalise(&g, &x);
  for (var v = 0u; v < params.stride; v++) {
    var w: array<vec4f, 8>;
    for (var r = 0u; r < 8u; r++) {
      w[r] = vectors[row_of(index, blocks, r) + v];
    }
    for (var i = 0u; i < 8u; i++) {
      var acc = vec4f();
      for (var r = 0u; r < 8u; r++) {
        acc = fma(vec4f(x[8u * i + r]), w[r], acc);
      }
      vectors[row_of(index, blocks, i) + v] = acc;
    }
  }
}
