// The weight gradient of weight_gradient.wgsl as a matrix product by tiles in workgroup memory: for GPUs. Same order of summation as
// weight_gradient_naive.wgsl, bit for bit.
//
// In each group: rows o of `gradient` [rows, K] times columns (c, i, j) of the inputs under them [K, depth * taps], where
// k = (n, y, x), x fastest. The second matrix is never made: its elements are found as they are copied.
//
// A template (../matmul/template.ts): THREADS_X x THREADS_Y invocations compute a tile of TILE_M channels x TILE_N weights of one span of
// chunks, in blocks of 4 x 4 as in correlate_workgroup.wgsl: c<p>_<i>_<j> is channel i of channel block p, weights of weight block j.
// In steps of 16 along k the workgroup copies both matrices' part into workgroup memory, neighbours along k, which is contiguous in both;
// what the next step needs is loaded before a step is computed, and stored into the other one of two buffers after it. The numbers of
// taps are constants, and each invocation walks along its k without dividing but at the end of a chunk.
//
// Bounds: workgroup memory is indexed by constants and ids whose ranges compilers know. Channels and weights past the end read the last
// one's elements and are not stored. Past the end of a chunk both matrices are 0: a chunk's sum of 0 is +0, so padding k with zeros does
// not show.

const STEP = 16u;
const TILE_M = {TILE_M}u;
const TILE_N = {TILE_N}u;
const THREADS_X = {THREADS_X}u;
const THREADS_Y = {THREADS_Y}u;
const THREADS = THREADS_X * THREADS_Y;
const TAPS_X = {TAPS_X}u;
const TAPS = {TAPS}u;

var<workgroup> a_tile: array<Four, {TILE_M*8}>; // [2, STEP, TILE_M / 4]: buffer, k, four channels
var<workgroup> b_tile: array<Four, {TILE_N*8}>; // [2, STEP, TILE_N / 4]: buffer, k, four weights

