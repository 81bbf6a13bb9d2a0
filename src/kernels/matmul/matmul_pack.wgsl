// texel (x, y) = matrix[y, 4 x .. 4 x + 3]: an operand of matmul_packed.wgsl, put into an rgba32float texture.
//
// The matrix is seen through strides in elements, matrix[y, x] = matrix[y * row_stride + x * column_stride], so one text serves operands
// and transposed ones. Components past the last column repeat it.
//
// One invocation writes a texel of each of RUN rows, a workgroup 16 neighbours of each of 4 RUN rows. Nothing is added up.

struct Params {
  rows: u32,
  columns: u32,
  row_stride: u32,
  column_stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> matrix: array<f32>;
@group(0) @binding(2) var texels: texture_storage_2d<rgba32float, write>;

const RUN = 8u;

@compute @workgroup_size(16, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let rows = params.rows;
  let row_stride = params.row_stride;
  let stride = params.column_stride;
  let column = 4u * id.x;
  let first = id.y * RUN;
  if (first >= rows || column >= params.columns) {
    return;
  }
  let last = params.columns - 1u;
  let at0 = column * stride;
  let at1 = min(column + 1u, last) * stride;
  let at2 = min(column + 2u, last) * stride;
  let at3 = min(column + 3u, last) * stride;
  for (var y = first; y < min(first + RUN, rows); y++) {
    let row = y * row_stride;
    let values = vec4f(matrix[row + at0], matrix[row + at1], matrix[row + at2], matrix[row + at3]);
    textureStore(texels, vec2u(id.x, y), operands(values));
  }
}
