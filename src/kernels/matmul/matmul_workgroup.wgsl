// output[m, n] = activation(sum over k of a[m, k] * b[k, n] + bias[n]), in f32, by tiles in workgroup memory: for GPUs.
// Same order of summation as matmul_naive.wgsl, bit for bit: chunks of 512 along k, fma in ascending k from 0 inside a chunk,
// chunk sums from left to right, then bias, then ReLU. With flag 4 (few outputs, long sums) a workgroup computes one chunk's sums alone,
// into output [chunks, M, N], and ../reduce/add-chunks.wgsl adds them up: the same additions in the same order.
//
// A template (template.ts): THREADS_X x THREADS_Y invocations compute a tile of TILE_M x TILE_N outputs, TILE_M / THREADS_Y rows by
// TILE_N / THREADS_X columns each, in blocks of 4 x 4 that lie 4 THREADS_Y rows and 4 THREADS_X columns apart, so that neighbours read
// neighbouring vec4f of b's tile and store neighbouring outputs: c<p>_<i>_<j> is row i of row block p, columns of column block j.
// In steps of STEP along k the workgroup copies a's and b's part into workgroup memory. What the next step needs is loaded into registers
// before a step is computed, and stored into the other one of two buffers after it: one barrier a step, and no waiting for memory.
//
// How a is read: A_K: rows are contiguous along k and a multiple of 4 long (NN, NT): vec4f along k. A_M: a is [K, M] and M a multiple of 4
// (TN): vec4f along m. A_SCALAR: by scalars through its strides. b likewise: B_K (NT), B_N (NN, TN), B_SCALAR. An invocation always copies
// blocks of 4 k by 4 rows (or columns), turned in registers where they lie along k.
// OUT4: N is a multiple of 4, outputs are stored by vec4f. FITS: M and N are multiples of the tile, STEPS: K is one of STEP.
//
// Bounds: workgroup memory is indexed by constants and ids whose ranges compilers know. Without FITS, rows and columns past the end read
// the last one's elements and are not stored. Without STEPS, k past the end reads the last elements, and the last step is shorter (not
// padded: fma(0, 0, -0) is +0).
// The total of finished chunks waits in `output`: only this invocation touches these elements.

struct Params {
  m: u32,
  n: u32,
  k: u32, // at least 1
  flags: u32, // 1: add bias, 2: ReLU, 4: each chunk's sums for themselves
  a_m: u32,
  a_k: u32,
  b_k: u32,
  b_n: u32,
}

const CHUNK = 512u;
const STEP = {STEP}u; // divides CHUNK
const TILE_M = {TILE_M}u;
const TILE_N = {TILE_N}u;
const THREADS_X = {THREADS_X}u;
const THREADS_Y = {THREADS_Y}u;
const A_BLOCKS = STEP * TILE_M / 16u; // 4 x 4 blocks of a's part: one for each invocation, or, with EITHER, for the first ones
const B_BLOCKS = STEP * TILE_N / 16u;

@group(0) @binding(0) var<uniform> params: Params;
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
// {{if OUT4}}
@group(0) @binding(3) var<storage, read> bias: array<vec4f>; // unused without flag 1: then any buffer
@group(0) @binding(4) var<storage, read_write> output: array<vec4f>;
// {{end}}
// {{if OUT1}}
@group(0) @binding(3) var<storage, read> bias: array<f32>; // unused without flag 1: then any buffer
@group(0) @binding(4) var<storage, read_write> output: array<f32>;
// {{end}}

// Four rows of a, or columns of b, at four k: of0 at the first.
struct Block {
  of0: Four,
  of1: Four,
  of2: Four,
  of3: Four,
}

var<workgroup> a_tile: array<Four, {STEP*TILE_M/2}>; // [2, STEP, TILE_M / 4]: buffer, k, four rows
var<workgroup> b_tile: array<Four, {STEP*TILE_N/2}>; // [2, STEP, TILE_N / 4]: buffer, k, four columns

fn row_within(row: u32) -> u32 {
  // {{if FITS}}
  return row;
  // {{end}}
  // {{if EDGES}}
  return min(row, params.m - 1u);
  // {{end}}
}

fn column_within(column: u32) -> u32 {
  // {{if FITS}}
  return column;
  // {{end}}
  // {{if EDGES}}
  return min(column, params.n - 1u);
  // {{end}}
}

