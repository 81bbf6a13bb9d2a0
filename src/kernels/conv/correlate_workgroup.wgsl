// The correlation of correlate.wgsl as a matrix product by tiles in workgroup memory: for GPUs. Same order of summation as
// correlate_naive.wgsl, bit for bit.
//
// In each group: rows r of `weight` [rows, K] times columns (n, y, x) of the inputs under them [K, N * out_h * out_w], where
// k = (d, i, j), j fastest. The second matrix is never made: its elements are found as they are copied.
//
// A template (../matmul/template.ts): 64 invocations (8 x 8) compute a tile of 8 EDGE channels x 8 EDGE outputs, EDGE x EDGE each;
// c<i>_<j> is channel i, outputs 4 j .. 4 j + 3 of an invocation's part. In steps of 16 along k the workgroup copies both matrices' part
// into workgroup memory (2 * 8 EDGE * 16 floats). Each invocation always copies the same four outputs' inputs, so it takes their
// coordinates apart once.
//
// Bounds: elements past the end of channels, outputs and chunk are 0 in workgroup memory; what is past the end is not stored. A total
// of 0 is +0, so padding k with zeros does not show.

const STEP = 16u;
const EDGE = {EDGE}u;
const TILE = {EDGE*8}u;

var<workgroup> a_tile: array<vec4f, {EDGE*32}>; // [STEP, TILE / 4]: k, four channels
var<workgroup> b_tile: array<vec4f, {EDGE*32}>; // [STEP, TILE / 4]: k, four outputs

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row_tiles = (params.rows + TILE - 1u) / TILE;
  let index = group.y * grid.x + group.x;
  let g = index / row_tiles % params.groups;
  let tile_row = index % row_tiles * TILE;
  let tile_column = index / (row_tiles * params.groups) * TILE;
  let outputs = params.out_h * params.out_w;
  let columns = params.batch * outputs;
  if (tile_column >= columns) { // the same for the whole workgroup
    return;
  }
  let row = local / 8u * EDGE; // inside the tile
  let column = local % 8u * EDGE;

  // The four outputs whose inputs this invocation copies: where their channels begin, and the input under their first tap.
  let copied = local % (TILE / 4u);
  // {{for j < 4}}
  let at{j} = tile_column + copied * 4u + {j}u;
  let image{j} = (at{j} / outputs * params.groups + g) * params.depth;
  let first_x{j} = i32(at{j} % params.out_w * params.stride_x) - params.pad_x;
  let first_y{j} = select( // past the end: never inside
    -0x40000000,
    i32(at{j} % outputs / params.out_w * params.stride_y) - params.pad_y,
    at{j} < columns,
  );
  // {{end}}
  let weights = params.weight_first + i32(g) * params.weight_group;
  let taps = params.taps_y * params.taps_x;

  var start = 0u;
  loop {
    let end = min(start + params.chunk, params.depth);
    // {{for i < EDGE}}
    // {{for j < QUADS}}
    var c{i}_{j} = vec4f();
    // {{end}}
    // {{end}}

    for (var k0 = start * taps; k0 < end * taps; k0 += STEP) {
      workgroupBarrier(); // every invocation has read the previous step's tiles
      for (var s = local; s < STEP * TILE / 4u; s += 64u) {
        // neighbours read neighbouring weights along k, and neighbouring inputs along x
        let k_a = k0 + s % STEP;
        let weight_at = weights + i32(k_a / taps) * params.weight_depth
          + i32(k_a % taps / params.taps_x) * params.weight_y + i32(k_a % params.taps_x) * params.weight_x;
        let rows_at = tile_row + s / STEP * 4u;
        var a = vec4f();
        for (var i = 0u; i < 4u; i++) {
          if (k_a < end * taps && rows_at + i < params.rows) {
            a[i] = weight[weight_at + i32(rows_at + i) * params.weight_row];
          }
        }
        a_tile[s % STEP * (TILE / 4u) + s / STEP] = a;

        let k_b = k0 + s / (TILE / 4u);
        let depth_b = k_b / taps;
        let tap_y = i32(k_b % taps / params.taps_x);
        let tap_x = i32(k_b % params.taps_x);
        var b = vec4f();
        // {{for j < 4}}
        let in_y{j} = first_y{j} + tap_y;
        let in_x{j} = first_x{j} + tap_x;
        let inside{j} = in_y{j} >= 0 && in_y{j} < i32(params.in_h) && in_x{j} >= 0 && in_x{j} < i32(params.in_w);
        if (k_b < end * taps && inside{j}) {
          b[{j}] = input[((image{j} + depth_b) * params.in_h + u32(in_y{j})) * params.in_w + u32(in_x{j})];
        }
        // {{end}}
        b_tile[s] = b; // s % (TILE / 4) is `copied`
      }
      workgroupBarrier(); // both tiles are complete
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
    }

    var sums = array<vec4f, EDGE * EDGE / 4u>(
      // {{for i < EDGE}}
      // {{for j < QUADS}}
      c{i}_{j},
      // {{end}}
      // {{end}}
    );
    let is_last = end == params.depth;
    for (var i = 0u; i < EDGE && tile_row + row + i < params.rows; i++) {
      let channel = g * params.rows + tile_row + row + i;
      for (var j = 0u; j < EDGE && tile_column + column + j < columns; j++) {
        let at = tile_column + column + j;
        let plane_at = (at / outputs * params.groups * params.rows + channel) * params.plane + params.first;
        let output_at = plane_at + at % outputs / params.out_w * params.step_y + at % params.out_w * params.step_x;
        let total = added(output_at, sums[i * EDGE / 4u + j / 4u][j % 4u], start == 0u);
        output[output_at] = finished(total, bias_of(channel), scale_of(channel), shift_of(channel), is_last);
      }
    }
    if (is_last) {
      break;
    }
    start = end;
  }
}
