// y[m, r, c] from the window of plane x[m] that starts at row r * stride_h - pad_h, column c * stride_w - pad_w, m = 0 .. N * C - 1.
//
// A template: `pool.ts` puts in one of
// - the largest value of the window, positions outside the plane left out;
// - the index h * W + w of the first largest one, rows first (u32);
// - the sum of the window, rows first from 0, over kernel_h * kernel_w: positions outside count as zeros.
// One invocation computes four outputs that lie 64 apart, a workgroup 256 consecutive ones.

struct Params {
  outputs: u32, // N * C * OH * OW
  height: i32,
  width: i32,
  output_height: u32,
  output_width: u32,
  kernel_h: i32,
  kernel_w: i32,
  stride_h: i32,
  stride_w: i32,
  pad_h: i32,
  pad_w: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
// {{output}}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let base = (group.y * groups.x + group.x) * 256u + local;
  for (var step = 0u; step < 4u; step++) {
    let at = base + step * 64u;
    if (at >= params.outputs) {
      return;
    }
    let line = at / params.output_width;
    let m = line / params.output_height;
    let top = i32(line - m * params.output_height) * params.stride_h - params.pad_h;
    let left = i32(at - line * params.output_width) * params.stride_w - params.pad_w;
    let h_end = min(top + params.kernel_h, params.height);
    let w_end = min(left + params.kernel_w, params.width);
    let h_start = max(top, 0);
    let w_start = max(left, 0);
    let plane = i32(m) * params.height * params.width;
    // {{begin}}
    for (var h = h_start; h < h_end; h++) {
      for (var w = w_start; w < w_end; w++) {
        let value = x[plane + h * params.width + w];
        // {{step}}
      }
    }
    // {{end}}
  }
}
