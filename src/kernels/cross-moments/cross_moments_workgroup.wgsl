// The cross moments of cross_moments.wgsl as a matrix product by tiles in workgroup memory: for GPUs. Same order of summation as
// cross_moments_naive.wgsl, bit for bit.
//
// A template (../matmul/template.ts): 64 invocations (8 x 8) compute a tile of 8 EDGE rows x 8 EDGE columns of one span of chunks,
// EDGE x EDGE each; c<i>_<j> is row i, columns 4 j .. 4 j + 3 of an invocation's part. In steps of 16 along k the workgroup copies
// a's and b's part, less the shifts, into workgroup memory (2 * 8 EDGE * 16 floats and 16 EDGE shifts). The copying walks along
// whichever axis is contiguous: k where inner > 1, channels else.
//
// Bounds: elements past the end of rows, columns and chunk are 0 in workgroup memory; what is past the end is not stored. A chunk's
// sum of 0 is +0, so padding k with zeros does not show.

const STEP = 16u; // divides CHUNK
const EDGE = {EDGE}u;
const TILE = {EDGE*8}u;

@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;

var<workgroup> a_tile: array<vec4f, {EDGE*32}>; // [STEP, TILE / 4]: k, four rows
var<workgroup> b_tile: array<vec4f, {EDGE*32}>; // [STEP, TILE / 4]: k, four columns
var<workgroup> a_shifts: array<f32, TILE>;
var<workgroup> b_shifts: array<f32, TILE>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row_tiles = (params.rows + TILE - 1u) / TILE;
  let column_tiles = (params.columns + TILE - 1u) / TILE;
  let index = group.y * grid.x + group.x;
  let tile_row = index % row_tiles * TILE;
  let tile_column = index / row_tiles % column_tiles * TILE;
  let split = index / (row_tiles * column_tiles);
  let first = split * params.span;
  let below = params.symmetric != 0u && tile_row > tile_column;
  if (first >= params.chunks || below) { // the same for the whole workgroup
    return;
  }
  let row = local / 8u * EDGE; // inside the tile
  let column = local % 8u * EDGE;
  for (var i = local; i < TILE; i += 64u) { // complete at the loop's first barrier
    a_shifts[i] = shift_a[min(tile_row + i, params.rows - 1u)];
    b_shifts[i] = shift_b[min(tile_column + i, params.columns - 1u)];
  }

  for (var chunk = first; chunk < min(first + params.span, params.chunks); chunk++) {
    let end = min((chunk + 1u) * CHUNK, params.total);
    // {{for i < EDGE}}
    // {{for j < QUADS}}
    var c{i}_{j} = vec4f();
    // {{end}}
    // {{end}}

    for (var k0 = chunk * CHUNK; k0 < end; k0 += STEP) {
      workgroupBarrier(); // every invocation has read the previous step's tiles
      for (var s = local; s < STEP * TILE / 4u; s += 64u) {
        // neighbours read neighbouring memory
        let along_k = vec2u(s % STEP, s / STEP);
        let across = vec2u(s / (TILE / 4u), s % (TILE / 4u));
        let at = select(across, along_k, params.inner > 1u);
        let k = k0 + at.x;
        let n = k / params.inner;
        let p = k % params.inner;
        var x = vec4f();
        var y = vec4f();
        for (var i = 0u; i < 4u; i++) {
          let channel = at.y * 4u + i; // inside the tile
          if (k < end && tile_row + channel < params.rows) {
            x[i] = a[(n * params.rows + tile_row + channel) * params.inner + p] - a_shifts[channel];
          }
          if (k < end && tile_column + channel < params.columns) {
            y[i] = b[(n * params.columns + tile_column + channel) * params.inner + p] - b_shifts[channel];
          }
        }
        a_tile[at.x * (TILE / 4u) + at.y] = x;
        b_tile[at.x * (TILE / 4u) + at.y] = y;
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
      let at = (split * params.rows + tile_row + row + i) * params.columns + tile_column + column;
      for (var j = 0u; j < EDGE && tile_column + column + j < params.columns; j++) {
        store(at + j, sums[i * EDGE / 4u + j / 4u][j % 4u], chunk == first);
      }
    }
  }
}
