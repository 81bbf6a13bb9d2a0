// output = relu(scale * (sum over d, i, j of weight[r, d, i, j] * input[n, d, y * stride_y + i - pad_y, x * stride_x + j - pad_x]
// + bias) + shift), in f32: the slow, obvious version, and the definition. Layouts stand in correlate.wgsl.
//
// Order of summation (the numerics class "f32, chunks of whole channels"; every other variant gives the same bits):
//   1. Channels d are cut into chunks of `chunk` = max(1, floor(512 / (KH KW))). Inside a chunk: acc = 0, then
//      acc = fma(weight, input, acc) for each d, i, j, ascending, j fastest. Outside the input there are zeros: fma(weight, 0, acc).
//   2. Sums are added from left to right: total = c0, total = total + c1, ... (no chunk: total = 0). A total of -0 becomes +0.
//   3. total + bias. 4. fma(total, scale, shift). 5. ReLU is select(x, 0, x <= 0). Each only where it is asked for.
//
// One invocation computes one output, a workgroup 64 consecutive ones. No workgroup memory, no barriers.

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * grid.x + group.x) * 64u + local;
  let x = index % params.out_w;
  let y = index / params.out_w % params.out_h;
  let channel = index / (params.out_w * params.out_h) % (params.groups * params.rows);
  let n = index / (params.out_w * params.out_h * params.groups * params.rows);
  if (n >= params.batch) {
    return;
  }
  let g = channel / params.rows;
  let row = i32(channel % params.rows);
  let at = (n * params.groups * params.rows + channel) * params.plane + params.first + y * params.step_y + x * params.step_x;

  var start = 0u;
  loop {
    let end = min(start + params.chunk, params.depth);
    var acc = 0.0;
    for (var d = start; d < end; d++) {
      for (var i = 0u; i < params.taps_y; i++) {
        for (var j = 0u; j < params.taps_x; j++) {
          let in_y = u32(i32(y * params.stride_y + i) - params.pad_y); // above the input: huge
          let in_x = u32(i32(x * params.stride_x + j) - params.pad_x);
          let inside = in_y < params.in_h && in_x < params.in_w;
          let input_at = (((n * params.groups + g) * params.depth + d) * params.in_h + in_y) * params.in_w + in_x;
          let weight_at = params.weight_first + i32(g) * params.weight_group + row * params.weight_row
            + i32(d) * params.weight_depth + i32(i) * params.weight_y + i32(j) * params.weight_x;
          acc = fma(operand(weight[weight_at]), select(0.0, operand(input[select(0u, input_at, inside)]), inside), acc);
        }
      }
    }
    let total = added(at, acc, start == 0u);
    let flags = select(0u, params.flags, end == params.depth);
    output[at] = finished(total, channel_of(channel, flags), addend_at(at, flags), flags);
    if (end == params.depth) {
      break;
    }
    start = end;
  }
}
