// What every cross_moments_*.wgsl shares: parameters, bindings, and the end of an element. Appended to each of them.
//
//   output[i, j] = sum over n < outer, p < inner of (a[n, i, p] - shift_a[i]) * (b[n, j, p] - shift_b[j])
// with a [outer, rows, inner] and b [outer, columns, inner]: sums over k = n * inner + p of products of rows i and columns j.

struct Params {
  rows: u32, // channels of a
  columns: u32, // channels of b
  inner: u32,
  total: u32, // outer * inner
  chunks: u32, // ceil(total / CHUNK), at least 1
  span: u32, // chunks that one sum takes: all of them, or 1, and ../reduce/add-chunks.wgsl adds them up
  symmetric: u32, // 1: a is b; tiles that lie below the diagonal as a whole may be left out
}

const CHUNK = 512u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(3) var<storage, read> shift_a: array<f32>; // [rows]
@group(0) @binding(4) var<storage, read> shift_b: array<f32>; // [columns]
@group(0) @binding(5) var<storage, read_write> output: array<f32>; // [chunks / span, rows, columns]

// Adds the sum of one chunk to the total of the chunks before, which waits in `output`: nobody else touches that element.
// A sum of 0 is +0, so that added zeros can never show.
fn store(at: u32, sum: f32, is_first: bool) {
  var total = select(sum, 0.0, sum == 0.0);
  if (!is_first) {
    total = output[at] + total;
  }
  output[at] = total;
}
