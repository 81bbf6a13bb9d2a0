// output[m, n] = activation(sum over k of a[m, k] * b[k, n] + bias[n]), in f32, by register tiles alone: for software adapters,
// where workgroup memory and barriers are ruinous. Same order of summation as matmul_naive.wgsl, bit for bit:
// chunks of 512 along k, fma in ascending k from 0 inside a chunk, chunk sums from left to right, then bias, then ReLU.
//
// A template (template.ts): ROWS x 4*QUADS outputs an invocation; c{i}_{j} holds row i, columns 4 j .. 4 j + 3.
// A4_K: rows of a are contiguous along k and a multiple of 4 long (NN, NT): vec4f loads along k. A4_M: a is [K, M] and M a multiple
// of 4 (TN): vec4f loads along m. Otherwise a is read by scalars through its strides. B4_N (NN, TN) and B4_K (NT) likewise.
// The output [M, N] is dense and row-major. Invocations are tiles, numbered row-major over the tiles of the output.
//
// Bounds: rows and columns past the end read the last one's elements and are not stored; every load is inside its tensor.
// The total of finished chunks waits in `output`: only this invocation touches these elements.

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
const COLUMNS = {QUADS*4}u;

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

// Adds a chunk's sums to the total of a row's four columns; after the last chunk applies bias and ReLU.
fn store(row: u32, column: u32, sums: vec4f, first: bool, last: bool) {
  if (row >= params.m) {
    return;
  }
  let index = row * params.n + column;
  for (var j = 0u; j < min(4u, params.n - min(column, params.n)); j++) {
    var total = sums[j];
    if (!first) {
      total = output[index + j] + total;
    }
    if (last && (params.flags & 1u) != 0u) {
      total += bias[column + j];
    }
    if (last && (params.flags & 2u) != 0u) {
      total = select(total, 0.0, total <= 0.0);
    }
    output[index + j] = total;
  }
}

@compute @workgroup_size(4)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tile = (group.y * groups.x + group.x) * 4u + local;
  let tiles = (params.n + COLUMNS - 1u) / COLUMNS;
  let row = tile / tiles * ROWS;
  let column = tile % tiles * COLUMNS;
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
  // {{if A4_K}}
  // {{for i < ROWS}}
  let a_at{i} = min(row + {i}u, params.m - 1u) * (params.a_m / 4u);
  // {{end}}
  // {{end}}
  // {{if A1}}
  let a_step = params.a_k;
  // {{for i < ROWS}}
  let a_at{i} = min(row + {i}u, params.m - 1u) * params.a_m;
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
    // {{for j < QUADS}}
    var c{i}_{j} = vec4f();
    // {{end}}
    // {{end}}

    var k = start;
    for (; k + 4u <= end; k += 4u) {
      // a{i}: row i at k .. k + 3
      // {{if A4_K}}
      // {{for i < ROWS}}
      let a{i} = a[a_at{i} + k / 4u];
      // {{end}}
      // {{end}}
      // {{if A4_M}}
      // {{for q < 4}}
      // {{for r < ROWQUADS}}
      let column{q}_{r} = a[(k + {q}u) * a_step + a_at{r}];
      // {{end}}
      // {{end}}
      // {{for i < ROWS}}
      let a{i} = vec4f(column0_{i/4}[{i%4}], column1_{i/4}[{i%4}], column2_{i/4}[{i%4}], column3_{i/4}[{i%4}]);
      // {{end}}
      // {{end}}
      // {{if A1}}
      // {{for i < ROWS}}
      let a{i} = vec4f(
        a[a_at{i} + k * a_step],
        a[a_at{i} + (k + 1u) * a_step],
        a[a_at{i} + (k + 2u) * a_step],
        a[a_at{i} + (k + 3u) * a_step],
      );
      // {{end}}
      // {{end}}

      // b{q}_{j}: columns 4 j .. 4 j + 3 at k + q
      // {{if B4_N}}
      // {{for q < 4}}
      // {{for j < QUADS}}
      let b{q}_{j} = b[(k + {q}u) * b_step + b_at{j}];
      // {{end}}
      // {{end}}
      // {{end}}
      // {{if B4_K}}
      // {{for j < COLUMNS}}
      let row{j} = b[b_at{j} + k / 4u];
      // {{end}}
      // {{for q < 4}}
      // {{for j < QUADS}}
      let b{q}_{j} = vec4f(row{j*4}[{q}], row{j*4+1}[{q}], row{j*4+2}[{q}], row{j*4+3}[{q}]);
      // {{end}}
      // {{end}}
      // {{end}}
      // {{if B1}}
      // {{for q < 4}}
      let b_at_k{q} = (k + {q}u) * b_step;
      // {{for j < QUADS}}
      let b{q}_{j} = vec4f(b[b_at{j*4} + b_at_k{q}], b[b_at{j*4+1} + b_at_k{q}], b[b_at{j*4+2} + b_at_k{q}], b[b_at{j*4+3} + b_at_k{q}]);
      // {{end}}
      // {{end}}
      // {{end}}

      // {{for i < ROWS}}
      // {{for j < QUADS}}
      // {{for q < 4}}
      c{i}_{j} = fma(vec4f(a{i}[{q}]), b{q}_{j}, c{i}_{j});
      // {{end}}
      // {{end}}
      // {{end}}
    }

    // {{if TAIL}}
    for (; k < end; k++) {
      // {{if A4_M}}
      // {{for r < ROWQUADS}}
      let column_{r} = a[k * a_step + a_at{r}];
      // {{end}}
      // {{for i < ROWS}}
      let a{i} = column_{i/4}[{i%4}];
      // {{end}}
      // {{end}}
      // {{if A1}}
      // {{for i < ROWS}}
      let a{i} = a[a_at{i} + k * a_step];
      // {{end}}
      // {{end}}
      // {{if B4_N}}
      // {{for j < QUADS}}
      let b_{j} = b[k * b_step + b_at{j}];
      // {{end}}
      // {{end}}
      // {{if B1}}
      // {{for j < QUADS}}
      let b_{j} = vec4f(b[b_at{j*4} + k * b_step], b[b_at{j*4+1} + k * b_step], b[b_at{j*4+2} + k * b_step], b[b_at{j*4+3} + k * b_step]);
      // {{end}}
      // {{end}}
      // {{for i < ROWS}}
      // {{for j < QUADS}}
      c{i}_{j} = fma(vec4f(a{i}), b_{j}, c{i}_{j});
      // {{end}}
      // {{end}}
    }
    // {{end}}

    let first = start == 0u;
    let last = end == params.k;
    // {{for i < ROWS}}
    // {{for j < QUADS}}
    store(row + {i}u, column + {j*4}u, c{i}_{j}, first, last);
    // {{end}}
    // {{end}}
    if (last) {
      break;
    }
    start = end;
  }
}
