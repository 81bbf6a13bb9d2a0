/** R(gamma) of singular vectors: against float64, against polar factors, and what it must not depend on. */
import { SingularValueDecomposition as Float64Decomposition, Matrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import {
  type SingularValueDecomposition,
  singularValueDecompositions,
} from '../../../src/kernels/svd/singular-value-decomposition.ts';
import { alignmentScores, layerAlignment } from '../../../src/rebasin/analysis/alignment-score.ts';
import { useContext } from '../../support/context.ts';
import { normals } from '../../support/numbers.ts';

const context = useContext();
const GAMMAS = [0, 0.2, 0.45, 0.7, 1];

const [ROWS, COLUMNS] = [18, 27];
/** Two matrices that share half of what they are. */
const first = normals(ROWS * COLUMNS, 'first');
const second = normals(ROWS * COLUMNS, 'second').map((value, at) => 0.5 * value + 0.5 * first[at]!);

const decompose = (matrices: readonly Float32Array[], rows = ROWS, columns = COLUMNS) =>
  singularValueDecompositions(context(), { matrices, rows, columns });

async function scores(a: SingularValueDecomposition, b: SingularValueDecomposition): Promise<number[]> {
  return alignmentScores([await layerAlignment(context(), a, b, GAMMAS)]).score;
}

/** R by its definition, from a float64 library's vectors. */
function referenceScore(a: Float32Array, b: Float32Array, gamma: number): number {
  const [x, y] = [a, b].map((values) => {
    // wide matrices lose singular vectors in this library
    const { leftSingularVectors, rightSingularVectors, diagonal } = new Float64Decomposition(
      Matrix.from1DArray(ROWS, COLUMNS, values).transpose(),
    );
    return { u: rightSingularVectors, v: leftSingularVectors, s: diagonal };
  });
  const dot = (p: Matrix, i: number, q: Matrix, j: number) => {
    let sum = 0;
    for (let k = 0; k < p.rows; k++) sum += p.get(k, i) * q.get(k, j);
    return sum;
  };
  let sum = 0;
  const kept = [x!, y!].map(({ s }) => s.filter((sigma) => sigma >= gamma * s[0]!).length);
  for (let i = 0; i < kept[0]!; i++) {
    for (let j = 0; j < kept[1]!; j++) sum += dot(x!.u, i, y!.u, j) * dot(x!.v, i, y!.v, j);
  }
  return sum / Math.max(...kept);
}

/** U V^T without any decomposition: Newton and Schulz's X <- 3/2 X - 1/2 X X^T X, from X of norm below sqrt(3). */
function polarFactor(values: Float32Array): Matrix {
  let x = Matrix.from1DArray(ROWS, COLUMNS, values);
  x = x.div(x.norm('frobenius'));
  for (let i = 0; i < 60; i++) {
    const cubed = x.mmul(x.transpose()).mmul(x);
    x = x.mul(1.5).sub(cubed.mul(0.5));
  }
  return x;
}

describe('R(gamma)', () => {
  it('is its definition in float64', async () => {
    const [a, b] = await decompose([first, second]);
    const found = await scores(a!, b!);
    for (const [at, gamma] of GAMMAS.entries())
      expect(found[at]).toBeCloseTo(referenceScore(first, second, gamma), 4);
    expect(found[0]).toBeGreaterThan(0.3);
    expect(found[0]).toBeLessThan(0.95);
  });

  it('at gamma 0 is the inner product of the polar factors, over the rank', async () => {
    const [a, b] = await decompose([first, second]);
    const product = polarFactor(first).mul(polarFactor(second)).sum() / ROWS;
    expect((await scores(a!, b!))[0]).toBeCloseTo(product, 5);
  });

  it('is 1 of a matrix with itself, with a multiple of itself, and for every gamma', async () => {
    const [a, b, c] = await decompose([first, first.map((value) => 8 * value), second]);
    for (const score of [...(await scores(a!, a!)), ...(await scores(a!, b!)), ...(await scores(c!, c!))])
      expect(score).toBeCloseTo(1, 5);
  });

  it('is -1 of a matrix with its negative, and near 0 of strangers', async () => {
    const stranger = normals(ROWS * COLUMNS, 'stranger');
    const [a, b, c] = await decompose([first, first.map((value) => -value), stranger]);
    for (const score of await scores(a!, b!)) expect(score).toBeCloseTo(-1, 5);
    expect(Math.abs((await scores(a!, c!))[0]!)).toBeLessThan(0.2);
  });

  it('does not mind the signs of singular pairs', async () => {
    const [a, b] = await decompose([first, second]);
    const flip = (side: Float32Array) => side.map((value, at) => ((at % ROWS) % 3 === 1 ? -value : value));
    const flipped = { ...b!, u: flip(b!.u), v: flip(b!.v) };
    expect(await scores(a!, flipped)).toEqual(await scores(a!, b!));
  });

  it('does not mind a permutation of both', async () => {
    const shuffle = (values: Float32Array) =>
      values.map((_, at) => {
        const [i, j] = [Math.floor(at / COLUMNS), at % COLUMNS];
        return values[((5 * i + 1) % ROWS) * COLUMNS + ((4 * j + 3) % COLUMNS)]!;
      });
    const [a, b, c, d] = await decompose([first, second, shuffle(first), shuffle(second)]);
    const [plain, shuffled] = [await scores(a!, b!), await scores(c!, d!)];
    for (const [at, score] of plain.entries()) expect(shuffled[at]).toBeCloseTo(score, 4);
    expect((await scores(a!, c!))[0]).toBeLessThan(0.5);
  });

  it('leaves out what is beyond the rank, and divides by the larger number of pairs', async () => {
    const deficient = first.map((value, at) => (at < 7 * COLUMNS ? 0 : value));
    const [a, b, zero] = await decompose([first, deficient, new Float32Array(ROWS * COLUMNS)]);
    const alignment = await layerAlignment(context(), a!, b!, [0, 1]);
    expect(alignment.kept).toEqual([18, 1]);
    expect((await layerAlignment(context(), b!, b!, [0])).kept).toEqual([11]);
    expect((await scores(b!, b!))[0]).toBeCloseTo(1, 5);
    const nothing = await layerAlignment(context(), zero!, zero!, [0]);
    expect(alignmentScores([nothing])).toEqual({ score: [0], kept: [0] });
  });

  it('over layers is the sum over the sum', () => {
    const layers = [
      { sum: [3, 1], kept: [4, 1] },
      { sum: [1, 0], kept: [6, 0] },
    ];
    expect(alignmentScores(layers)).toEqual({ score: [0.4, 1], kept: [10, 1] });
    expect(alignmentScores([])).toEqual({ score: [], kept: [] });
  });
});
