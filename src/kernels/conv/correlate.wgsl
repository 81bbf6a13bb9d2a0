// What every correlate_*.wgsl shares: parameters, bindings, and the end of an output. Appended to each of them.
//
// A correlation (correlate.ts) is a convolution or one part of an input gradient. In each of its groups, `rows` output channels are
// computed from `depth` input channels; y, x count the outputs that it computes, which lie step_y, step_x elements apart:
//   sum[n, r, y, x] = sum over d, i, j of weight[r, d, i, j] * input[n, d, y * stride_y + i - pad_y, x * stride_x + j - pad_x]
// with i < taps_y, j < taps_x, and zeros around the input, which are multiplied as any other value.

struct Params {
  batch: u32,
  groups: u32,
  rows: u32, // output channels in a group
  depth: u32, // input channels in a group
  in_h: u32,
  in_w: u32,
  out_h: u32, // outputs that are computed, in each direction
  out_w: u32,
  taps_y: u32,
  taps_x: u32,
  stride_y: u32,
  stride_x: u32,
  pad_y: i32,
  pad_x: i32,
  chunk: u32, // input channels that are summed before their sum is added to the total
  flags: u32, // 1: add bias, 2: scale and shift, 4: ReLU
  // weight[group, r, d, i, j] lies at weight_first + group * weight_group + r * weight_row + d * weight_depth + i * .. + j * ..
  weight_first: i32,
  weight_group: i32,
  weight_row: i32,
  weight_depth: i32,
  weight_y: i32,
  weight_x: i32,
  // output[n, channel, y, x] lies at (n * groups * rows + channel) * plane + first + y * step_y + x * step_x
  plane: u32,
  first: u32,
  step_y: u32,
  step_x: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<f32>; // [N, groups * depth, in_h, in_w]
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>; // [groups * rows]; unused without flag 1: then any buffer
@group(0) @binding(4) var<storage, read> scale: array<f32>; // [groups * rows], this and the next unused without flag 2
@group(0) @binding(5) var<storage, read> shift: array<f32>;
@group(0) @binding(6) var<storage, read_write> output: array<f32>;

// The sum of one chunk added to the total of the chunks before, which waits in `output`: nobody else touches that element.
fn added(at: u32, sum: f32, is_first: bool) -> f32 {
  if (is_first) {
    return sum;
  }
  return output[at] + sum;
}

// What is stored: the total, and after the last chunk bias, scale and shift, ReLU. A total of 0 is +0, so that the zeros which a variant
// may add cannot show.
fn finished(sum: f32, channel_bias: f32, channel_scale: f32, channel_shift: f32, is_last: bool) -> f32 {
  let total = select(sum, 0.0, sum == 0.0);
  let biased = select(total, total + channel_bias, (params.flags & 1u) != 0u);
  let scaled = select(biased, fma(biased, channel_scale, channel_shift), (params.flags & 2u) != 0u);
  let rectified = select(scaled, 0.0, (params.flags & 4u) != 0u && scaled <= 0.0);
  return select(total, rectified, is_last);
}

fn bias_of(channel: u32) -> f32 {
  if ((params.flags & 1u) != 0u) {
    return bias[channel];
  }
  return 0.0;
}

fn scale_of(channel: u32) -> f32 {
  if ((params.flags & 2u) != 0u) {
    return scale[channel];
  }
  return 1.0;
}

fn shift_of(channel: u32) -> f32 {
  if ((params.flags & 2u) != 0u) {
    return shift[channel];
  }
  return 0.0;
}
