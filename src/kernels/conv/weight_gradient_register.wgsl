// The weight gradient of weight_gradient.wgsl by register tiles alone: for software adapters, where workgroup memory and barriers are
// ruinous. Same order of summation as weight_gradient_naive.wgsl, bit for bit.
//
// A template (../matmul/template.ts): an invocation computes ROWS output channels o by UNITS units by TAPS taps, for one span of chunks;
// c<i>_<u>_<t> holds channel i, unit u, tap t. Where SLIDES, a unit is a row (c, i) of taps, TAPS are its taps j and the stride is
// STRIDE: a window of WINDOW inputs serves all of them. Otherwise a unit is one tap (c, i, j), at any stride.
// Workgroups have four invocations: four tiles that follow each other, units fastest. With QUAD (subgroups of exactly four) they are of
// the same channels o, and each loads a quarter of the gradient's part and hands it to the others.
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
  // {{for u < UNITS}}
  let unit{u} = min(first_unit + {u}u, units - 1u);
  // {{if SLIDES}}
  let channel{u} = unit{u} / params.taps_y;
  let shift_y{u} = i32(unit{u} % params.taps_y) - params.pad_y;
  const shift_x{u} = 0;
  // {{end}}
  // {{if STEPS}}
  let channel{u} = unit{u} / (params.taps_y * params.taps_x);
  let shift_y{u} = i32(unit{u} / params.taps_x % params.taps_y) - params.pad_y;
  let shift_x{u} = i32(unit{u} % params.taps_x);
  // {{end}}
  let plane{u} = (g * params.depth + channel{u}) * in_plane;
  // {{end}}

  let lines = params.batch * params.out_h;
  for (var chunk = first; chunk < min(first + params.span, params.chunks); chunk++) {
    // {{for i < ROWS}}
    // {{for u < UNITS}}
    // {{for t < TAPS}}
    var c{i}_{u}_{t} = 0.0;
    // {{end}}
    // {{end}}
    // {{end}}

    for (var line = chunk * params.chunk; line < min((chunk + 1u) * params.chunk, lines); line++) {
      let n = line / params.out_h;
      let y = line % params.out_h;
      let gradient_line = n * params.groups * params.rows * out_plane + y * params.out_w;
      let image = n * params.groups * params.depth * in_plane;
      // {{for u < UNITS}}
      let in_y{u} = u32(i32(y * params.stride_y) + shift_y{u}); // above the input: huge
      let in_rows{u} = in_y{u} < params.in_h;
      let line{u} = image + plane{u} + in_y{u} * params.in_w;
      // {{end}}

      for (var x = 0u; x < params.out_w; x += {POSITIONS}u) {
        // g<i>_<q>: channel i's gradient at position q
        // {{for q < POSITIONS}}
        // {{for r < LOADS}}
        let mine{r}_{q} = gradient[gradient_line + gradient_at{r} + x + {q}u];
        // {{end}}
        // {{for i < ROWS}}
        // {{if QUAD}}
        let g{i}_{q} = quadBroadcast(mine{i/4}_{q}, {i%4}u);
        // {{end}}
        // {{if SINGLE}}
        let g{i}_{q} = mine{i}_{q};
        // {{end}}
        // {{end}}
        // {{end}}

        // x<u>_<v>: unit u's input, column v of the window
        // {{for v < WINDOW}}
        // {{if SLIDES}}
        let in_x{v} = i32(x * {STRIDE}u + {v}u) - params.pad_x;
        // {{end}}
        // {{if STEPS}}
        let in_x{v} = i32((x + {v}u) * params.stride_x) - params.pad_x;
        // {{end}}
        // {{for u < UNITS}}
        let column{u}_{v} = u32(in_x{v} + shift_x{u});
        let inside{u}_{v} = in_rows{u} & (column{u}_{v} < params.in_w);
        let x{u}_{v} = select(0.0, input[select(0u, line{u} + column{u}_{v}, inside{u}_{v})], inside{u}_{v});
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
      }
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
    for (var i = 0u; i < ROWS && row + i < params.rows; i++) {
      let weights = ((split * params.groups + g) * params.rows + row + i) * units * TAPS;
      for (var k = 0u; k < UNITS * TAPS && first_unit * TAPS + k < units * TAPS; k++) {
        store(weights + first_unit * TAPS + k, sums[i * UNITS * TAPS + k], chunk == first);
      }
    }
  }
}
