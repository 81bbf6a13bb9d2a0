// The cross moments of cross_moments.wgsl by register tiles alone: for software adapters, where workgroup memory and barriers are
// ruinous. Same order of summation as cross_moments_naive.wgsl, bit for bit.
//
// A template (../matmul/template.ts): an invocation computes ROWS x COLUMNS elements of one span of chunks; c<i>_<j> holds row i,
// column j. Workgroups have four invocations: four tiles that follow each other, columns fastest. With QUAD (subgroups of exactly four)
// they lie side by side in the same rows; each loads a quarter of a's part and swaps it with the others: in lane l, c<i> is row + (i ^ l).
// See ../matmul/matmul_register.wgsl for why it looks like this.
//
// How a is read: A_K: inner is a multiple of 4: vec4f along k. A_AXIS: inner is 1 and rows a multiple of 4: vec4f along rows. A_SCALAR:
// element by element. b likewise; A_K goes with B_K alone. The shifts are taken off what is loaded, before it is handed on.
//
// Bounds: rows and columns past the end read the last one's elements and are not stored; every load is inside its tensor.

// {{if QUAD}}
enable subgroups;
// {{end}}

const ROWS = {ROWS}u;
const COLUMNS = {COLUMNS}u;

// {{if A4}}
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
// {{end}}
// {{if A_SCALAR}}
@group(0) @binding(1) var<storage, read> a: array<f32>;
// {{end}}
// {{if B4}}
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
// {{end}}
// {{if B_SCALAR}}
@group(0) @binding(2) var<storage, read> b: array<f32>;
// {{end}}

