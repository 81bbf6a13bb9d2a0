// The correlation of correlate.wgsl as a matrix product by tiles in workgroup memory: for GPUs. Same order of summation as
// correlate_naive.wgsl, bit for bit.
//
// In each group: rows r of `weight` [rows, K] times columns (n, y, x) of the inputs under them [K, N * out_h * out_w], where
// k = (d, i, j), j fastest. The second matrix is never made: its elements are found as they are copied.
//
// A template (../matmul/template.ts): THREADS_X x THREADS_Y invocations compute a tile of TILE_M channels x TILE_N outputs, each
// TILE_M / THREADS_Y by TILE_N / THREADS_X of them in blocks of 4 x 4 that lie 4 THREADS_Y channels and 4 THREADS_X outputs apart;
// c<p>_<i>_<j> is channel i of channel block p, outputs of output block j. In steps of 16 along k the workgroup copies both matrices' part
// into workgroup memory. What the next step needs is loaded into registers before a step is computed, and stored into the other one of
// two buffers after it: one barrier a step. The numbers of taps are constants, so that k is taken apart without dividing by a uniform;
// each invocation always copies the same four outputs' inputs, so it takes their coordinates apart once.
//
// Bounds: workgroup memory is indexed by constants and ids whose ranges compilers know. Channels past the end read the last one's weights
// and are not stored, nor are outputs past the end. Past the end of a chunk both matrices are 0: a total of 0 is +0, so padding k with
// zeros does not show.

const STEP = 16u;
const TILE_M = {TILE_M}u;
const TILE_N = {TILE_N}u;
const THREADS_X = {THREADS_X}u;
const THREADS_Y = {THREADS_Y}u;
const THREADS = THREADS_X * THREADS_Y;
const TAPS_X = {TAPS_X}u;
const TAPS = {TAPS}u;

var<workgroup> a_tile: array<Four, {TILE_M*8}>; // [2, STEP, TILE_M / 4]: buffer, k, four channels
var<workgroup> b_tile: array<Four, {TILE_N*8}>; // [2, STEP, TILE_N / 4]: buffer, k, four outputs