@compute @workgroup_size(THREADS_X, THREADS_Y)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_id) at: vec3u,
) {
  let columns = params.depth * TAPS;
  let row_tiles = (params.rows + TILE_M - 1u) / TILE_M;
  let column_tiles = (columns + TILE_N - 1u) / TILE_N;
  let index = group.y * grid.x + group.x;
  let tile_row = index % row_tiles * TILE_M;
  let tile_column = index / row_tiles % column_tiles * TILE_N;
  let g = index / (row_tiles * column_tiles) % params.groups;
  let split = index / (row_tiles * column_tiles * params.groups);
  let first = split * params.span;
  if (first >= params.chunks) { // the same for the whole workgroup
    return;
  }
  let local = at.y * THREADS_X + at.x;
  let out_plane = params.out_h * params.out_w;
  let in_plane = params.in_h * params.in_w;
  let last_k = params.batch * out_plane;
  let last_chunk = min(first + params.span, params.chunks);

  // This invocation copies one k, neighbours side by side, for every THREADS / STEP-th four channels and weights: n, y, x are its k.
  let own_k = local % STEP;
  let own_four = local / STEP;
  let first_k = first * params.chunk * params.out_w + own_k;
  var n = first_k / out_plane;
  var y = first_k % out_plane / params.out_w;
  var x = first_k % params.out_w;

  // What a step of k adds to them, apart from carries.
  let step_x = STEP % params.out_w;
  let step_y = STEP / params.out_w % params.out_h;
  let step_n = STEP / out_plane;

  // {{for p < ROWBLOCKS}}
  // {{for i < 4}}
  // {{for j < COLUMNBLOCKS}}
  var c{p}_{i}_{j} = vec4f();
  // {{end}}
  // {{end}}
  // {{end}}

  // Each turn loads a step, computes the step before it, and hands the loaded one to the others.
  var chunk = first;
  var k = first * params.chunk * params.out_w; // the step's first
  var end = min((chunk + 1u) * params.chunk * params.out_w, last_k);
  var sums_chunk = false; // the step before was the last of its chunk,
  var is_first = true; // that was the first
  var step = 0u;
  loop {
    let loads = chunk < last_chunk;
    // {{for s < A_COPIES}}
    var a_next{s} = vec4f();
    // {{end}}
    // {{for s < B_COPIES}}
    var b_next{s} = vec4f();
    // {{end}}
    if (loads && k + own_k < end) {
      let gradient_at = (n * params.groups + g) * params.rows * out_plane + y * params.out_w + x;
      // {{for s < A_COPIES}}
      // {{for i < 4}}
      let row{s}_{i} = min(tile_row + (own_four + {s}u * (THREADS / STEP)) * 4u + {i}u, params.rows - 1u);
      a_next{s}[{i}] = gradient[gradient_at + row{s}_{i} * out_plane];
      // {{end}}
      // {{end}}
      let image = (n * params.groups + g) * params.depth * in_plane;
      let first_y = i32(y * params.stride_y) - params.pad_y;
      let first_x = i32(x * params.stride_x) - params.pad_x;
      // {{for s < B_COPIES}}
      // {{for j < 4}}
      let column{s}_{j} = min(tile_column + (own_four + {s}u * (THREADS / STEP)) * 4u + {j}u, columns - 1u);
      let in_y{s}_{j} = u32(first_y + i32(column{s}_{j} % TAPS / TAPS_X)); // above the input: huge
      let in_x{s}_{j} = u32(first_x + i32(column{s}_{j} % TAPS_X));
      let inside{s}_{j} = (in_y{s}_{j} < params.in_h) & (in_x{s}_{j} < params.in_w);
      let input_at{s}_{j} = image + column{s}_{j} / TAPS * in_plane + in_y{s}_{j} * params.in_w + in_x{s}_{j};
      b_next{s}[{j}] = select(0.0, input[select(0u, input_at{s}_{j}, inside{s}_{j})], inside{s}_{j});
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
          // {{for p < ROWBLOCKS}}
          // {{for i < 4}}
          // {{for j < COLUMNBLOCKS}}
          c{p}_{i}_{j},
          // {{end}}
          // {{end}}
          // {{end}}
        );
        for (var i = 0u; i < {ROWBLOCKS*4}u; i++) {
          let row = tile_row + 4u * (i / 4u * THREADS_Y + at.y) + i % 4u;
          let weights = ((split * params.groups + g) * params.rows + row) * columns;
          for (var j = 0u; j < {COLUMNBLOCKS*4}u; j++) {
            let column = tile_column + 4u * (j / 4u * THREADS_X + at.x) + j % 4u;
            if (row < params.rows && column < columns) {
              store(weights + column, sums[i * {COLUMNBLOCKS}u + j / 4u][j % 4u], is_first);
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
    a_tile[buffer * (STEP * TILE_M / 4u) + own_k * (TILE_M / 4u) + own_four + {s}u * (THREADS / STEP)] = four(a_next{s});
    // {{end}}
    // {{for s < B_COPIES}}
    b_tile[buffer * (STEP * TILE_N / 4u) + own_k * (TILE_N / 4u) + own_four + {s}u * (THREADS / STEP)] = four(b_next{s});
    // {{end}}
    workgroupBarrier(); // the step is complete
    step++;
    k = min(k + STEP, end);
    sums_chunk = k == end;
    if (sums_chunk) {
      chunk++;
      end = min((chunk + 1u) * params.chunk * params.out_w, last_k);
      n = (k + own_k) / out_plane;
      y = (k + own_k) % out_plane / params.out_w;
      x = (k + own_k) % params.out_w;
    } else {
      x += step_x;
      y += step_y + select(0u, 1u, x >= params.out_w);
      x -= select(0u, params.out_w, x >= params.out_w);
      n += step_n + select(0u, 1u, y >= params.out_h);
      y -= select(0u, params.out_h, y >= params.out_h);
    }
  }
}
