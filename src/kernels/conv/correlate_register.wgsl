// The correlation of correlate.wgsl by register tiles alone: for software adapters, where workgroup memory and barriers are ruinous.
// Same order of summation as correlate_naive.wgsl, bit for bit.
//
// A template (../matmul/template.ts): an invocation computes ROWS output channels at TILE_H x TILE_W outputs; c<i>_<p>_<j> holds
// channel i at row p, column j. Workgroups have four invocations: four tiles that follow each other in the image (or in the next
// image), of the same channels. With QUAD (subgroups of exactly four) each loads a quarter of the weights and hands it to the others.
//
// A turn of the loop takes DEPTHS channels d, one row i of taps, and TAPS taps j of it. Where SLIDES, these are all taps of the row
// and the stride is STRIDE: a window of WINDOW inputs a tile row is loaded once and used for every tap. Otherwise TAPS is 1, and each
// tap loads its own inputs, at any stride.
//
// Why it looks like this (SwiftShader): a loaded component costs some 90 instructions, an fma 4 to 6, an accumulator 13 a turn. So few
// loads an fma, many fma a turn, and the fma of one accumulator in one chain of `let`, which keeps it in a register.
//
// Bounds: channels and outputs past the end compute something and are not stored; every load is inside its tensor.

// {{if QUAD}}
enable subgroups;
// {{end}}

const ROWS = {ROWS}u;
const TILE_H = {TILE_H}u;
const TILE_W = {TILE_W}u;

