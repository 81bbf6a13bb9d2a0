// The weight gradient of weight_gradient.wgsl by register tiles alone: for software adapters, where workgroup memory and barriers are
// ruinous. Same order of summation as weight_gradient_naive.wgsl, bit for bit.
//
// A template (../matmul/template.ts): an invocation computes ROWS output channels o by UNITS units by TAPS taps, for one span of chunks;
// c<i>_<u>_<t> holds channel i, unit u, tap t. Where SLIDES, a unit is a row (c, i) of taps, TAPS are its taps j and the stride is
// STRIDE: a window of WINDOW inputs serves all of them. Otherwise a unit is one tap (c, i, j), at any stride.
// Workgroups have four invocations: four tiles that follow each other, units fastest. With QUAD (subgroups of exactly four) they are of
// the same channels o; each loads a quarter of the gradient's part and swaps it with the others: in lane l, c<i> holds channel row + (i ^ l)
// (why: ../matmul/matmul_register.wgsl).
//
// A turn of the loop takes POSITIONS outputs x of a line, a number that divides out_w. See correlate_register.wgsl for why.
//
// Bounds: channels and units past the end compute something and are not stored; every load is inside its tensor.

// {{if QUAD}}
enable subgroups;
// {{end}}

const ROWS = {ROWS}u;
const UNITS = {UNITS}u;
const TAPS = {TAPS}u;

