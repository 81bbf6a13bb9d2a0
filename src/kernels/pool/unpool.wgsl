// dx[m, h, w] = sum of dy[m, r, c] over the windows that hold (h, w) and, for max pooling, chose it: the adjoint of pool.wgsl.
//
// A template: `pool.ts` puts in the term. Max: dy[m, r, c] where indices[m, r, c] == h * W + w, else 0. Average: dy[m, r, c], and the sum
// is divided by kernel_h * kernel_w. Order: windows by rows then columns, from 0.
// One invocation computes four inputs that lie 64 apart, a workgroup 256 consecutive ones. Nothing is scattered: no atomics.

struct Params {
  inputs: u32, // N * C * H * W
  height: u32,
  width: u32,
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

// The first window that still holds padded position i: windows start at r * stride and have `kernel` positions.
fn first_window(i: i32, kernel: i32, stride: i32) -> i32 {
  return max(i - kernel + stride, 0) / stride;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let base = (group.y * groups.x + group.x) * 256u + local;
  for (var step = 0u; step < 4u; step++) {
    let at = base + step * 64u;
    if (at >= params.inputs) {
      return;
    }
    let line = at / params.width;
    let m = line / params.height;
    let h = i32(line - m * params.height) + params.pad_h;
    let w = i32(at - line * params.width) + params.pad_w;
    let place = at - m * params.height * params.width;
    let r_end = min(h / params.stride_h + 1, params.output_height);
    let c_end = min(w / params.stride_w + 1, params.output_width);
    let c_start = first_window(w, params.kernel_w, params.stride_w);
    var total = 0.0;
    for (var r = first_window(h, params.kernel_h, params.stride_h); r < r_end; r++) {
      let row = (i32(m) * params.output_height + r) * params.output_width;
      for (var c = c_start; c < c_end; c++) {
        // {{term}}
      }
    }
    // {{end}}
  }
}