@compute @workgroup_size(THREADS_X, THREADS_Y)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_id) at: vec3u,
) {
  let row_tiles = (params.rows + TILE_M - 1u) / TILE_M;
  let index = group.y * grid.x + group.x;
  let g = index / row_tiles % params.groups;
  let tile_row = index % row_tiles * TILE_M;
  let tile_column = index / (row_tiles * params.groups) * TILE_N;
  let outputs = params.out_h * params.out_w;
  let columns = params.batch * outputs;
  if (tile_column >= columns) { // the same for the whole workgroup
    return;
  }
  let local = at.y * THREADS_X + at.x;

  // Of a this invocation copies one k, neighbours side by side, for every THREADS / STEP-th four channels.
  let a_k = local % STEP;
  let a_four = local / STEP;
  let weights = params.weight_first + i32(g) * params.weight_group;
  // Of b it copies four outputs, neighbours side by side, for every THREADS / (TILE_N / 4)-th k: where their images begin, and
  // the input under their first tap.
  let b_four = local % (TILE_N / 4u);
  let b_k = local / (TILE_N / 4u);
  // {{for j < 4}}
  let at{j} = min(tile_column + b_four * 4u + {j}u, columns - 1u);
  let first_y{j} = i32(at{j} % outputs / params.out_w * params.stride_y) - params.pad_y;
  let first_x{j} = i32(at{j} % params.out_w * params.stride_x) - params.pad_x;
  let first{j} = (i32((at{j} / outputs * params.groups + g) * params.depth * params.in_h) + first_y{j}) * i32(params.in_w) + first_x{j};
  // {{end}}

  // {{for p < ROWBLOCKS}}
  // {{for i < 4}}
  // {{for j < COLUMNBLOCKS}}
  var c{p}_{i}_{j} = vec4f();
  // {{end}}
  // {{end}}
  // {{end}}

  // Each turn loads a step, computes the step before it, and hands the loaded one to the others.
  var start = 0u; // the chunk's first input channel
  var end = min(params.chunk, params.depth) * TAPS; // the chunk's k
  var k = 0u; // the step's first, from the chunk's beginning
  var sums_chunk = false; // the step before was the last of its chunk,
  var is_first = true; // that was the first
  var step = 0u;
  loop {
    let loads = start < params.depth;
    // {{for s < A_COPIES}}
    var a_next{s} = vec4f();
    // {{end}}
    // {{for s < B_COPIES}}
    var b_next{s} = vec4f();
    // {{end}}
    if (loads) {
      if (k + a_k < end) {
        let d = start + (k + a_k) / TAPS;
        let tap = (k + a_k) % TAPS;
        let weight_at = weights + i32(d) * params.weight_depth + i32(tap / TAPS_X) * params.weight_y + i32(tap % TAPS_X) * params.weight_x;
        // {{for s < A_COPIES}}
        // {{for i < 4}}
        let row{s}_{i} = i32(min(tile_row + (a_four + {s}u * (THREADS / STEP)) * 4u + {i}u, params.rows - 1u));
        a_next{s}[{i}] = weight[weight_at + row{s}_{i} * params.weight_row];
        // {{end}}
        // {{end}}
      }
      // {{for s < B_COPIES}}
      // no branches: eight of them, one after another, take SwiftShader minutes to compile
      let k{s} = k + b_k + {s}u * (THREADS / (TILE_N / 4u));
      let y{s} = i32(k{s} % TAPS / TAPS_X);
      let x{s} = i32(k{s} % TAPS_X);
      let input_at{s} = (i32((start + k{s} / TAPS) * params.in_h) + y{s}) * i32(params.in_w) + x{s};
      // {{for j < 4}}
      let within{s}_{j} = (u32(first_y{j} + y{s}) < params.in_h) & (u32(first_x{j} + x{s}) < params.in_w); // above the input: huge
      let inside{s}_{j} = within{s}_{j} & (k{s} < end);
      b_next{s}[{j}] = select(0.0, input[select(0, first{j} + input_at{s}, inside{s}_{j})], inside{s}_{j});
      // {{end}}
      // {{end}}
    }

    if (step > 0u) {
      let a_base = ((step + 1u) & 1u) * (STEP * TILE_M / 4u) + at.y;
      let b_base = ((step + 1u) & 1u) * (STEP * TILE_N / 4u) + at.x;
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
      if (sums_chunk) {
        // A loop over an array, to keep the code small.
        var sums = array<vec4f, {ROWBLOCKS*4*COLUMNBLOCKS}>(
          // {{for j < COLUMNBLOCKS}}
          // {{for p < ROWBLOCKS}}
          // {{for i < 4}}
          c{p}_{i}_{j},
          // {{end}}
          // {{end}}
          // {{end}}
        );
        let flags = select(params.flags, 0u, loads);
        for (var j = 0u; j < {COLUMNBLOCKS*4}u; j++) {
          let column = tile_column + 4u * (j / 4u * THREADS_X + at.x) + j % 4u;
          let plane = column / outputs * params.groups * params.rows * params.plane + params.first;
          let place = plane + column % outputs / params.out_w * params.step_y + column % params.out_w * params.step_x;
          for (var i = 0u; i < {ROWBLOCKS*4}u; i++) {
            let row = tile_row + 4u * (i / 4u * THREADS_Y + at.y) + i % 4u;
            if (row < params.rows && column < columns) {
              let channel = g * params.rows + row;
              let output_at = place + channel * params.plane;
              let total = added(output_at, sums[j / 4u * {ROWBLOCKS*4}u + i][j % 4u], is_first);
              output[output_at] = finished(total, channel_of(channel, flags), addend_at(output_at, flags), flags);
            }
          }
        }
        is_first = false;
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

    let buffer = step & 1u;
    // {{for s < A_COPIES}}
    a_tile[buffer * (STEP * TILE_M / 4u) + a_k * (TILE_M / 4u) + a_four + {s}u * (THREADS / STEP)] = four(a_next{s});
    // {{end}}
    // {{for s < B_COPIES}}
    b_tile[buffer * (STEP * TILE_N / 4u) + (b_k + {s}u * (THREADS / (TILE_N / 4u))) * (TILE_N / 4u) + b_four] = four(b_next{s});
    // {{end}}
    workgroupBarrier(); // the step is complete
    step++;
    k += STEP;
    sums_chunk = k >= end;
    if (sums_chunk) {
      k = 0u;
      start += params.chunk;
      end = (min(start + params.chunk, params.depth) - min(start, params.depth)) * TAPS;
    }
  }
}
