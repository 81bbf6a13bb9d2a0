// The weight gradient of weight_gradient.wgsl as a matrix product by tiles in workgroup memory: for GPUs. Same order of summation as
// weight_gradient_naive.wgsl, bit for bit.
//
// In each group: rows o of `gradient` [rows, K] times columns (c, i, j) of the inputs under them [K, depth * taps], where
// k = (n, y, x), x fastest. The second matrix is never made: its elements are found as they are copied.
//
// A template (../matmul/template.ts): 64 invocations (8 x 8) compute a tile of 8 EDGE channels x 8 EDGE weights of one span of chunks,
// EDGE x EDGE each; c<i>_<j> is channel i, weights 4 j .. 4 j + 3 of an invocation's part. In steps of 16 along k the workgroup copies
// both matrices' part into workgroup memory (2 * 8 EDGE * 16 floats), neighbours along k, which is contiguous in both.
//
// Bounds: elements past the end of channels, weights and chunk are 0 in workgroup memory; what is past the end is not stored. A chunk's
// sum of 0 is +0, so padding k with zeros does not show.

const STEP = 16u;
const EDGE = {EDGE}u;
const TILE = {EDGE*8}u;

var<workgroup> a_tile: array<vec4f, {EDGE*32}>; // [STEP, TILE / 4]: k, four channels
var<workgroup> b_tile: array<vec4f, {EDGE*32}>; // [STEP, TILE / 4]: k, four weights

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let taps = params.taps_y * params.taps_x;
  let columns = params.depth * taps;
  let row_tiles = (params.rows + TILE - 1u) / TILE;
  let column_tiles = (columns + TILE - 1u) / TILE;
  let index = group.y * grid.x + group.x;
  let tile_row = index % row_tiles * TILE;
  let tile_column = index / row_tiles % column_tiles * TILE;
  let g = index / (row_tiles * column_tiles) % params.groups;
  let split = index / (row_tiles * column_tiles * params.groups);
  let first = split * params.span;
  if (first >= params.chunks) { // the same for the whole workgroup
    return;
  }
  let row = local / 8u * EDGE; // inside the tile
  let column = local % 8u * EDGE;
  let out_plane = params.out_h * params.out_w;
  let last_k = params.batch * out_plane;

  for (var chunk = first; chunk < min(first + params.span, params.chunks); chunk++) {
    let end = min((chunk + 1u) * params.chunk * params.out_w, last_k);
    // {{for i < EDGE}}
    // {{for j < QUADS}}
    var c{i}_{j} = vec4f();
    // {{end}}
    // {{end}}

    for (var k0 = chunk * params.chunk * params.out_w; k0 < end; k0 += STEP) {
      workgroupBarrier(); // every invocation has read the previous step's tiles
      let k = k0 + local % STEP;
      let n = k / out_plane;
      let y = k % out_plane / params.out_w;
      let x = k % params.out_w;
      for (var s = local / STEP; s < TILE / 4u; s += 64u / STEP) {
        var a = vec4f();
        for (var i = 0u; i < 4u; i++) {
          let o = tile_row + s * 4u + i;
          if (k < end && o < params.rows) {
            a[i] = gradient[((n * params.groups + g) * params.rows + o) * out_plane + k % out_plane];
          }
        }
        a_tile[local % STEP * (TILE / 4u) + s] = a;

        var b = vec4f();
        for (var j = 0u; j < 4u; j++) {
          let at = tile_column + s * 4u + j;
          let in_y = i32(y * params.stride_y + at % taps / params.taps_x) - params.pad_y;
          let in_x = i32(x * params.stride_x + at % params.taps_x) - params.pad_x;
          let inside = in_y >= 0 && in_y < i32(params.in_h) && in_x >= 0 && in_x < i32(params.in_w);
          if (k < end && at < columns && inside) {
            let channel = (n * params.groups + g) * params.depth + at / taps;
            b[j] = input[(channel * params.in_h + u32(in_y)) * params.in_w + u32(in_x)];
          }
        }
        b_tile[local % STEP * (TILE / 4u) + s] = b;
      }
      workgroupBarrier(); // both tiles are complete
      for (var s = 0u; s < STEP; s++) {
        // {{for j < QUADS}}
        let a{j} = a_tile[(s * TILE + row) / 4u + {j}u];
        let b{j} = b_tile[(s * TILE + column) / 4u + {j}u];
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
    for (var i = 0u; i < EDGE && tile_row + row + i < params.rows; i++) {
      let weights = ((split * params.groups + g) * params.rows + tile_row + row + i) * columns;
      for (var j = 0u; j < EDGE && tile_column + column + j < columns; j++) {
        let sum = sums[i * EDGE / 4u + j / 4u][j % 4u];
        store(weights + tile_column + column + j, sum, chunk == first);
      }
    }
  }
}
