// output[m, n] = activation(sum over k of a[m, k] * b[k, n] + bias[n]), in f32, from operands that matmul_pack.wgsl put into textures
// (the order of texels is written there). The output [M, N] is dense and row-major.
// For software adapters with subgroups of exactly four invocations. Same order of summation as matmul_naive.wgsl, bit for bit:
// chunks of 512 along k, fma in ascending k from 0 inside a chunk, chunk sums from left to right, then bias, then ReLU.
// k is padded to a multiple of 16 with products of -0 and 0, which are -0 and change no sum.
//
// A template (template.ts): an invocation computes ROWS x COLUMNS outputs, columns in groups of four that are 16 apart; a workgroup is four
// invocations side by side in the same rows. Each loads a quarter of a's part and swaps it with the others: lane l gets row i of four
// from lane i ^ l, so its c<i>_<j> holds row i ^ l (why: matmul_register.wgsl), column 16 (j / 4) + 4 l + j % 4.
//
// Why textures (SwiftShader; numbers in docs/performance.md): a buffer is read component by component and lane by lane, about 360
// instructions for four vec4f, which is what limits matmul_register.wgsl. A texel is read whole, by a call; the four that a quad's call
// reads lie side by side. Why samplers: Tint bounds the coordinates of textureLoad by three queries each time, a sampler's need no bounds.
//
// Why calls stand between columns: SwiftShader's compiler stores a factor again after each use of a basic block but the last, 11 of
// 26 bytes of machine code for each fma. A call begins a new block, and so each value of a is used once in most of them.
//
// Coordinates are exact: widths and heights are powers of two, so (x + 0.5) / width is the middle of a texel without rounding.
// Rows and columns past the end read whatever the texture holds there (or its edge) and are not stored.
// The total of finished chunks waits in `output`: only this invocation touches these elements.

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
// {{if OUT4}}
alias Out = vec4f; // what is written at once: n is a multiple of 4
const WIDTH = 4u;
// {{end}}
// {{if OUT1}}
alias Out = f32;
const WIDTH = 1u;
// {{end}}
const SLOTS = COLUMNS / WIDTH;

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var a: texture_2d<f32>;
@group(0) @binding(2) var b: texture_2d<f32>;
@group(0) @binding(3) var nearest: sampler;
@group(0) @binding(4) var<storage, read> bias: array<Out>; // unused without flag 1: then any buffer
@group(0) @binding(5) var<storage, read_write> output: array<Out>;

// Where the slot-th of an invocation's outputs lies, its first column being `first`, in widths.
fn column_of(first: u32, slot: u32) -> u32 {
  // {{if OUT4}}
  return first + slot * 4u;
  // {{end}}
  // {{if OUT1}}
  return first + (slot >> 2u) * 16u + (slot & 3u);
  // {{end}}
}