@compute @workgroup_size(4)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let rows = params.rows;
  let columns = params.columns;
  let row_tiles = (rows + ROWS - 1u) / ROWS;
  let index = group.y * grid.x + group.x;
  // {{if QUAD}}
  let quads = (columns + 4u * COLUMNS - 1u) / (4u * COLUMNS);
  let last_column = (index % quads + 1u) * (4u * COLUMNS) - 1u;
  let column = index % quads * (4u * COLUMNS) + lane * COLUMNS;
  let others = index / quads;
  // {{end}}
  // {{if SINGLE}}
  let column_tiles = (columns + COLUMNS - 1u) / COLUMNS;
  let column = (index * 4u + lane) % column_tiles * COLUMNS;
  let last_column = column + COLUMNS - 1u;
  let others = (index * 4u + lane) / column_tiles;
  // {{end}}
  let row = others % row_tiles * ROWS;
  let split = others / row_tiles;
  let first = split * params.span;
  let below = params.symmetric != 0u && row > last_column;
  if (first >= params.chunks || below) { // with QUAD the same for all four
    return;
  }
  let flip = lane & {SWAPS}u; // why: ../matmul/matmul_register.wgsl

  // Where each row of a and column of b begins (in elements of the binding), its shift, and how far the next k or image is.
  // {{if A_AXIS}}
  let a_step = rows / 4u;
  // {{for r < ROWQUADS}}
  let a_at{r} = min(row / 4u + {r}u, rows / 4u - 1u);
  let a_shift{r} = four_of_shift_a(a_at{r} * 4u);
  // {{end}}
  // {{end}}
  // {{if A_ROWS}}
  let a_image = rows * params.inner / {PACK}u;
  // {{for r < LOADS}}
  // {{if QUAD}}
  let a_row{r} = min(row + {r*4}u + lane, rows - 1u);
  // {{end}}
  // {{if SINGLE}}
  let a_row{r} = min(row + {r}u, rows - 1u);
  // {{end}}
  let a_at{r} = a_row{r} * params.inner / {PACK}u;
  let a_shift{r} = shift_a[a_row{r}];
  // {{end}}
  // {{end}}
  // {{if B_AXIS}}
  let b_step = columns / 4u;
  // {{for j < QUADS}}
  let b_at{j} = min(column / 4u + {j}u, columns / 4u - 1u);
  let b_shift{j} = four_of_shift_b(b_at{j} * 4u);
  // {{end}}
  // {{end}}
  // {{if B_COLUMNS}}
  let b_image = columns * params.inner / {PACK}u;
  // {{for j < COLUMNS}}
  let b_column{j} = min(column + {j}u, columns - 1u);
  let b_at{j} = b_column{j} * params.inner / {PACK}u;
  let b_shift{j} = shift_b[b_column{j}];
  // {{end}}
  // {{end}}
  // {{if WALK}}
  let inner = params.inner / {PACK}u;
  // {{end}}

  for (var chunk = first; chunk < min(first + params.span, params.chunks); chunk++) {
    // {{for i < ROWS}}
    // {{for j < COLUMNS}}
    var c{i}_{j} = 0.0;
    // {{end}}
    // {{end}}

    var k = chunk * CHUNK;
    let end = min(k + CHUNK, params.total);
    // {{if WALK}}
    var n = k / params.inner;
    var p = k % params.inner / {PACK}u;
    // {{end}}
    for (; k + 4u <= end; k += 4u) {
      // Where k .. k + 3 lie, counted from the beginning of a row: in one vec4f, or each for itself.
      // {{if WALK}}
      let n0 = n;
      let p0 = p;
      // {{for q < STEPS}}
      let wraps{q} = p{q} + 1u == inner;
      let n{q+1} = select(n{q}, n{q} + 1u, wraps{q});
      let p{q+1} = select(p{q} + 1u, 0u, wraps{q});
      // {{if A_ROWS}}
      let a_k{q} = n{q} * a_image + p{q};
      // {{end}}
      // {{if B_COLUMNS}}
      let b_k{q} = n{q} * b_image + p{q};
      // {{end}}
      // {{end}}
      n = n{STEPS};
      p = p{STEPS};
      // {{end}}

      // a<i>: row i at k .. k + 3
      // {{if A_AXIS}}
      // {{for r < ROWQUADS}}
      // {{if QUAD}}
      let mine{r} = a[(k + lane) * a_step + a_at{r}] - a_shift{r};
      // {{for q < 4}}
      let rows{q}_{r} = quadBroadcast(mine{r}, {q}u);
      // {{end}}
      // {{end}}
      // {{if SINGLE}}
      // {{for q < 4}}
      let rows{q}_{r} = a[(k + {q}u) * a_step + a_at{r}] - a_shift{r};
      // {{end}}
      // {{end}}
      // {{for i < 4}}
      let a{r*4+i} = vec4f(rows0_{r}[{i}], rows1_{r}[{i}], rows2_{r}[{i}], rows3_{r}[{i}]);
      // {{end}}
      // {{end}}
      // {{end}}
      // {{if A_ROWS}}
      // {{for r < LOADS}}
      // {{if A_K}}
      let mine{r} = a[a_at{r} + a_k0] - a_shift{r};
      // {{end}}
      // {{if A_SCALAR}}
      let mine{r} = vec4f(a[a_at{r} + a_k0], a[a_at{r} + a_k1], a[a_at{r} + a_k2], a[a_at{r} + a_k3]) - a_shift{r};
      // {{end}}
      // {{end}}
      // {{if QUAD}}
      // {{for r < ROWQUADS}}
      let a{r*4} = mine{r};
      let a{r*4+1} = quadSwapX(mine{r});
      let a{r*4+2} = quadSwapY(mine{r});
      let a{r*4+3} = quadSwapDiagonal(mine{r});
      // {{end}}
      // {{end}}
      // {{if SINGLE}}
      // {{for i < ROWS}}
      let a{i} = mine{i};
      // {{end}}
      // {{end}}
      // {{end}}

      // b<q>_<j>: columns 4 j .. 4 j + 3 at k + q
      // {{if B_AXIS}}
      // {{for q < 4}}
      // {{for j < QUADS}}
      let b{q}_{j} = b[(k + {q}u) * b_step + b_at{j}] - b_shift{j};
      // {{end}}
      // {{end}}
      // {{end}}
      // {{if B_COLUMNS}}
      // {{for j < COLUMNS}}
      // {{if B_K}}
      let column{j} = b[b_at{j} + b_k0] - b_shift{j};
      // {{end}}
      // {{if B_SCALAR}}
      let column{j} = vec4f(b[b_at{j} + b_k0], b[b_at{j} + b_k1], b[b_at{j} + b_k2], b[b_at{j} + b_k3]) - b_shift{j};
      // {{end}}
      // {{end}}
      // {{for q < 4}}
      // {{for j < QUADS}}
      let b{q}_{j} = vec4f(column{j*4}[{q}], column{j*4+1}[{q}], column{j*4+2}[{q}], column{j*4+3}[{q}]);
      // {{end}}
      // {{end}}
      // {{end}}

      // {{for i < ROWS}}
      // {{for j < COLUMNS}}
      c{i}_{j} = fma(b3_{j/4}[{j%4}], a{i}[3], fma(b2_{j/4}[{j%4}], a{i}[2],
        fma(b1_{j/4}[{j%4}], a{i}[1], fma(b0_{j/4}[{j%4}], a{i}[0], c{i}_{j}))));
      // {{end}}
      // {{end}}
    }

    // {{if TAIL}}
    for (; k < end; k++) {
      // {{if A_AXIS}}
      // {{for r < ROWQUADS}}
      let rows{r} = a[k * a_step + a_at{r}] - a_shift{r};
      // {{end}}
      // {{for i < ROWS}}
      let a{i} = rows{i/4}[{i%4}];
      // {{end}}
      // {{end}}
      // {{if A_SCALAR}}
      // {{for r < LOADS}}
      let mine{r} = a[a_at{r} + n * a_image + p] - a_shift{r};
      // {{end}}
      // {{if QUAD}}
      // {{for r < ROWQUADS}}
      let a{r*4} = mine{r};
      let a{r*4+1} = quadSwapX(mine{r});
      let a{r*4+2} = quadSwapY(mine{r});
      let a{r*4+3} = quadSwapDiagonal(mine{r});
      // {{end}}
      // {{end}}
      // {{if SINGLE}}
      // {{for i < ROWS}}
      let a{i} = mine{i};
      // {{end}}
      // {{end}}
      // {{end}}
      // {{if B_AXIS}}
      // {{for j < QUADS}}
      let columns{j} = b[k * b_step + b_at{j}] - b_shift{j};
      // {{end}}
      // {{for j < COLUMNS}}
      let b{j} = columns{j/4}[{j%4}];
      // {{end}}
      // {{end}}
      // {{if B_SCALAR}}
      // {{for j < COLUMNS}}
      let b{j} = b[b_at{j} + n * b_image + p] - b_shift{j};
      // {{end}}
      // {{end}}
      // {{for i < ROWS}}
      // {{for j < COLUMNS}}
      c{i}_{j} = fma(b{j}, a{i}, c{i}_{j});
      // {{end}}
      // {{end}}
      // {{if WALK}}
      let wraps = p + 1u == inner;
      n = select(n, n + 1u, wraps);
      p = select(p + 1u, 0u, wraps);
      // {{end}}
    }
    // {{end}}

    // Adds the chunk's sums to the totals. A loop over rows, to keep the code small.
    var sums = array<vec4f, ROWS * COLUMNS / 4u>(
      // {{for i < ROWS}}
      // {{for j < QUADS}}
      vec4f(c{i}_{j*4}, c{i}_{j*4+1}, c{i}_{j*4+2}, c{i}_{j*4+3}),
      // {{end}}
      // {{end}}
    );
    for (var i = 0u; i < ROWS; i++) {
      let row_i = row + (i ^ flip);
      if (row_i >= rows) {
        continue;
      }
      let at = (split * rows + row_i) * columns + column;
      // {{for j < QUADS}}
      let totals{j} = sums[i * (COLUMNS / 4u) + {j}u];
      // {{end}}
      // {{for j < COLUMNS}}
      if (column + {j}u < columns) {
        store(at + {j}u, totals{j/4}[{j%4}], chunk == first);
      }
      // {{end}}
    }
  }
}

// {{if A_AXIS}}
fn four_of_shift_a(at: u32) -> vec4f {
  return vec4f(shift_a[at], shift_a[at + 1u], shift_a[at + 2u], shift_a[at + 3u]);
}
// {{end}}

// {{if B_AXIS}}
fn four_of_shift_b(at: u32) -> vec4f {
  return vec4f(shift_b[at], shift_b[at + 1u], shift_b[at + 2u], shift_b[at + 3u]);
}
// {{end}}
