// What every weight_gradient_*.wgsl shares: parameters, bindings, and the end of an element. Appended to each of them.
//
// In each group, for the `rows` output channels o and `depth` input channels c of the convolution, and its taps i < taps_y, j < taps_x:
//   output[o, c, i, j] = sum over n, y, x of gradient[n, o, y, x] * input[n, c, y * stride_y + i - pad_y, x * stride_x + j - pad_x]
// with zeros around the input, which are multiplied as any other value.

struct Params {
  batch: u32,
  groups: u32,
  rows: u32, // output channels in a group
  depth: u32, // input channels in a group
  in_h: u32,
  in_w: u32,
  out_h: u32,
  out_w: u32,
  taps_y: u32,
  taps_x: u32,
  stride_y: u32,
  stride_x: u32,
  pad_y: i32,
  pad_x: i32,
  chunk: u32, // lines (n, y) that are summed before their sum is added to the total
  chunks: u32, // at least 1
  span: u32, // chunks that one sum takes: all of them, or 1, and ../reduce/add-chunks.wgsl adds them up
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>; // [N, groups * depth, in_h, in_w]
@group(0) @binding(2) var<storage, read> gradient: array<f32>; // [N, groups * rows, out_h, out_w]
@group(0) @binding(3) var<storage, read_write> output: array<f32>; // [chunks / span, groups * rows, depth, taps_y, taps_x]

// Adds the sum of one chunk to the total of the chunks before, which waits in `output`: nobody else touches that element.
// A sum of 0 is +0, so that added zeros can never show.
fn store(at: u32, sum: f32, is_first: bool) {
  var total = select(sum, 0.0, sum == 0.0);
  if (!is_first) {
    total = output[at] + total;
  }
  output[at] = total;
}