fn k_within(k: u32) -> u32 {
  // {{if STEPS}}
  return k;
  // {{end}}
  // {{if TAIL}}
  return min(k, params.k - 1u);
  // {{end}}
}

fn turned(x0: vec4f, x1: vec4f, x2: vec4f, x3: vec4f) -> Block {
  return Block(
    four(vec4f(x0.x, x1.x, x2.x, x3.x)),
    four(vec4f(x0.y, x1.y, x2.y, x3.y)),
    four(vec4f(x0.z, x1.z, x2.z, x3.z)),
    four(vec4f(x0.w, x1.w, x2.w, x3.w)),
  );
}

// {{if A_SCALAR}}
fn four_a(row: u32, k: u32) -> Four {
  let at = k_within(k) * params.a_k;
  return four(vec4f(
    a[row_within(row) * params.a_m + at],
    a[row_within(row + 1u) * params.a_m + at],
    a[row_within(row + 2u) * params.a_m + at],
    a[row_within(row + 3u) * params.a_m + at],
  ));
}
// {{end}}

fn load_a(row: u32, k: u32) -> Block {
  // {{if A_K}}
  let pitch = params.a_m / 4u;
  let at = k_within(k) / 4u;
  return turned(
    a[row_within(row) * pitch + at],
    a[row_within(row + 1u) * pitch + at],
    a[row_within(row + 2u) * pitch + at],
    a[row_within(row + 3u) * pitch + at],
  );
  // {{end}}
  // {{if A_M}}
  let pitch = params.a_k / 4u;
  let at = row_within(row) / 4u;
  return Block(
    four(a[k_within(k) * pitch + at]),
    four(a[k_within(k + 1u) * pitch + at]),
    four(a[k_within(k + 2u) * pitch + at]),
    four(a[k_within(k + 3u) * pitch + at]),
  );
  // {{end}}
  // {{if A_SCALAR}}
  return Block(four_a(row, k), four_a(row, k + 1u), four_a(row, k + 2u), four_a(row, k + 3u));
  // {{end}}
}

// {{if B_SCALAR}}
fn four_b(k: u32, column: u32) -> Four {
  let at = k_within(k) * params.b_k;
  return four(vec4f(
    b[column_within(column) * params.b_n + at],
    b[column_within(column + 1u) * params.b_n + at],
    b[column_within(column + 2u) * params.b_n + at],
    b[column_within(column + 3u) * params.b_n + at],
  ));
}
// {{end}}

fn load_b(k: u32, column: u32) -> Block {
  // {{if B_K}}
  let pitch = params.b_n / 4u;
  let at = k_within(k) / 4u;
  return turned(
    b[column_within(column) * pitch + at],
    b[column_within(column + 1u) * pitch + at],
    b[column_within(column + 2u) * pitch + at],
    b[column_within(column + 3u) * pitch + at],
  );
  // {{end}}
  // {{if B_N}}
  let pitch = params.b_k / 4u;
  let at = column_within(column) / 4u;
  return Block(
    four(b[k_within(k) * pitch + at]),
    four(b[k_within(k + 1u) * pitch + at]),
    four(b[k_within(k + 2u) * pitch + at]),
    four(b[k_within(k + 3u) * pitch + at]),
  );
  // {{end}}
  // {{if B_SCALAR}}
  return Block(four_b(k, column), four_b(k + 1u, column), four_b(k + 2u, column), four_b(k + 3u, column));
  // {{end}}
}

// Adds a chunk's sums to the total of a row's four columns; after the last chunk applies bias and ReLU.
fn store(plane: u32, row: u32, column: u32, sums: vec4f, first: bool, last: bool) {
  // {{if EDGES}}
  if (row >= params.m || column >= params.n) {
    return;
  }
  // {{end}}
  let add_bias = last && (params.flags & 1u) != 0u;
  let relu = last && (params.flags & 2u) != 0u;
  // {{if OUT4}}
  let index = (plane + row * params.n + column) / 4u;
  var total = sums;
  if (!first) {
    total = output[index] + total;
  }
  if (add_bias) {
    total += bias[column / 4u];
  }
  output[index] = select(total, vec4f(), vec4<bool>(relu) & (total <= vec4f()));
  // {{end}}
  // {{if OUT1}}
  let index = plane + row * params.n + column;
  for (var j = 0u; j < min(4u, params.n - column); j++) {
    var total = sums[j];
    if (!first) {
      total = output[index + j] + total;
    }
    if (add_bias) {
      total += bias[column + j];
    }
    output[index + j] = select(total, 0.0, relu && total <= 0.0);
  }
  // {{end}}
}

