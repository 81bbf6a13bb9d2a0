// output[m, n] = activation(sum over k of a[m, k] * b[k, n] + bias[n]), in f32, by tiles in workgroup memory: for GPUs.
// Same order of summation as matmul_naive.wgsl, bit for bit: chunks of 512 along k, fma in ascending k from 0 inside a chunk,
// chunk sums from left to right, then bias, then ReLU.
//
// A template (template.ts): 64 invocations (8 x 8) compute a tile of 8 EDGE x 8 EDGE outputs, EDGE x EDGE each (EDGE 8 or 4):
// c{i}_{j} is row i, columns 4 j .. 4 j + 3 of an invocation's part. In steps of 16 along k the workgroup copies
// a's and b's part into workgroup memory (2 * 8 EDGE * 16 floats: 8 KiB for EDGE 8), so that each element of a and b
// is read from memory once a workgroup instead of 8 EDGE times.
// Operands are seen through strides as in matmul_naive.wgsl (NN, NT, TN alike); the copying walks along whichever axis is contiguous.
//
// Bounds: elements of rows and columns past the end are 0 in workgroup memory, and their outputs are not stored; along k
// the last step is shorter (not padded: fma(0, 0, -0) is +0).
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
const STEP = 16u; // divides CHUNK
const EDGE = {EDGE}u;
const TILE = {EDGE*8}u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>; // unused without flag 1: then any buffer
@group(0) @binding(4) var<storage, read_write> output: array<f32>;

var<workgroup> a_tile: array<vec4f, {EDGE*32}>; // [STEP, TILE / 4]: k, four rows
var<workgroup> b_tile: array<vec4f, {EDGE*32}>; // [STEP, TILE / 4]: k, four columns

// Adds a chunk's sums to the total of a row's four columns; after the last chunk applies bias and ReLU.
fn store(row: u32, column: u32, sums: vec4f, first: bool, last: bool) {
  if (row >= params.m || column >= params.n) {
    return;
  }
  let index = row * params.n + column;
  for (var j = 0u; j < min(4u, params.n - column); j++) {
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

fn element_a(row: u32, k: u32) -> f32 {
  if (row >= params.m || k >= params.k) {
    return 0.0;
  }
  return a[row * params.a_m + k * params.a_k];
}

fn element_b(k: u32, column: u32) -> f32 {
  if (column >= params.n || k >= params.k) {
    return 0.0;
  }
  return b[k * params.b_k + column * params.b_n];
}

// Four rows of a at k.
fn load_a(row: u32, k: u32) -> vec4f {
  return vec4f(element_a(row, k), element_a(row + 1u, k), element_a(row + 2u, k), element_a(row + 3u, k));
}

// Four columns of b at k.
fn load_b(k: u32, column: u32) -> vec4f {
  return vec4f(element_b(k, column), element_b(k, column + 1u), element_b(k, column + 2u), element_b(k, column + 3u));
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tile = group.y * groups.x + group.x;
  let tiles = (params.n + TILE - 1u) / TILE;
  let tile_row = tile / tiles * TILE;
  let tile_column = tile % tiles * TILE;
  if (tile_row >= params.m) { // the same for the whole workgroup
    return;
  }
  let row = local / 8u * EDGE; // inside the tile
  let column = local % 8u * EDGE;

  var start = 0u;
  loop {
    let end = min(start + CHUNK, params.k);
    // {{for i < EDGE}}
    // {{for j < QUADS}}
    var c{i}_{j} = vec4f();
    // {{end}}
    // {{end}}

    for (var k0 = start; k0 < end; k0 += STEP) {
      workgroupBarrier(); // every invocation has read the previous step's tiles
      for (var i = local; i < STEP * TILE / 4u; i += 64u) {
        // neighbours read neighbouring memory: along k or along the other axis, whichever has stride 1
        let along_k = vec2u(i % STEP, i / STEP);
        let across = vec2u(i / (TILE / 4u), i % (TILE / 4u));
        let at_a = select(across, along_k, params.a_k == 1u);
        let at_b = select(across, along_k, params.b_k == 1u);
        a_tile[at_a.x * (TILE / 4u) + at_a.y] = load_a(tile_row + at_a.y * 4u, k0 + at_a.x);
        b_tile[at_b.x * (TILE / 4u) + at_b.y] = load_b(k0 + at_b.x, tile_column + at_b.y * 4u);
      }
      workgroupBarrier(); // both tiles are complete
      if (end - k0 >= STEP) { // a constant number of turns, which compilers unroll
        for (var k = 0u; k < STEP; k++) {
          // {{for j < QUADS}}
          let a{j} = a_tile[(k * TILE + row) / 4u + {j}u];
          let b{j} = b_tile[(k * TILE + column) / 4u + {j}u];
          // {{end}}
          // {{for i < EDGE}}
          // {{for j < QUADS}}
          c{i}_{j} = fma(vec4f(a{i/4}[{i%4}]), b{j}, c{i}_{j});
          // {{end}}
          // {{end}}
        }
      } else {
        for (var k = 0u; k < end - k0; k++) {
          // {{for j < QUADS}}
          let a{j} = a_tile[(k * TILE + row) / 4u + {j}u];
          let b{j} = b_tile[(k * TILE + column) / 4u + {j}u];
          // {{end}}
          // {{for i < EDGE}}
          // {{for j < QUADS}}
          c{i}_{j} = fma(vec4f(a{i/4}[{i%4}]), b{j}, c{i}_{j});
          // {{end}}
          // {{end}}
        }
      }
    }

    let first = start == 0u;
    let last = end == params.k;
    // {{for i < EDGE}}
    // {{for j < QUADS}}
    store(tile_row + row + {i}u, tile_column + column + {j*4}u, c{i}_{j}, first, last);
    // {{end}}
    // {{end}}
    if (last) {
      break;
    }
    start = end;
  }
}