@compute @workgroup_size(4)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row_tiles = (params.rows + ROWS - 1u) / ROWS;
  let units = params.depth * params.taps_y * params.taps_x / TAPS;
  let index = group.y * grid.x + group.x;
  // {{if QUAD}}
  let quads = (units + 4u * UNITS - 1u) / (4u * UNITS);
  let first_unit = (index % quads * 4u + lane) * UNITS;
  let others = index / quads;
  // {{end}}
  // {{if SINGLE}}
  let unit_tiles = (units + UNITS - 1u) / UNITS;
  let first_unit = (index * 4u + lane) % unit_tiles * UNITS;
  let others = (index * 4u + lane) / unit_tiles;
  // {{end}}
  let flip = lane & {SWAPS}u;
  let row = others % row_tiles * ROWS;
  let g = others / row_tiles % params.groups;
  let split = others / (row_tiles * params.groups);
  let first = split * params.span;
  if (first >= params.chunks) { // with QUAD the same for all four
    return;
  }

  let out_plane = params.out_h * params.out_w;
  let in_plane = params.in_h * params.in_w;
  // {{if QUAD}}
  // {{for r < ROWQUADS}}
  let gradient_at{r} = (g * params.rows + min(row + {r*4}u + lane, params.rows - 1u)) * out_plane;
  // {{end}}
  // {{end}}
  // {{if SINGLE}}
  // {{for r < ROWS}}
  let gradient_at{r} = (g * params.rows + min(row + {r}u, params.rows - 1u)) * out_plane;
  // {{end}}
  // {{end}}
  // Parameters that the loop needs: reading a uniform costs as much as any other load.
  let out_h = params.out_h;
  let out_w = params.out_w;
  let in_w = params.in_w;
  let last_x = i32(in_w) - 1;
  let last_y = i32(params.in_h) - 1;
  let stride_y = params.stride_y;
  let pad_x = params.pad_x;
  let stride_x = params.stride_x;
  let image_size = params.groups * params.depth * in_plane;
  let gradient_size = params.groups * params.rows * out_plane;
  // {{for u < UNITS}}
  let unit{u} = min(first_unit + {u}u, units - 1u);
  // {{if SLIDES}}
  let channel{u} = unit{u} / params.taps_y;
  let shift_y{u} = i32(unit{u} % params.taps_y) - params.pad_y;
  // {{end}}
  // {{if STEPS}}
  let channel{u} = unit{u} / (params.taps_y * params.taps_x);
  let shift_y{u} = i32(unit{u} / params.taps_x % params.taps_y) - params.pad_y;
  let shift_x{u} = i32(unit{u} % params.taps_x) - params.pad_x;
  // {{end}}
  let plane{u} = (g * params.depth + channel{u}) * in_plane;
  // {{end}}

  let lines = params.batch * out_h;
  for (var chunk = first; chunk < min(first + params.span, params.chunks); chunk++) {
    // {{for i < ROWS}}
    // {{for u < UNITS}}
    // {{for t < TAPS}}
    var c{i}_{u}_{t} = 0.0;
    // {{end}}
    // {{end}}
    // {{end}}

    // One loop, not one in another: each turn of each loop costs 13 instructions for every accumulator.
    var line = chunk * params.chunk;
    let end = select(0u, min(line + params.chunk, lines), out_w > 0u);
    var n = line / out_h;
    var y = line % out_h;
    var x = 0u;
    while (line < end) {
      // g<i>_<q>: channel i's gradient at position q
      let gradient_line = n * gradient_size + y * out_w + x;
      // {{for q < POSITIONS}}
      // {{for r < LOADS}}
      let mine{r}_{q} = operand(gradient[gradient_line + gradient_at{r} + {q}u]);
      // {{end}}
      // {{if QUAD}}
      // {{for r < ROWQUADS}}
      let g{r*4}_{q} = mine{r}_{q};
      let g{r*4+1}_{q} = quadSwapX(mine{r}_{q});
      let g{r*4+2}_{q} = quadSwapY(mine{r}_{q});
      let g{r*4+3}_{q} = quadSwapDiagonal(mine{r}_{q});
      // {{end}}
      // {{end}}
      // {{if SINGLE}}
      // {{for i < ROWS}}
      let g{i}_{q} = mine{i}_{q};
      // {{end}}
      // {{end}}
      // {{end}}

      // x<u>_<v>: unit u's input, column v of the window
      // {{if SLIDES}}
      // {{for v < WINDOW}}
      let window{v} = i32(x * {STRIDE}u + {v}u) - pad_x;
      let mask_x{v} = select(0u, 0xffffffffu, u32(window{v}) < in_w);
      let in_x{v} = u32(clamp(window{v}, 0, last_x));
      // {{end}}
      // {{end}}
      // {{for u < UNITS}}
      let line_y{u} = i32(y * stride_y) + shift_y{u};
      let mask_y{u} = select(0u, 0xffffffffu, line_y{u} >= 0) & select(0u, 0xffffffffu, line_y{u} <= last_y);
      let line{u} = n * image_size + plane{u} + u32(clamp(line_y{u}, 0, last_y)) * in_w;
      // {{for v < WINDOW}}
      // {{if SLIDES}}
      let x{u}_{v} = bitcast<f32>(bitcast<u32>(operand(input[line{u} + in_x{v}])) & mask_x{v} & mask_y{u});
      // {{end}}
      // {{if STEPS}}
      let window{u}_{v} = i32((x + {v}u) * stride_x) + shift_x{u};
      let mask_x{u}_{v} = select(0u, 0xffffffffu, u32(window{u}_{v}) < in_w);
      let in_x{u}_{v} = u32(clamp(window{u}_{v}, 0, last_x));
      let x{u}_{v} = bitcast<f32>(bitcast<u32>(operand(input[line{u} + in_x{u}_{v}])) & mask_x{u}_{v} & mask_y{u});
      // {{end}}
      // {{end}}
      // {{end}}

      // {{for i < ROWS}}
      // {{for u < UNITS}}
      // {{for t < TAPS}}
      let s{i}_{u}_{t}_0 = c{i}_{u}_{t};
      // {{for q < POSITIONS}}
      let s{i}_{u}_{t}_{q+1} = fma(g{i}_{q}, x{u}_{q*STRIDE+t}, s{i}_{u}_{t}_{q});
      // {{end}}
      c{i}_{u}_{t} = s{i}_{u}_{t}_{POSITIONS};
      // {{end}}
      // {{end}}
      // {{end}}

      x += {POSITIONS}u;
      let line_ends = x == out_w;
      x = select(x, 0u, line_ends);
      line = select(line, line + 1u, line_ends);
      y = select(y, y + 1u, line_ends);
      let image_ends = y == out_h;
      y = select(y, 0u, image_ends);
      n = select(n, n + 1u, image_ends);
    }

    // Adds the chunk's sums to the totals. A loop over an array, to keep the code small.
    var sums = array<f32, ROWS * UNITS * TAPS>(
      // {{for i < ROWS}}
      // {{for u < UNITS}}
      // {{for t < TAPS}}
      c{i}_{u}_{t},
      // {{end}}
      // {{end}}
      // {{end}}
    );
    for (var i = 0u; i < ROWS; i++) {
      let channel = row + (i ^ flip);
      if (channel >= params.rows) {
        continue;
      }
      let weights = ((split * params.groups + g) * params.rows + channel) * units * TAPS;
      for (var k = 0u; k < UNITS * TAPS && first_unit * TAPS + k < units * TAPS; k++) {
        store(weights + first_unit * TAPS + k, sums[i * UNITS * TAPS + k], chunk == first);
      }
    }
  }
}