@compute @workgroup_size(THREADS_X, THREADS_Y)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_id) at: vec3u,
) {
  let tiles_m = (params.m + TILE_M - 1u) / TILE_M;
  let tiles_n = (params.n + TILE_N - 1u) / TILE_N;
  let tile = group.y * groups.x + group.x;
  let tile_row = tile / tiles_n % tiles_m * TILE_M;
  let tile_column = tile % tiles_n * TILE_N;
  let part = tile / (tiles_n * tiles_m);
  let apart = (params.flags & 4u) != 0u;
  let start = part * CHUNK;
  if (start >= params.k || (part > 0u && !apart)) { // the same for the whole workgroup
    return;
  }
  let end = select(params.k, min(params.k, start + CHUNK), apart);
  let plane = part * params.m * params.n;

  // The block of each operand that this invocation copies: neighbours walk along whichever axis is contiguous.
  let local = at.y * THREADS_X + at.x;
  // {{if A_K}}
  let a_block = vec2u(local / (STEP / 4u), local % (STEP / 4u)); // row, k
  // {{end}}
  // {{if A_M}}
  let a_block = vec2u(local % (TILE_M / 4u), local / (TILE_M / 4u));
  // {{end}}
  // {{if A_SCALAR}}
  let a_block = select(
    vec2u(local % (TILE_M / 4u), local / (TILE_M / 4u)),
    vec2u(local / (STEP / 4u), local % (STEP / 4u)),
    params.a_k == 1u,
  );
  // {{end}}
  // {{if BOTH}}
  let local_b = local;
  // {{end}}
  // {{if EITHER}}
  let local_b = local - A_BLOCKS; // huge for those who copy a
  // {{end}}
  // {{if B_K}}
  let b_block = vec2u(local_b / (STEP / 4u), local_b % (STEP / 4u)); // column, k
  // {{end}}
  // {{if B_N}}
  let b_block = vec2u(local_b % (TILE_N / 4u), local_b / (TILE_N / 4u));
  // {{end}}
  // {{if B_SCALAR}}
  let b_block = select(
    vec2u(local_b % (TILE_N / 4u), local_b / (TILE_N / 4u)),
    vec2u(local_b / (STEP / 4u), local_b % (STEP / 4u)),
    params.b_k == 1u,
  );
  // {{end}}
  let a_from = vec2u(tile_row, start) + 4u * a_block;
  let b_from = vec2u(tile_column, start) + 4u * b_block;
  // Where it lies in workgroup memory, in one buffer.
  let a_to = a_block.y * TILE_M + a_block.x;
  let b_to = b_block.y * TILE_N + b_block.x;

  // {{for p < ROWBLOCKS}}
  // {{for i < 4}}
  // {{for j < COLUMNBLOCKS}}
  var c{p}_{i}_{j} = vec4f();
  // {{end}}
  // {{end}}
  // {{end}}

  // Each turn loads a step, computes the step before it, and hands the loaded one to the others.
  var next_a: Block;
  // {{if BOTH}}
  var next_b: Block;
  // {{end}}
  var k = 0u; // from `start`
  var step = 0u;
  loop {
    let loads = start + k < end;
    if (loads) {
      // {{if BOTH}}
      next_a = load_a(a_from.x, a_from.y + k);
      // {{if ALL_B}}
      next_b = load_b(b_from.y + k, b_from.x);
      // {{end}}
      // {{if SOME_B}}
      if (local < B_BLOCKS) {
        next_b = load_b(b_from.y + k, b_from.x);
      }
      // {{end}}
      // {{end}}
      // {{if EITHER}}
      if (local < A_BLOCKS) {
        next_a = load_a(a_from.x, a_from.y + k);
      } else if (local_b < B_BLOCKS) {
        next_a = load_b(b_from.y + k, b_from.x);
      }
      // {{end}}
    }

    if (step > 0u) {
      let a_base = ((step + 1u) & 1u) * {STEP*TILE_M/4}u + at.y;
      let b_base = ((step + 1u) & 1u) * {STEP*TILE_N/4}u + at.x;
      // {{if TAIL}}
      let steps = min(STEP, end - (start + k - STEP));
      if (steps == STEP) {
      // {{end}}
        for (var q = 0u; q < STEP; q++) {
          // {{for p < ROWBLOCKS}}
          let a{p} = vec4f(a_tile[a_base + q * (TILE_M / 4u) + {p*THREADS_Y}u]);
          // {{end}}
          // {{for j < COLUMNBLOCKS}}
          let b{j} = vec4f(b_tile[b_base + q * (TILE_N / 4u) + {j*THREADS_X}u]);
          // {{end}}
          // {{for p < ROWBLOCKS}}
          // {{for i < 4}}
          // {{for j < COLUMNBLOCKS}}
          c{p}_{i}_{j} = fma(vec4f(a{p}[{i}]), b{j}, c{p}_{i}_{j});
          // {{end}}
          // {{end}}
          // {{end}}
        }
      // {{if TAIL}}
      } else {
        for (var q = 0u; q < steps; q++) {
          // {{for p < ROWBLOCKS}}
          let a{p} = vec4f(a_tile[a_base + q * (TILE_M / 4u) + {p*THREADS_Y}u]);
          // {{end}}
          // {{for j < COLUMNBLOCKS}}
          let b{j} = vec4f(b_tile[b_base + q * (TILE_N / 4u) + {j*THREADS_X}u]);
          // {{end}}
          // {{for p < ROWBLOCKS}}
          // {{for i < 4}}
          // {{for j < COLUMNBLOCKS}}
          c{p}_{i}_{j} = fma(vec4f(a{p}[{i}]), b{j}, c{p}_{i}_{j});
          // {{end}}
          // {{end}}
          // {{end}}
        }
      }
      // {{end}}
      if (!loads || k % CHUNK == 0u) {
        // A loop over an array, to keep the code small.
        var sums = array<vec4f, {ROWBLOCKS*4*COLUMNBLOCKS}>(
          // {{for p < ROWBLOCKS}}
          // {{for i < 4}}
          // {{for j < COLUMNBLOCKS}}
          c{p}_{i}_{j},
          // {{end}}
          // {{end}}
          // {{end}}
        );
        for (var p = 0u; p < {ROWBLOCKS}u; p++) {
          for (var i = 0u; i < 4u; i++) {
            for (var j = 0u; j < {COLUMNBLOCKS}u; j++) {
              let row = tile_row + 4u * (p * THREADS_Y + at.y) + i;
              let column = tile_column + 4u * (j * THREADS_X + at.x);
              store(plane, row, column, sums[(p * 4u + i) * {COLUMNBLOCKS}u + j], k <= CHUNK, !loads);
            }
          }
        }
        // {{for p < ROWBLOCKS}}
        // {{for i < 4}}
        // {{for j < COLUMNBLOCKS}}
        c{p}_{i}_{j} = vec4f();
        // {{end}}
        // {{end}}
        // {{end}}
      }
    }
    if (!loads) {
      break;
    }

    let a_at = (step & 1u) * {STEP*TILE_M/4}u + a_to;
    let b_at = (step & 1u) * {STEP*TILE_N/4}u + b_to;
    // {{if EITHER}}
    if (local < A_BLOCKS) {
    // {{end}}
      // {{for q < 4}}
      a_tile[a_at + {q*TILE_M/4}u] = next_a.of{q};
      // {{end}}
    // {{if EITHER}}
    } else if (local_b < B_BLOCKS) {
      // {{for q < 4}}
      b_tile[b_at + {q*TILE_N/4}u] = next_a.of{q};
      // {{end}}
    }
    // {{end}}
    // {{if BOTH}}
    // {{if SOME_B}}
    if (local < B_BLOCKS) {
    // {{end}}
      // {{for q < 4}}
      b_tile[b_at + {q*TILE_N/4}u] = next_b.of{q};
      // {{end}}
    // {{if SOME_B}}
    }
    // {{end}}
    // {{end}}
    workgroupBarrier(); // the step is complete
    k += STEP;
    step++;
  }
}