@compute @workgroup_size(4)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let quad = group.y * groups.x + group.x;
  let quads = (params.n + 4u * COLUMNS - 1u) / (4u * COLUMNS);
  let row = quad / quads * ROWS;
  let first_column = quad % quads * (4u * COLUMNS);
  let column = first_column + lane * 4u;
  if (row >= params.m) {
    return;
  }
  // From texels to coordinates of a texture.
  let a_scale = 1.0 / vec2f(textureDimensions(a));
  let b_scale = 1.0 / vec2f(textureDimensions(b));
  let chunks = (params.k + CHUNK - 1u) / CHUNK;
  let middle = f32(lane) + 0.5;

  var start = 0u;
  loop {
    let end = min(start + CHUNK, params.k);
    let chunk = start / CHUNK;
    // {{for r < ROWQUADS}}
    let a_y{r} = (f32((row / 4u + {r}u) * chunks + chunk) + 0.5) * a_scale.y;
    // {{end}}
    // {{for q < QUADS}}
    let b_y{q} = (f32((first_column / 16u + {q}u) * chunks + chunk) + 0.5) * b_scale.y;
    // {{end}}
    // {{for i < ROWS}}
    // {{for j < COLUMNS}}
    var c{i}_{j} = 0.0;
    // {{end}}
    // {{end}}

    for (var k = start; k < end; k += 16u) {
      let at = f32(k - start);
      // a<i>_<t>: row i at k + 4 t .. k + 4 t + 3
      // {{for t < 4}}
      let a_x{t} = (at + middle + {t*4}.0) * a_scale.x;
      // {{for r < ROWQUADS}}
      let a{r*4}_{t} = textureSampleLevel(a, nearest, vec2f(a_x{t}, a_y{r}), 0.0);
      let a{r*4+1}_{t} = quadSwapX(a{r*4}_{t});
      let a{r*4+2}_{t} = quadSwapY(a{r*4}_{t});
      let a{r*4+3}_{t} = quadSwapDiagonal(a{r*4}_{t});
      // {{end}}
      // {{end}}
      // b<p>_<q>: columns 4 q .. 4 q + 3 at k + p
      // {{for p < 16}}
      let b_x{p} = (4.0 * at + middle + {p*4}.0) * b_scale.x;
      let b{p}_0 = textureSampleLevel(b, nearest, vec2f(b_x{p}, b_y0), 0.0);
      // {{end}}

      // Column by column: the values of b are the same for all rows.
      // {{for q < QUADS}}
      // {{for j < 4}}
      // {{for i < ROWS}}
      c{i}_{q*4+j} = fma(a{i}_3[3], b15_{q}[{j}], fma(a{i}_3[2], b14_{q}[{j}], fma(a{i}_3[1], b13_{q}[{j}], fma(a{i}_3[0], b12_{q}[{j}],
        fma(a{i}_2[3], b11_{q}[{j}], fma(a{i}_2[2], b10_{q}[{j}], fma(a{i}_2[1], b9_{q}[{j}], fma(a{i}_2[0], b8_{q}[{j}],
        fma(a{i}_1[3], b7_{q}[{j}], fma(a{i}_1[2], b6_{q}[{j}], fma(a{i}_1[1], b5_{q}[{j}], fma(a{i}_1[0], b4_{q}[{j}],
        fma(a{i}_0[3], b3_{q}[{j}], fma(a{i}_0[2], b2_{q}[{j}], fma(a{i}_0[1], b1_{q}[{j}], fma(a{i}_0[0], b0_{q}[{j}], c{i}_{q*4+j}))))))))))))))));
      // {{end}}
      // {{if q+1%QUADS}}
      // {{for p < 4}}
      let b{j*4+p}_{q+1} = textureSampleLevel(b, nearest, vec2f(b_x{j*4+p}, b_y{q+1}), 0.0);
      // {{end}}
      // {{end}}
      // {{end}}
      // {{end}}
    }

    // Adds the chunk's sums to the totals; after the last chunk applies bias and ReLU. Loops, to keep the code small: where a turn was a
    // whole row, 32 KB of it, it took half as long again.
    var sums = array<Out, ROWS * SLOTS>(
      // {{for i < ROWS}}
      // {{for q < QUADS}}
      // {{if OUT4}}
      vec4f(c{i}_{q*4}, c{i}_{q*4+1}, c{i}_{q*4+2}, c{i}_{q*4+3}),
      // {{end}}
      // {{if OUT1}}
      c{i}_{q*4}, c{i}_{q*4+1}, c{i}_{q*4+2}, c{i}_{q*4+3},
      // {{end}}
      // {{end}}
      // {{end}}
    );
    let m = params.m;
    let n = params.n / WIDTH;
    let first = column / WIDTH;
    let last = end == params.k;
    let add_bias = last && (params.flags & 1u) != 0u;
    let relu = last && (params.flags & 2u) != 0u;
    // Loops of no turn or one, in place of branches: what stands in a branch is computed whether or not it is taken, loops and all. The body
    // of a loop without turns is computed once too, but not the turns of loops in it.
    for (var again = 0u; again < min(start, 1u); again++) {
      for (var slot = 0u; slot < SLOTS; slot++) {
        let at = column_of(first, slot);
        for (var i = 0u; i < ROWS; i++) {
          let index_row = row + (i ^ lane);
          if (index_row < m && at < n) {
            sums[i * SLOTS + slot] = output[index_row * n + at] + sums[i * SLOTS + slot];
          }
        }
      }
    }
    for (var epilogue = 0u; epilogue < select(0u, 1u, add_bias || relu); epilogue++) {
      for (var slot = 0u; slot < SLOTS; slot++) {
        let addend = bias[min(column_of(first, slot), n - 1u)];
        for (var i = 0u; i < ROWS; i++) {
          let total = sums[i * SLOTS + slot];
          let biased = select(total, total + addend, add_bias);
          sums[i * SLOTS + slot] = select(biased, select(biased, Out(), biased <= Out()), relu);
        }
      }
    }
    for (var slot = 0u; slot < SLOTS; slot++) {
      let at = column_of(first, slot);
      for (var i = 0u; i < ROWS; i++) {
        let index_row = row + (i ^ lane);
        if (index_row < m && at < n) {
          output[index_row * n + at] = sums[i * SLOTS + slot];
        }
      }
    }
    if (last) {
      break;
    }
    start = end;
  }
}
