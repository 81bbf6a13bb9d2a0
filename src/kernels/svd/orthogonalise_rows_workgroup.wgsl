// A step of one-sided Jacobi as in orthogonalise_rows_naive.wgsl, bit for bit: for GPUs.
//
// A workgroup of 256 invocations computes one pair of blocks. In the dot products 64 invocations are a strand, invocation (i, j) of a
// strand one element of g; a chunk of a strand's rows is copied into workgroup memory first (8 rows, 8 vec4f each and one of padding,
// so that rows lie in different banks). In the rotations, which do nothing where rows are orthogonal enough, invocation (i, j) of the
// first strand holds element (i, j) of g and x. At the end each invocation turns columns of four, neighbours neighbouring ones.
// Workgroup memory: 4.5 KiB of rows, 4 x 64 sums, g, x.

const INVOCATIONS = 256u;
const PITCH = 9u; // vec4f between rows in workgroup memory

var<workgroup> tiles: array<vec4f, 288>; // [STRANDS, 8, PITCH]
var<workgroup> sums: array<f32, 256>; // [STRANDS, 8, 8]; then [8]: the largest cosine of a column of g
var<workgroup> g: array<f32, 64>;
var<workgroup> x: array<f32, 64>;

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = group.y * grid.x + group.x;
  if (index >= params.count) { // the same for the whole workgroup
    return;
  }
  let blocks = blocks_of(index % params.pairs);
  let strand = local / 64u;
  let i = local / 8u % 8u;
  let j = local % 8u;
  let mine = row_of(index, blocks, i);
  let tile = strand * 8u * PITCH;

  var sum = 0.0;
  for (var first = 0u; first < params.length; first += STRANDS * CHUNK) {
    let start = first + strand * CHUNK;
    workgroupBarrier(); // every invocation has read the previous chunk
    var value = vec4f();
    if (start + j < params.length) {
      value = vectors[mine + start + j];
    }
    tiles[tile + i * PITCH + j] = value;
    workgroupBarrier(); // the chunk is complete
    var acc = 0.0;
    for (var v = 0u; v < CHUNK; v++) {
      let a = tiles[tile + i * PITCH + v];
      let b = tiles[tile + j * PITCH + v];
      acc = fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, acc))));
    }
    sum += acc;
  }
  sums[local] = sum;
  workgroupBarrier();
  if (strand == 0u) {
    g[local] = (sums[local] + sums[64u + local]) + (sums[128u + local] + sums[192u + local]);
    x[local] = select(0.0, 1.0, i == j);
  }
  workgroupBarrier();
  if (local < 8u) {
    var largest = 0.0;
    for (var p = 0u; p < local; p++) {
      largest = max(largest, cosine(g[9u * p], g[9u * local], g[8u * p + local]));
    }
    sums[local] = largest;
  }

  for (var step = 0u; step < 7u; step++) {
    var turned_g = 0.0;
    var turned_x = 0.0;
    if (strand == 0u) {
      let k = partner_of(step, i);
      let l = partner_of(step, j);
      let row_turn = rotation(g[9u * min(i, k)], g[9u * max(i, k)], g[8u * min(i, k) + max(i, k)]);
      let column_turn = rotation(g[9u * min(j, l)], g[9u * max(j, l)], g[8u * min(j, l) + max(j, l)]);
      let row_part = share(row_turn, i < k);
      let own = turned(row_part, g[8u * i + j], g[8u * k + j]);
      let other = turned(row_part, g[8u * i + l], g[8u * k + l]);
      turned_g = turned(share(column_turn, j < l), own, other);
      turned_x = turned(row_part, x[8u * i + j], x[8u * k + j]);
    }
    workgroupBarrier(); // every invocation has read the old elements
    if (strand == 0u) {
      g[local] = turned_g;
      x[local] = turned_x;
    }
    workgroupBarrier(); // the new elements are complete
  }

  var largest = 0.0;
  for (var k = 0u; k < 8u; k++) {
    largest = max(largest, sums[k]);
  }
  if (local == 0u) {
    note(index, largest);
  }
  if (!(largest > params.tolerance)) {
    return;
  }
  for (var v = local; v < params.stride; v += INVOCATIONS) {
    var w: array<vec4f, 8>;
    for (var r = 0u; r < 8u; r++) {
      w[r] = vectors[row_of(index, blocks, r) + v];
    }
    for (var k = 0u; k < 8u; k++) {
      var acc = vec4f();
      for (var r = 0u; r < 8u; r++) {
        acc = fma(vec4f(x[8u * k + r]), w[r], acc);
      }
      vectors[row_of(index, blocks, k) + v] = acc;
    }
  }
}
