// output[m, n] = activation(sum over k of a[m, k] * b[k, n] + bias[n]), in f32, from operands that matmul_pack.wgsl put into textures:
// texel (x, y) of a is a[y, 4 x .. 4 x + 3], texel (x, y) of b is b[y, 4 x .. 4 x + 3]. The output [M, N] is dense and row-major.
// For software adapters with subgroups of exactly four invocations. Same order of summation as matmul_naive.wgsl, bit for bit:
// chunks of 512 along k, fma in ascending k from 0 inside a chunk, chunk sums from left to right, then bias, then ReLU.
//
// A template (template.ts): an invocation computes ROWS x COLUMNS outputs; a workgroup is four invocations side by side in the same
// rows. Each loads a quarter of a's part and swaps it with the others: lane l gets row i of four from lane i ^ l, so its c<i>_<j> holds
// row i ^ l, column j (why: matmul_register.wgsl).
//
// Why textures (SwiftShader; numbers in docs/performance.md): a buffer is read component by component and lane by lane, about 360
// instructions for four vec4f, which is what limits matmul_register.wgsl. A texel is read whole, by a call: far fewer instructions and
// hardly any code, so that eight k fit into a turn of the loop, and accumulators are carried around it half as often. Why samplers: Tint
// bounds the coordinates of textureLoad by three queries each time, a sampler's need no bounds.
//
// Coordinates are exact: widths and heights are powers of two, so (x + 0.5) / width is the middle of a texel without rounding.
// Rows, columns and texels past the end read whatever the texture holds there (or its edge) and are not stored.
// What follows a chunk's sums is the end of matmul_register.wgsl, which host code puts in place of {{finish}}.

enable subgroups;

struct Params {
  m: u32,
  n: u32,
  k: u32,
  flags: u32, // 1: add bias, 2: ReLU
}

const CHUNK = 512u;
const ROWS = {ROWS}u;
const COLUMNS = {COLUMNS}u;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var a: texture_2d<f32>;
@group(0) @binding(2) var b: texture_2d<f32>;
@group(0) @binding(3) var nearest: sampler;
@group(0) @binding(4) var<storage, read> bias: array<f32>; // unused without flag 1: then any buffer
@group(0) @binding(5) var<storage, read_write> output: array<f32>;

@compute @workgroup_size(4)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let quad = group.y * groups.x + group.x;
  let quads = (params.n + 4u * COLUMNS - 1u) / (4u * COLUMNS);
  let row = quad / quads * ROWS;
  let column = quad % quads * (4u * COLUMNS) + lane * COLUMNS;
  let flip = lane;
  if (row >= params.m) {
    return;
  }
  // From texels to coordinates of a texture: of a's rows, of b's columns, and of k in either.
  let a_scale = 1.0 / vec2f(textureDimensions(a));
  let b_scale = 1.0 / vec2f(textureDimensions(b));
  // {{for r < ROWQUADS}}
  let a_y{r} = (f32(row + {r*4}u + lane) + 0.5) * a_scale.y;
  // {{end}}
  // {{for j < QUADS}}
  let b_x{j} = (f32(column / 4u + {j}u) + 0.5) * b_scale.x;
  // {{end}}

  var start = 0u;
  loop {
    let end = min(start + CHUNK, params.k);
    // {{for i < ROWS}}
    // {{for j < COLUMNS}}
    var c{i}_{j} = 0.0;
    // {{end}}
    // {{end}}

    var k = start;
    var at = f32(start); // k again
    for (; k + 8u <= end; k += 8u) {
      // a<i>_<t>: row i at k + 4 t .. k + 4 t + 3
      // {{for t < 2}}
      // {{for r < ROWQUADS}}
      let mine{r}_{t} = textureSampleLevel(a, nearest, vec2f((0.25 * at + {t}.5) * a_scale.x, a_y{r}), 0.0);
      // {{end}}
      // {{for r < ROWQUADS}}
      let a{r*4}_{t} = mine{r}_{t};
      let a{r*4+1}_{t} = quadSwapX(mine{r}_{t});
      let a{r*4+2}_{t} = quadSwapY(mine{r}_{t});
      let a{r*4+3}_{t} = quadSwapDiagonal(mine{r}_{t});
      // {{end}}
      // {{end}}

      // b<q>_<j>: columns 4 j .. 4 j + 3 at k + q
      // {{for q < 8}}
      // {{for j < QUADS}}
      let b{q}_{j} = textureSampleLevel(b, nearest, vec2f(b_x{j}, (at + {q}.5) * b_scale.y), 0.0);
      // {{end}}
      // {{end}}
      at += 8.0;

      // Column by column: the eight values of b stay in registers.
      // {{for j < COLUMNS}}
      // {{for i < ROWS}}
      c{i}_{j} = fma(a{i}_1[3], b7_{j/4}[{j%4}], fma(a{i}_1[2], b6_{j/4}[{j%4}],
        fma(a{i}_1[1], b5_{j/4}[{j%4}], fma(a{i}_1[0], b4_{j/4}[{j%4}],
        fma(a{i}_0[3], b3_{j/4}[{j%4}], fma(a{i}_0[2], b2_{j/4}[{j%4}],
        fma(a{i}_0[1], b1_{j/4}[{j%4}], fma(a{i}_0[0], b0_{j/4}[{j%4}], c{i}_{j}))))))));
      // {{end}}
      // {{end}}
    }

    // {{if TAIL}}
    for (; k < end; k++) {
      // {{for r < ROWQUADS}}
      let mine{r} = textureSampleLevel(a, nearest, vec2f((f32(k / 4u) + 0.5) * a_scale.x, a_y{r}), 0.0)[k % 4u];
      // {{end}}
      // {{for j < QUADS}}
      let b{j} = textureSampleLevel(b, nearest, vec2f(b_x{j}, (f32(k) + 0.5) * b_scale.y), 0.0);
      // {{end}}
      // {{for r < ROWQUADS}}
      let a{r*4} = mine{r};
      let a{r*4+1} = quadSwapX(mine{r});
      let a{r*4+2} = quadSwapY(mine{r});
      let a{r*4+3} = quadSwapDiagonal(mine{r});
      // {{end}}
      // {{for i < ROWS}}
      // {{for j < COLUMNS}}
      c{i}_{j} = fma(b{j/4}[{j%4}], a{i}, c{i}_{j});
      // {{end}}
      // {{end}}
    }
    // {{end}}

    // {{finish}}
