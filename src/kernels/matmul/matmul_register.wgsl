// output[m, n] = activation(sum over k of a[m, k] * b[k, n] + bias[n]), in f32, by register tiles alone: for software adapters,
// where workgroup memory and barriers are ruinous. Same order of summation as matmul_naive.wgsl, bit for bit:
// chunks of 512 along k, fma in ascending k from 0 inside a chunk, chunk sums from left to right, then bias, then ReLU.
//
// A template (template.ts): an invocation computes ROWS x COLUMNS outputs; c<i>_<j> holds row i, column j. Workgroups have four
// invocations, which are four tiles in row-major order over the tiles of the output. With QUAD (subgroups of exactly four) they lie
// side by side in the same rows, and each loads a quarter of a's part and hands it to the others. Handing on is a swap where rows are
// loaded row by row: lane l gets row i of four from lane i ^ l, so its c<i>_<j> holds row i ^ l. Broadcasts, which would keep rows in
// order, cost SwiftShader ten instructions a value; a swap is one. Where a is read along m, lanes hold different k, whose order counts.
//
// How a is read: A4_K: rows are contiguous along k and a multiple of 4 long (NN, NT): vec4f along k. A4_M: a is [K, M] and M a
// multiple of 4 (TN): vec4f along m. A1: by scalars through its strides. b likewise: B4_N (NN, TN), B4_K (NT), B1.
// The output [M, N] is dense and row-major.
//
// Why it looks like this (SwiftShader; numbers in docs/performance.md): each component that is loaded costs about 90 instructions
// (bounds, four branches, one for each lane), each fma 4 to 6, each accumulator 13 for every turn of the loop. So: large tiles,
// shared loads, four k a turn. A turn must stay below some 50 KB of machine code (16 x 8 with QUAD, 8 x 8 without), or it falls
// out of the instruction cache and takes twice as long. One scalar expression for an accumulator's four fma keeps it in a register.
//
// Bounds: rows and columns past the end read the last one's elements and are not stored; every load is inside its tensor.
// The total of finished chunks waits in `output`: only this invocation touches these elements.

// {{if QUAD}}
enable subgroups;
// {{end}}

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
const ROWS = {ROWS}u;
const COLUMNS = {COLUMNS}u;