@compute @workgroup_size(4)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row_tiles = (params.rows + ROWS - 1u) / ROWS;
  let index = group.y * grid.x + group.x;
  let channel_tile = index % (params.groups * row_tiles);
  let g = channel_tile / row_tiles;
  let row = channel_tile % row_tiles * ROWS;
  let tiles_x = (params.out_w + TILE_W - 1u) / TILE_W;
  let tiles_y = (params.out_h + TILE_H - 1u) / TILE_H;
  let tiles = params.batch * tiles_y * tiles_x;
  let first_tile = index / (params.groups * row_tiles) * 4u;
  if (first_tile >= tiles) { // the same for all four
    return;
  }
  let tile = min(first_tile + lane, tiles - 1u);
  let x = tile % tiles_x * TILE_W;
  let y = tile / tiles_x % tiles_y * TILE_H;
  let n = tile / (tiles_x * tiles_y);

  let weights = params.weight_first + i32(g) * params.weight_group;
  // {{if QUAD}}
  // {{for r < ROWQUADS}}
  let weight_at{r} = weights + i32(min(row + {r*4}u + lane, params.rows - 1u)) * params.weight_row;
  // {{end}}
  // {{end}}
  // {{if SINGLE}}
  // {{for r < ROWS}}
  let weight_at{r} = weights + i32(min(row + {r}u, params.rows - 1u)) * params.weight_row;
  // {{end}}
  // {{end}}
  let in_plane = params.in_h * params.in_w;
  let image = (n * params.groups + g) * params.depth * in_plane;
  // {{for p < TILE_H}}
  let first_y{p} = i32((y + {p}u) * params.stride_y) - params.pad_y;
  // {{end}}
  // {{for v < WINDOW}}
  // {{if SLIDES}}
  let first_x{v} = i32(x * {STRIDE}u + {v}u) - params.pad_x;
  // {{end}}
  // {{if STEPS}}
  let first_x{v} = i32((x + {v}u) * params.stride_x) - params.pad_x;
  // {{end}}
  // {{end}}

  var start = 0u;
  loop {
    let end = min(start + params.chunk, params.depth);
    // {{for i < ROWS}}
    // {{for p < TILE_H}}
    // {{for j < TILE_W}}
    var c{i}_{p}_{j} = 0.0;
    // {{end}}
    // {{end}}
    // {{end}}

    for (var d = start; d < end; d += {DEPTHS}u) {
      for (var tap_y = 0u; tap_y < params.taps_y; tap_y++) {
        // {{if STEPS}}
        for (var tap_x = 0u; tap_x < params.taps_x; tap_x++) {
        let weight_shift = i32(d) * params.weight_depth + i32(tap_y) * params.weight_y + i32(tap_x) * params.weight_x;
        // {{end}}
        // {{if SLIDES}}
        let weight_shift = i32(d) * params.weight_depth + i32(tap_y) * params.weight_y;
        const tap_x = 0u;
        // {{end}}

        // w<i>_<e>_<t>: channel i's weight of depth e, tap t
        // {{for e < DEPTHS}}
        // {{for t < TAPS}}
        let weight_shift_{e}_{t} = weight_shift + {e} * params.weight_depth + {t} * params.weight_x;
        // {{for r < LOADS}}
        let mine{r}_{e}_{t} = weight[weight_at{r} + weight_shift_{e}_{t}];
        // {{end}}
        // {{for i < ROWS}}
        // {{if QUAD}}
        let w{i}_{e}_{t} = quadBroadcast(mine{i/4}_{e}_{t}, {i%4}u);
        // {{end}}
        // {{if SINGLE}}
        let w{i}_{e}_{t} = mine{i}_{e}_{t};
        // {{end}}
        // {{end}}
        // {{end}}
        // {{end}}

        // x<e>_<p>_<v>: the input of depth e under row p, column v of the window
        // {{for v < WINDOW}}
        let in_x{v} = u32(first_x{v} + i32(tap_x)); // left of the input: huge
        let in_columns{v} = in_x{v} < params.in_w;
        // {{end}}
        // {{for p < TILE_H}}
        let in_y{p} = u32(first_y{p} + i32(tap_y));
        let in_rows{p} = in_y{p} < params.in_h;
        let line{p} = image + d * in_plane + in_y{p} * params.in_w;
        // {{for v < WINDOW}}
        let inside{p}_{v} = in_rows{p} & in_columns{v};
        let at{p}_{v} = select(0u, line{p} + in_x{v}, inside{p}_{v});
        // {{for e < DEPTHS}}
        let x{e}_{p}_{v} = select(0.0, input[at{p}_{v} + {e}u * in_plane], inside{p}_{v});
        // {{end}}
        // {{end}}
        // {{end}}

        // {{for i < ROWS}}
        // {{for p < TILE_H}}
        // {{for j < TILE_W}}
        let s{i}_{p}_{j}_0 = c{i}_{p}_{j};
        // {{for e < DEPTHS}}
        // {{for t < TAPS}}
        let s{i}_{p}_{j}_{e*TAPS+t+1} = fma(w{i}_{e}_{t}, x{e}_{p}_{j*STRIDE+t}, s{i}_{p}_{j}_{e*TAPS+t});
        // {{end}}
        // {{end}}
        c{i}_{p}_{j} = s{i}_{p}_{j}_{DEPTHS*TAPS};
        // {{end}}
        // {{end}}
        // {{end}}
        // {{if STEPS}}
        }
        // {{end}}
      }
    }

    // Adds the chunk's sums to the totals. A loop over an array, to keep the code small.
    var sums = array<f32, ROWS * TILE_H * TILE_W>(
      // {{for i < ROWS}}
      // {{for p < TILE_H}}
      // {{for j < TILE_W}}
      c{i}_{p}_{j},
      // {{end}}
      // {{end}}
      // {{end}}
    );
    let is_last = end == params.depth;
    if (first_tile + lane < tiles) {
      for (var i = 0u; i < ROWS && row + i < params.rows; i++) {
        let channel = g * params.rows + row + i;
        let plane_at = (n * params.groups * params.rows + channel) * params.plane + params.first;
        for (var p = 0u; p < TILE_H && y + p < params.out_h; p++) {
          for (var j = 0u; j < TILE_W && x + j < params.out_w; j++) {
            let at = plane_at + (y + p) * params.step_y + (x + j) * params.step_x;
            store(at, channel, sums[(i * TILE_H + p) * TILE_W + j], start == 0u, is_last);
          }
        }
      }
    }
    if (is_last) {
      break;
    }
    start = end;
  }
}
