// The correlation of correlate.wgsl by register tiles alone: for software adapters, where workgroup memory and barriers are ruinous.
// Same order of summation as correlate_naive.wgsl, bit for bit.
//
// A template (../matmul/template.ts): an invocation computes ROWS output channels at a tile of OUTPUTS = TILE_H x TILE_W outputs;
// c<i>_<o> holds channel i, output o. Workgroups have four invocations: four tiles that follow each other in the image (or in the next
// image), of the same channels. With QUAD (subgroups of exactly four) each loads a quarter of the weights and swaps it with the others:
// in lane l, c<i> holds channel row + (i ^ l) (why: ../matmul/matmul_register.wgsl).
//
// A turn of the loop takes DEPTHS channels d, one row i of taps, and TAPS taps j of it. Where SLIDES, these are all taps of the row
// and the stride is STRIDE: a window of WINDOW inputs a tile row is loaded once and used for every tap. Otherwise (STEPS) TAPS is 1,
// and each tap loads its own inputs, at any stride. DEPTHS is above 1 only for 1 x 1 kernels.
//
// Why it looks like this (SwiftShader; numbers in docs/performance.md): machine code is straight and long, so every byte of it counts.
// A load, of a uniform too, is some 90 instructions, an fma 4 to 6, an accumulator 13 for every turn of every loop around it, `&&` two
// blocks; what stands in a branch is computed whether or not anyone takes it. So: one flat loop, few loads an fma, masks and clamped places
// instead of branches, and ADDS (or PLAIN) for whether there is an addend.
//
// Bounds: channels and outputs past the end compute something and are not stored; every load is inside its tensor.

// {{if QUAD}}
enable subgroups;
// {{end}}

