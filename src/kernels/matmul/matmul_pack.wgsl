// texel (x, y) = matrix[y, 4 x .. 4 x + 3]: an operand of matmul_packed.wgsl, put into an rgba32float texture.
//
// The matrix is seen through strides in elements, matrix[y, x] = matrix[y * row_stride + x * column_stride], so one text serves operands
// and transposed ones. Components past the last column repeat it.
//
// One invocation writes one texel, a workgroup 16 neighbours of each of 4 rows. Nothing is added up.

struct Params {
  rows: u32,
  columns: u32,
  row_stride: u32,
  column_stride: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> matrix: array<f32>;
@group(0) @binding(2) var texels: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(16, 4)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = 4u * id.x;
  if (id.y >= params.rows || column >= params.columns) {
    return;
  }
  let row = id.y * params.row_stride;
  let last = params.columns - 1u;
  let values = vec4f(
    matrix[row + column * params.column_stride],
    matrix[row + min(column + 1u, last) * params.column_stride],
    matrix[row + min(column + 2u, last) * params.column_stride],
    matrix[row + min(column + 3u, last) * params.column_stride],
  );
  textureStore(texels, id.xy, operands(values));
}
