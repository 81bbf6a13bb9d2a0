// output[i, j] = chunks[0, i, j] + chunks[1, i, j] + ..., from left to right, in f32: the end of long sums whose chunks were summed by
// invocations of their own. The bits of one invocation that takes the chunks one after another.
//
// chunks [count, rows, columns], output [rows, columns]. One invocation computes one element, a workgroup 64 consecutive ones.
// With flag 1 the sum is added to what `output` held: output = output + sum. With flag 2 the matrices are symmetric and only what is on
// and above their diagonal is read: an invocation on or above it writes both elements, one below it nothing. With flag 4 bias[j] is added
// to the sum, with flag 8 ReLU follows: select(x, 0, x <= 0).

struct Params {
  count: u32, // at least 1
  rows: u32,
  columns: u32,
  flags: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> chunks: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>; // [columns]; unused without flag 4: then any buffer
@group(0) @binding(3) var<storage, read_write> output: array<f32>;

fn store(at: u32, sum: f32) {
  var total = sum;
  if ((params.flags & 1u) != 0u) {
    total = output[at] + total;
  }
  if ((params.flags & 4u) != 0u) {
    total += bias[at % params.columns];
  }
  if ((params.flags & 8u) != 0u) {
    total = select(total, 0.0, total <= 0.0);
  }
  output[at] = total;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let at = (group.y * grid.x + group.x) * 64u + local;
  let i = at / params.columns;
  let j = at % params.columns;
  let mirrors = (params.flags & 2u) != 0u;
  if (i >= params.rows || (mirrors && j < i)) {
    return;
  }
  var total = chunks[at];
  for (var c = 1u; c < params.count; c++) {
    total = total + chunks[c * params.rows * params.columns + at];
  }
  store(at, total);
  if (mirrors && j > i) {
    store(j * params.columns + i, total);
  }
}