const ROWS = {ROWS}u;
const TILE_H = {TILE_H}u;
const TILE_W = {TILE_W}u;
const OUTPUTS = {OUTPUTS}u;
const TAPS = {TAPS}u;
const DEPTHS = {DEPTHS}u;

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
  let flip = lane & {SWAPS}u;
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
  // Parameters that loops need: reading a uniform costs as much as any other load.
  let in_w = params.in_w;
  let in_h = params.in_h;
  let in_plane = in_h * in_w;
  let last_x = i32(in_w) - 1;
  let last_y = i32(in_h) - 1;
  let taps_y = params.taps_y;
  let taps_x = params.taps_x;
  let weight_depth = params.weight_depth;
  let weight_y = params.weight_y;
  let weight_x = params.weight_x;
  let out_h = params.out_h;
  let out_w = params.out_w;
  let step_y = params.step_y;
  let step_x = params.step_x;
  let image = (n * params.groups + g) * params.depth * in_plane;
  // {{for p < TILE_H}}
  let first_y{p} = i32((y + {p}u) * params.stride_y) - params.pad_y;
  // {{end}}
  // {{for v < WINDOW}}
  // {{if SLIDES}}
  let in_x{v} = i32(x * {STRIDE}u + {v}u) - params.pad_x;
  let mask_x{v} = select(0u, 0xffffffffu, u32(in_x{v}) < in_w); // left of the input: huge
  let column{v} = u32(clamp(in_x{v}, 0, last_x));
  // {{end}}
  // {{if STEPS}}
  let first_x{v} = i32((x + {v}u) * params.stride_x) - params.pad_x;
  // {{end}}
  // {{end}}

  var start = 0u;
  loop {
    let end = min(start + params.chunk, params.depth);
    // {{for i < ROWS}}
    // {{for o < OUTPUTS}}
    var c{i}_{o} = 0.0;
    // {{end}}
    // {{end}}

    // One loop, not one in another: each turn of each loop costs 13 instructions for every accumulator.
    var d = select(start, end, taps_y == 0u || taps_x == 0u);
    var tap_y = 0u;
    var tap_x = 0u;
    while (d < end) {
      // w<i>_<e>_<t>: channel i's weight of depth e, tap t
      let weight_shift = i32(d) * weight_depth + i32(tap_y) * weight_y + i32(tap_x) * weight_x;
      // {{for e < DEPTHS}}
      // {{for t < TAPS}}
      let weight_shift_{e}_{t} = weight_shift + {e} * weight_depth + {t} * weight_x;
      // {{for r < LOADS}}
      let mine{r}_{e}_{t} = operand(weight[weight_at{r} + weight_shift_{e}_{t}]);
      // {{end}}
      // {{if QUAD}}
      // {{for r < ROWQUADS}}
      let w{r*4}_{e}_{t} = mine{r}_{e}_{t};
      let w{r*4+1}_{e}_{t} = quadSwapX(mine{r}_{e}_{t});
      let w{r*4+2}_{e}_{t} = quadSwapY(mine{r}_{e}_{t});
      let w{r*4+3}_{e}_{t} = quadSwapDiagonal(mine{r}_{e}_{t});
      // {{end}}
      // {{end}}
      // {{if SINGLE}}
      // {{for i < ROWS}}
      let w{i}_{e}_{t} = mine{i}_{e}_{t};
      // {{end}}
      // {{end}}
      // {{end}}
      // {{end}}

      // x<e>_<p>_<v>: the input of depth e under tile row p, column v of the window; 0 outside, by a mask on what lies next to it
      // {{if STEPS}}
      // {{for v < WINDOW}}
      let in_x{v} = first_x{v} + i32(tap_x);
      let mask_x{v} = select(0u, 0xffffffffu, u32(in_x{v}) < in_w);
      let column{v} = u32(clamp(in_x{v}, 0, last_x));
      // {{end}}
      // {{end}}
      // {{for p < TILE_H}}
      let in_y{p} = first_y{p} + i32(tap_y);
      let mask_y{p} = select(0u, 0xffffffffu, u32(in_y{p}) < in_h);
      let line{p} = image + d * in_plane + u32(clamp(in_y{p}, 0, last_y)) * in_w;
      // {{for e < DEPTHS}}
      // {{for v < TAPS}}
      let bits{e}_{p}_{v} = bitcast<u32>(operand(input[line{p} + {e}u * in_plane + column{v}]));
      let x{e}_{p}_{v} = bitcast<f32>(bits{e}_{p}_{v} & mask_x{v} & mask_y{p});
      // {{end}}
      // {{end}}

      // Column by column, with what the next one needs loaded in between: a load begins new blocks, as a call does in matmul_packed.wgsl.
      // {{for j < TILE_W}}
      // {{for i < ROWS}}
      let s{i}_{p}_{j}_0 = c{i}_{p*TILE_W+j};
      // {{for e < DEPTHS}}
      // {{for t < TAPS}}
      let s{i}_{p}_{j}_{e*TAPS+t+1} = fma(w{i}_{e}_{t}, x{e}_{p}_{j*STRIDE+t}, s{i}_{p}_{j}_{e*TAPS+t});
      // {{end}}
      // {{end}}
      c{i}_{p*TILE_W+j} = s{i}_{p}_{j}_{DEPTHS*TAPS};
      // {{end}}
      // {{if j+1%TILE_W}}
      // {{for e < DEPTHS}}
      // {{for v < STRIDE}}
      let bits{e}_{p}_{j*STRIDE+TAPS+v} = bitcast<u32>(operand(input[line{p} + {e}u * in_plane + column{j*STRIDE+TAPS+v}]));
      let x{e}_{p}_{j*STRIDE+TAPS+v} = bitcast<f32>(bits{e}_{p}_{j*STRIDE+TAPS+v} & mask_x{j*STRIDE+TAPS+v} & mask_y{p});
      // {{end}}
      // {{end}}
      // {{end}}
      // {{end}}
      // {{end}}

      tap_x += TAPS;
      let row_ends = tap_x >= taps_x;
      tap_x = select(tap_x, 0u, row_ends);
      tap_y = select(tap_y, tap_y + 1u, row_ends);
      let depth_ends = tap_y == taps_y;
      tap_y = select(tap_y, 0u, depth_ends);
      d = select(d, d + DEPTHS, depth_ends);
    }

    // Adds the chunk's sums to the totals. A loop over channels, to keep the code small.
    var sums = array<vec4f, ROWS * OUTPUTS / 4u>(
      // {{for i < ROWS}}
      // {{for q < QUADS}}
      vec4f(c{i}_{q*4}, c{i}_{q*4+1}, c{i}_{q*4+2}, c{i}_{q*4+3}),
      // {{end}}
      // {{end}}
    );
    let is_last = end == params.depth;
    let flags = select(0u, params.flags, is_last);
    let rows = select(0u, params.rows, first_tile + lane < tiles);
    let first_channel = g * params.rows;
    let first_plane = n * params.groups * params.rows + first_channel;
    let plane = params.plane;
    let place = params.first + y * step_y + x * step_x;
    if (start > 0u) {
      for (var k = 0u; k < ROWS * OUTPUTS; k++) {
        let out_row = row + ((k / OUTPUTS) ^ flip);
        let down = k % OUTPUTS / TILE_W;
        let across = k % TILE_W;
        if ((out_row < rows) & (y + down < out_h) & (x + across < out_w)) {
          sums[k / 4u][k % 4u] += output[(first_plane + out_row) * plane + place + down * step_y + across * step_x];
        }
      }
    }
    for (var i = 0u; i < ROWS; i++) {
      let out_row = row + (i ^ flip);
      if (out_row >= rows) {
        continue;
      }
      let channel = channel_of(first_channel + out_row, flags);
      let first_at = (first_plane + out_row) * plane + place;
      // {{for q < QUADS}}
      let sums{q} = sums[i * (OUTPUTS / 4u) + {q}u];
      // {{end}}
      // {{for p < TILE_H}}
      let line{p}_at = first_at + {p}u * step_y;
      // {{for j < TILE_W}}
      if ((y + {p}u < out_h) & (x + {j}u < out_w)) {
        let at = line{p}_at + {j}u * step_x;
        let total = sums{p*TILE_W+j/4}[{p*TILE_W+j%4}];
        // {{if ADDS}}
        let other = addend[at];
        // {{end}}
        // {{if PLAIN}}
        let other = 0.0;
        // {{end}}
        output[at] = finished(total, channel, other, flags);
      }
      // {{end}}
      // {{end}}
    }
    if (is_last) {
      break;
    }
    start = end;
  }
}