@group(0) @binding(0) var<uniform> params: Params;
// {{if A4}}
@group(0) @binding(1) var<storage, read> a: array<vec4f>;
// {{end}}
// {{if A1}}
@group(0) @binding(1) var<storage, read> a: array<f32>;
// {{end}}
// {{if B4}}
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
// {{end}}
// {{if B1}}
@group(0) @binding(2) var<storage, read> b: array<f32>;
// {{end}}
@group(0) @binding(3) var<storage, read> bias: array<f32>; // unused without flag 1: then any buffer
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(4)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  // {{if QUAD}}
  let quad = group.y * groups.x + group.x;
  let quads = (params.n + 4u * COLUMNS - 1u) / (4u * COLUMNS);
  let row = quad / quads * ROWS;
  let column = quad % quads * (4u * COLUMNS) + lane * COLUMNS;
  // {{end}}
  let flip = lane & {SWAPS}u;
  // {{if SINGLE}}
  let tile = (group.y * groups.x + group.x) * 4u + lane;
  let tiles = (params.n + COLUMNS - 1u) / COLUMNS;
  let row = tile / tiles * ROWS;
  let column = tile % tiles * COLUMNS;
  // {{end}}
  if (row >= params.m) {
    return;
  }

  // Where each row of a and column of b begins (in elements of the binding), and how far one k is from the next.
  // {{if A4_M}}
  let a_step = params.a_k / 4u;
  // {{for r < ROWQUADS}}
  let a_at{r} = min(row / 4u + {r}u, params.m / 4u - 1u);
  // {{end}}
  // {{end}}
  // {{if A_ROWS}}
  // {{if A4_K}}
  let a_pitch = params.a_m / 4u;
  // {{end}}
  // {{if A1}}
  let a_pitch = params.a_m;
  let a_step = params.a_k;
  // {{end}}
  // {{if QUAD}}
  // {{for r < ROWQUADS}}
  let a_at{r} = min(row + {r*4}u + lane, params.m - 1u) * a_pitch;
  // {{end}}
  // {{end}}
  // {{if SINGLE}}
  // {{for i < ROWS}}
  let a_at{i} = min(row + {i}u, params.m - 1u) * a_pitch;
  // {{end}}
  // {{end}}
  // {{end}}
  // {{if B4_N}}
  let b_step = params.b_k / 4u;
  // {{for j < QUADS}}
  let b_at{j} = min(column / 4u + {j}u, params.n / 4u - 1u);
  // {{end}}
  // {{end}}
  // {{if B4_K}}
  // {{for j < COLUMNS}}
  let b_at{j} = min(column + {j}u, params.n - 1u) * (params.b_n / 4u);
  // {{end}}
  // {{end}}
  // {{if B1}}
  let b_step = params.b_k;
  // {{for j < COLUMNS}}
  let b_at{j} = min(column + {j}u, params.n - 1u) * params.b_n;
  // {{end}}
  // {{end}}

  var start = 0u;
  loop {
    let end = min(start + CHUNK, params.k);
    // {{for i < ROWS}}
    // {{for j < COLUMNS}}
    var c{i}_{j} = 0.0;
    // {{end}}
    // {{end}}

    var k = start;
    for (; k + 4u <= end; k += 4u) {
      // a<i>: row i at k .. k + 3
      // {{if A4_M}}
      // {{for r < ROWQUADS}}
      // {{if QUAD}}
      let mine{r} = operands(a[(k + lane) * a_step + a_at{r}]);
      // {{for q < 4}}
      let rows{q}_{r} = quadBroadcast(mine{r}, {q}u);
      // {{end}}
      // {{end}}
      // {{if SINGLE}}
      // {{for q < 4}}
      let rows{q}_{r} = operands(a[(k + {q}u) * a_step + a_at{r}]);
      // {{end}}
      // {{end}}
      // {{for i < 4}}
      let a{r*4+i} = vec4f(rows0_{r}[{i}], rows1_{r}[{i}], rows2_{r}[{i}], rows3_{r}[{i}]);
      // {{end}}
      // {{end}}
      // {{end}}
      // {{if A4_K}}
      // {{for r < LOADS}}
      let mine{r} = operands(a[a_at{r} + k / 4u]);
      // {{end}}
      // {{end}}
      // {{if A1}}
      // {{for r < LOADS}}
      let mine{r} = operands(vec4f(
        a[a_at{r} + k * a_step],
        a[a_at{r} + (k + 1u) * a_step],
        a[a_at{r} + (k + 2u) * a_step],
        a[a_at{r} + (k + 3u) * a_step],
      ));
      // {{end}}
      // {{end}}
      // {{if A_ROWS}}
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
      // {{if B4_N}}
      // {{for q < 4}}
      // {{for j < QUADS}}
      let b{q}_{j} = operands(b[(k + {q}u) * b_step + b_at{j}]);
      // {{end}}
      // {{end}}
      // {{end}}
      // {{if B4_K}}
      // {{for j < COLUMNS}}
      let column{j} = operands(b[b_at{j} + k / 4u]);
      // {{end}}
      // {{for q < 4}}
      // {{for j < QUADS}}
      let b{q}_{j} = vec4f(column{j*4}[{q}], column{j*4+1}[{q}], column{j*4+2}[{q}], column{j*4+3}[{q}]);
      // {{end}}
      // {{end}}
      // {{end}}
      // {{if B1}}
      // {{for q < 4}}
      let b_at_k{q} = (k + {q}u) * b_step;
      // {{for j < QUADS}}
      let b{q}_{j} = operands(vec4f(
        b[b_at{j*4} + b_at_k{q}],
        b[b_at{j*4+1} + b_at_k{q}],
        b[b_at{j*4+2} + b_at_k{q}],
        b[b_at{j*4+3} + b_at_k{q}],
      ));
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
      // {{if A4_M}}
      // {{for r < ROWQUADS}}
      let rows{r} = operands(a[k * a_step + a_at{r}]);
      // {{end}}
      // {{for i < ROWS}}
      let a{i} = rows{i/4}[{i%4}];
      // {{end}}
      // {{end}}
      // {{if A1}}
      // {{for r < LOADS}}
      let mine{r} = operand(a[a_at{r} + k * a_step]);
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
      // {{if B4_N}}
      // {{for j < QUADS}}
      let columns{j} = operands(b[k * b_step + b_at{j}]);
      // {{end}}
      // {{for j < COLUMNS}}
      let b{j} = columns{j/4}[{j%4}];
      // {{end}}
      // {{end}}
      // {{if B1}}
      // {{for j < COLUMNS}}
      let b{j} = operand(b[b_at{j} + k * b_step]);
      // {{end}}
      // {{end}}
      // {{for i < ROWS}}
      // {{for j < COLUMNS}}
      c{i}_{j} = fma(b{j}, a{i}, c{i}_{j});
      // {{end}}
      // {{end}}
    }
    // {{end}}

    // Adds the chunk's sums to the totals; after the last chunk applies bias and ReLU. A loop over rows, to keep the code small.
    var sums = array<f32, ROWS * COLUMNS>(
      // {{for i < ROWS}}
      // {{for j < COLUMNS}}
      c{i}_{j},
      // {{end}}
      // {{end}}
    );
    let m = params.m;
    let n = params.n;
    let last = end == params.k;
    let add_bias = last && (params.flags & 1u) != 0u;
    let relu = last && (params.flags & 2u) != 0u;
    // {{for j < COLUMNS}}
    var bias{j} = 0.0;
    // {{end}}
    if (add_bias) {
      // {{for j < COLUMNS}}
      bias{j} = bias[min(column + {j}u, n - 1u)];
      // {{end}}
    }
    for (var i = 0u; i < ROWS; i++) {
      let index_row = row + (i ^ flip);
      if (index_row >= m) {
        continue;
      }
      let index = index_row * n + column;
      // {{for j < COLUMNS}}
      var total{j} = sums[i * COLUMNS + {j}u];
      // {{end}}
      if (start > 0u && column < n) {
        // {{for j < COLUMNS}}
        total{j} = output[index_row * n + min(column + {j}u, n - 1u)] + total{j};
        // {{end}}
      }
      // {{for j < COLUMNS}}
      if (column + {j}u < n) {
        let biased = select(total{j}, total{j} + bias{j}, add_bias);
        output[index + {j}u] = select(biased, 0.0, relu & (biased <= 0.0));
      }
      // {{end}}
    }
    if (last) {
      break;
    }
    start = end;
  }
}
