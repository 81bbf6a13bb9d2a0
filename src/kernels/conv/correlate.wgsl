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
  flags: u32, // 1: add bias, 2: normalise, 4: add the addend, 8: ReLU, in this order
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
@group(0) @binding(4) var<storage, read> mean: array<f32>; // [groups * rows], this and the next two unused without flag 2
@group(0) @binding(5) var<storage, read> factor: array<f32>;
@group(0) @binding(6) var<storage, read> shift: array<f32>;
@group(0) @binding(7) var<storage, read> addend: array<f32>; // where the output is; unused without flag 4
@group(0) @binding(8) var<storage, read_write> output: array<f32>;

// What a channel's totals are finished with.
struct Channel {
  bias: f32,
  mean: f32,
  factor: f32,
  shift: f32,
}

// Flags are read once and handed on: on software adapters a uniform is a load like any other. Before the last chunk they are 0.
fn channel_of(channel: u32, flags: u32) -> Channel {
  var values = Channel(0.0, 0.0, 1.0, 0.0);
  if ((flags & 1u) != 0u) {
    values.bias = bias[channel];
  }
  if ((flags & 2u) != 0u) {
    values.mean = mean[channel];
    values.factor = factor[channel];
    values.shift = shift[channel];
  }
  return values;
}

fn addend_at(at: u32, flags: u32) -> f32 {
  if ((flags & 4u) != 0u) {
    return addend[at];
  }
  return 0.0;
}

// The sum of one chunk added to the total of the chunks before, which waits in `output`: nobody else touches that element.
fn added(at: u32, sum: f32, is_first: bool) -> f32 {
  if (is_first) {
    return sum;
  }
  return output[at] + sum;
}

// What is stored: the total, and after the last chunk bias, norm, addend, ReLU. A total of 0 is +0, so that the zeros which a variant
// may add cannot show.
fn finished(sum: f32, channel: Channel, addend: f32, flags: u32) -> f32 {
  let total = select(sum, 0.0, sum == 0.0);
  let biased = select(total, total + channel.bias, (flags & 1u) != 0u);
  let normalised = select(biased, fma(biased - channel.mean, channel.factor, channel.shift), (flags & 2u) != 0u);
  let all = select(normalised, normalised + addend, (flags & 4u) != 0u);
  return select(all, 0.0, ((flags & 8u) != 0u) & (all <= 0.0));
}
