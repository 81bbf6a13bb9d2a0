// What every orthogonalise_rows_*.wgsl shares: parameters, bindings, which rows meet in which step, and the angle of a rotation.
// Appended to each of them. The formula and the order of every sum stand in orthogonalise_rows_naive.wgsl.

struct Params {
  pairs: u32, // pairs of blocks of 4 rows, in one matrix: rows / 8
  count: u32, // pairs in all matrices
  step: u32, // of the sweep, from 0 to 2 pairs - 2
  stride: u32, // vec4f of a row
  length: u32, // vec4f of a row that dot products take, the first ones
  tolerance: f32, // |cosines| up to this count as 0
}

const CHUNK = 8u; // vec4f that are summed before the sum joins those of other chunks
const STRANDS = 4u; // chunk c belongs to strand c mod 4
const SMALLEST = 0x1p-80; // a squared norm below this counts as 0: its row is left alone

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> vectors: array<vec4f>; // [matrices, rows, stride]
@group(0) @binding(2) var<storage, read_write> cosines: array<f32>; // [count]

// The tournament by the circle method: block 2 pairs - 1 stays, the others move round. In 2 pairs - 1 steps each block meets each other
// one once. Gives the first rows of the two blocks, the smaller one first.
fn blocks_of(pair: u32) -> vec2u {
  let last = 2u * params.pairs - 1u;
  let x = select((params.step + pair) % last, last, pair == 0u);
  let y = (params.step + last - pair) % last;
  return 4u * vec2u(min(x, y), max(x, y));
}

// Where row i of the 8 rows of a pair begins in `vectors`.
fn row_of(index: u32, blocks: vec2u, i: u32) -> u32 {
  let matrix = index / params.pairs;
  let row = select(blocks.y + i - 4u, blocks.x + i, i < 4u);
  return (matrix * 8u * params.pairs + row) * params.stride;
}

// The same tournament among 8 rows: whom row i meets in step 0 .. 6.
fn partner_of(step: u32, i: u32) -> u32 {
  let other = (2u * step + 7u - i) % 7u;
  return select(select(other, 7u, i == step), step, i == 7u);
}

fn cosine(pp: f32, qq: f32, pq: f32) -> f32 {
  if (pp < SMALLEST || qq < SMALLEST) {
    return 0.0;
  }
  return abs(pq) / (sqrt(pp) * sqrt(qq));
}

// The rotation that makes rows p < q orthogonal, as (sin, tan of half the angle); (0, 0) where they are orthogonal enough.
//   cot(2 angle) = z = (qq - pp) / (2 pq), |angle| <= pi / 4
// pp may have become negative in rounding: then it counts as 0.
fn rotation(pp: f32, qq: f32, pq: f32) -> vec2f {
  if (!(cosine(pp, qq, pq) > params.tolerance)) {
    return vec2f();
  }
  let z = (qq - pp) / (2.0 * pq);
  let tangent = 1.0 / (abs(z) + sqrt(fma(z, z, 1.0)));
  let c = 1.0 / sqrt(fma(tangent, tangent, 1.0));
  let s = select(tangent, -tangent, z < 0.0) * c;
  return vec2f(s, s / (1.0 + c));
}

// The part of a rotation (s, h) that one of its two rows takes: `first` for row p, else for row q.
fn share(turn: vec2f, first: bool) -> vec2f {
  return select(vec2f(turn.x, -turn.y), vec2f(-turn.x, turn.y), first);
}

// p' = p cos - q sin = p - s (q + h p), q' = q cos + p sin = q + s (p - h q), h = tan(angle / 2): exact to first order in the rounding.
fn turned(part: vec2f, own: f32, other: f32) -> f32 {
  return fma(part.x, fma(part.y, own, other), own);
}

// Keeps the largest cosine that a pair's place of the tournament has met since the sweep began.
fn note(index: u32, largest: f32) {
  let before = select(cosines[index], 0.0, params.step == 0u);
  cosines[index] = max(before, largest);
}
