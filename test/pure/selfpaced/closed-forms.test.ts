/**
 * Where the equations are linear in the solution, one solve gives it at any age: the hinge with linear weights, squares with mixture weights.
 * The formulas are written out here; the path is compared with them, and so is the differential equation, integrated without any correction.
 */
import { describe, expect, test } from 'vitest';
import { agePath } from '../../../src/selfpaced/age-path.ts';
import { distance } from '../../../src/selfpaced/alternating-search.ts';
import { SET, type SelfPacedProblem } from '../../../src/selfpaced/problem.ts';
import { type SelfPacedRegulariser, selfPacedRegulariser } from '../../../src/selfpaced/regularisers.ts';
import type { Segment } from '../../../src/selfpaced/segment.ts';
import { lassoProblem, SEEDS, solveDense, svmProblem } from '../../support/self-paced-problems.ts';

/** Classical Runge-Kutta of order 4 on dx/d(age), 200 steps; every stage factorises. */
function integrate(
  problem: SelfPacedProblem,
  regulariser: SelfPacedRegulariser,
  segment: Segment,
  age: number,
): Float64Array {
  const slope = (x: Float64Array, at: number) => {
    const work = { linearSolves: 0, rounds: 0 };
    return problem.freeze(x, { regulariser, age: at }, segment.sets, work).tangent(x, at);
  };
  const along = (x: Float64Array, k: Float64Array, h: number) => x.map((each, i) => each + h * k[i]!);
  const steps = 200;
  const h = (age - segment.from) / steps;
  let x = segment.first;
  for (let i = 0; i < steps; i++) {
    const at = segment.from + i * h;
    const k1 = slope(x, at);
    const k2 = slope(along(x, k1, h / 2), at + h / 2);
    const k3 = slope(along(x, k2, h / 2), at + h / 2);
    const k4 = slope(along(x, k3, h), at + h);
    x = x.map((each, j) => each + (h / 6) * (k1[j]! + 2 * k2[j]! + 2 * k3[j]! + k4[j]!));
  }
  return x;
}

/** The longest segment that keeps away from a fold, and an age inside. */
function longest(segments: readonly Segment[]): { segment: Segment; age: number } {
  const segment = segments.reduce((a, b) => (b.to - b.from > a.to - a.from ? b : a));
  return { segment, age: segment.from + 0.8 * (Math.min(segment.to, 3 * segment.from) - segment.from) };
}

describe('closed forms', { timeout: 60_000 }, () => {
  test.each(SEEDS)('hinge with linear weights, seed %i', (seed) => {
    const { problem, features, y, columns } = svmProblem(seed, 24, true);
    const regulariser = selfPacedRegulariser('linear');
    const path = agePath(problem, regulariser, { from: 1.2, to: 20 });
    const { segment, age } = longest(path.segments);
    const q = (i: number, j: number) => {
      let squares = 0;
      for (let k = 0; k < columns; k++)
        squares += (features[i * columns + k]! - features[j * columns + k]!) ** 2;
      return y[i]! * y[j]! * Math.exp(-0.5 * squares);
    };
    const on = [...y.keys()].filter((i) => segment.sets[i] === SET.margin);
    const partial = [...y.keys()].filter((i) => segment.sets[i] === SET.partial);
    const order = [...on, ...partial];
    // [0 y; y Q - (age / C) on the partial ones] [b; alpha] = [0; 1 on the margin, 1 - age on the partial ones], C = 1.
    const rows = [
      [0, ...order.map((i) => y[i]!)],
      ...order.map((i) => [y[i]!, ...order.map((j) => q(i, j) - (i === j && partial.includes(i) ? age : 0))]),
    ];
    const solved = solveDense(rows, [0, ...on.map(() => 1), ...partial.map(() => 1 - age)]);
    const expected = new Float64Array(y.length + 1);
    expected[y.length] = solved[0]!;
    order.forEach((i, k) => {
      expected[i] = solved[k + 1]!;
    });
    expect(distance(path.at(age, { polish: true }).solution, expected)).toBeLessThan(1e-10);
    expect(distance(integrate(problem, regulariser, segment, age), expected)).toBeLessThan(1e-8);
  });

  test.each(SEEDS)('squares with mixture weights, seed %i', (seed) => {
    const { problem, features, y, columns } = lassoProblem(seed);
    const g = 1;
    const regulariser = selfPacedRegulariser('mixture', { scale: g });
    const path = agePath(problem, regulariser, { from: 0.5, to: 20 });
    const { segment, age } = longest(path.segments);
    const n = y.length;
    const sign = (j: number) => (segment.sets[n + j] === SET.positive ? 1 : -1);
    const active = [...Array(columns).keys()].filter((j) => segment.sets[n + j] !== SET.zero);
    const middle = path.at(age).solution;
    // T = 1 at weight 1, -g / age at a partial weight; q = sqrt(2) g sign(r) there.
    const t = (i: number) =>
      segment.sets[i] === SET.full ? 1 : segment.sets[i] === SET.partial ? -g / age : 0;
    const pulls = [...y.keys()].map((i) => {
      let r = y[i]!;
      for (let k = 0; k < columns; k++) r -= features[i * columns + k]! * middle[k]!;
      return t(i) * y[i]! + (segment.sets[i] === SET.partial ? Math.SQRT2 * g * Math.sign(r) : 0);
    });
    const x = (i: number, j: number) => features[i * columns + j]!;
    const over = (term: (i: number) => number) => [...y.keys()].reduce((sum, i) => sum + term(i), 0);
    const solved = solveDense(
      active.map((j) => active.map((k) => over((i) => x(i, j) * t(i) * x(i, k)))),
      active.map((j) => over((i) => x(i, j) * pulls[i]!) - sign(j)),
    );
    const expected = new Float64Array(columns);
    active.forEach((j, k) => {
      expected[j] = solved[k]!;
    });
    expect(distance(path.at(age, { polish: true }).solution, expected)).toBeLessThan(1e-11);
    expect(distance(integrate(problem, regulariser, segment, age), expected)).toBeLessThan(1e-8);
  });
});
