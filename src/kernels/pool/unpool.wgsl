// dx[m, h, w] = sum of dy[m, r, c] over the windows that hold (h, w) and, for max pooling, chose it: the adjoint of pool.wgsl.
//
// A template: `pool.ts` puts in the term. Max: dy[m, r, c] where indices[m, r, c] == h * W + w, else 0. Average: dy[m, r, c], and the sum
// is divided by kernel_h * kernel_w. Order: windows from the last row and column back, columns within rows, from 0.
// One invocation computes the inputs of one cell: those between the starts of two neighbouring windows, stride_h x stride_w of them,
// so that the few divisions are shared; a workgroup 64 cells. Nothing is scattered: no atomics.

struct Params {
  cells: u32, // N * C * cell_rows * cell_columns
  cell_rows: u32, // ceil((H + pad_h) / stride_h)
  cell_columns: u32, // ceil((W + pad_w) / stride_w)
  height: i32,
  width: i32,
  output_height: i32,
  output_width: i32,
  kernel_h: i32,
  kernel_w: i32,
  stride_h: i32,
  stride_w: i32,
  pad_h: i32,
  pad_w: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
// {{bindings}}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + local;
  if (index >= params.cells) {
    return;
  }
  let line = index / params.cell_columns;
  let column = i32(index - line * params.cell_columns);
  let m = i32(line / params.cell_rows);
  let row = i32(line) - m * i32(params.cell_rows);
  let plane = m * params.height * params.width;
  let windows = m * params.output_height * params.output_width;
  for (var i = 0; i < params.stride_h; i++) {
    let h = row * params.stride_h + i - params.pad_h;
    if (h < 0 || h >= params.height) {
      continue;
    }
    for (var j = 0; j < params.stride_w; j++) {
      let w = column * params.stride_w + j - params.pad_w;
      if (w < 0 || w >= params.width) {
        continue;
      }
      let place = h * params.width + w;
      var total = 0.0;
      var r = row;
      for (var y = i; y < params.kernel_h && r >= 0; y += params.stride_h) {
        var c = column;
        for (var x = j; x < params.kernel_w && c >= 0; x += params.stride_w) {
          if (r < params.output_height && c < params.output_width) {
            let at = windows + r * params.output_width + c;
            // {{term}}
          }
          c--;
        }
        r--;
      }
      // {{end}}
    }
  }
}
