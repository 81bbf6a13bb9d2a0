// output[o, c, i, j] = sum over n, y, x of gradient[n, o, y, x] * input[n, c, y * stride_y + i - pad_y, x * stride_x + j - pad_x],
// in f32: the slow, obvious version, and the definition. Layouts stand in weight_gradient.wgsl.
//
// Order of summation (the numerics class "f32, chunks of whole lines"; every other variant gives the same bits):
//   1. Lines (n, y), y fastest, are cut into chunks of `chunk` = max(1, floor(512 / out_w)). Inside a chunk: acc = 0, then
//      acc = fma(gradient, input, acc) for each line and x, ascending. Outside the input there are zeros: fma(gradient, 0, acc).
//   2. A chunk's sum of -0 becomes +0. Sums are added from left to right: total = c0, total = total + c1, ... (no line: total = 0).
// The lines of a 1 x 1 convolution with stride 1 and no padding are those of an image of the same size that suits it: flattening in
// geometry.ts.
//
// One invocation computes one element of one span of chunks, a workgroup 64 consecutive ones. No workgroup memory, no barriers.

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (group.y * grid.x + group.x) * 64u + local;
  let j = at % params.taps_x;
  let i = at / params.taps_x % params.taps_y;
  let c = at / (params.taps_x * params.taps_y) % params.depth;
  let element = at / (params.taps_x * params.taps_y * params.depth);
  let o = element % (params.groups * params.rows);
  let first = element / (params.groups * params.rows) * params.span;
  if (first >= params.chunks) {
    return;
  }
  let in_channel = o / params.rows * params.depth + c;
  let lines = params.batch * params.out_h;

  for (var chunk = first; chunk < min(first + params.span, params.chunks); chunk++) {
    var acc = 0.0;
    for (var line = chunk * params.chunk; line < min((chunk + 1u) * params.chunk, lines); line++) {
      let n = line / params.out_h;
      let y = line % params.out_h;
      for (var x = 0u; x < params.out_w; x++) {
        let in_y = u32(i32(y * params.stride_y + i) - params.pad_y); // above the input: huge
        let in_x = u32(i32(x * params.stride_x + j) - params.pad_x);
        let inside = in_y < params.in_h && in_x < params.in_w;
        let input_at = ((n * params.groups * params.depth + in_channel) * params.in_h + in_y) * params.in_w + in_x;
        let gradient_at = ((n * params.groups * params.rows + o) * params.out_h + y) * params.out_w + x;
        acc = fma(operand(gradient[gradient_at]), select(0.0, operand(input[select(0u, input_at, inside)]), inside), acc);
      }
    }
    store(at, acc, chunk == first);
  }
}
