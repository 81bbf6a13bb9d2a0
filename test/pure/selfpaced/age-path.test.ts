/**
 * Whole paths of 20 seeds, of every problem with every regulariser: each stored and each interpolated solution against the conditions of
 * optimality written out apart from the code, and against alternating search.
 */
import { describe, expect, test } from 'vitest';
import { RandomStream } from '../../../src/base/random.ts';
import { type AgePath, agePath } from '../../../src/selfpaced/age-path.ts';
import { alternatingSearch, distance, searchRound } from '../../../src/selfpaced/alternating-search.ts';
import { latentObjective, SET } from '../../../src/selfpaced/problem.ts';
import { REGULARISER_NAMES, selfPacedRegulariser } from '../../../src/selfpaced/regularisers.ts';
import {
  agesOf,
  type PlainProblem,
  PROBLEMS,
  plainWeights,
  SEEDS,
} from '../../support/self-paced-problems.ts';

const KINDS = Object.keys(PROBLEMS) as (keyof typeof PROBLEMS)[];
const CASES = KINDS.flatMap((kind) => REGULARISER_NAMES.map((name) => [kind, name] as const));
const noWork = () => ({ linearSolves: 0, rounds: 0 });

describe.each(CASES)('%s, %s', { timeout: 60_000 }, (kind, name) => {
  const regulariser = selfPacedRegulariser(name);
  const { from, to } = agesOf(name, kind);
  const cases = SEEDS.map((seed) => {
    const plain: PlainProblem = PROBLEMS[kind](seed);
    return { seed, plain, path: agePath(plain.problem, regulariser, { from, to }) };
  });
  /** Evenly spaced ages, both ends included. */
  const ages = (count: number) =>
    Array.from({ length: count }, (_, i) => (i === count - 1 ? to : from + ((to - from) * i) / (count - 1)));
  const jumpAges = (path: AgePath) =>
    path.events.filter(({ jump }) => jump !== undefined).map(({ age }) => age);
  const farFromJumps = (path: AgePath, age: number) =>
    jumpAges(path).every((jump) => Math.abs(jump - age) > 0.02 * age);
  const violation = (plain: PlainProblem, age: number, x: Float64Array, sets: Uint8Array) =>
    plain.violation(x, plainWeights(plain.problem.losses(x), regulariser, age, sets));

  test('solves the conditions of optimality at every stored age, and polished at any', () => {
    for (const { plain, path } of cases) {
      const stored = path.points().map(({ age, solution, sets }) => violation(plain, age, solution, sets));
      expect(Math.max(...stored)).toBeLessThan(1e-10);
      for (const age of ages(9)) {
        const polished = path.at(age, { polish: true });
        expect(violation(plain, age, polished.solution, polished.sets)).toBeLessThan(1e-10);
        const dense = path.at(age);
        if (farFromJumps(path, age)) {
          expect(violation(plain, age, dense.solution, dense.sets)).toBeLessThan(1e-6);
        }
      }
    }
  });

  test('covers the whole range, and is continuous where no jump is declared', () => {
    for (const { path } of cases) {
      expect(path.segments[0]!.from).toBe(from);
      expect(path.segments.at(-1)!.to).toBe(to);
      const jumps = jumpAges(path);
      for (const [i, segment] of path.segments.slice(1).entries()) {
        const before = path.segments[i]!;
        // Folds are located by extrapolation, at most 1e-7 beyond the last point.
        expect(Math.abs(segment.from - before.to)).toBeLessThan(3e-7 * segment.from);
        if (jumps.some((age) => Math.abs(age - segment.from) < 3e-7 * age)) continue;
        expect(segment.from).toBe(before.to);
        expect(distance(segment.first, before.last)).toBeLessThan(1e-9);
      }
    }
  });

  test('is where alternating search stays, and where it leads from a little before', () => {
    for (const { plain, path } of cases) {
      const { problem } = plain;
      for (const segment of path.segments.filter(({ knots }) => knots.length >= 2)) {
        const age = (segment.from + segment.to) / 2;
        if (!farFromJumps(path, age)) continue;
        const { solution } = path.at(age, { polish: true });
        expect(
          distance(searchRound(problem, { regulariser, age }, solution, noWork()), solution),
        ).toBeLessThan(1e-10);
        const options = { tolerance: 1e-14, maxRounds: 2000 };
        const before = segment.knots.findLast((knot) => knot.age >= segment.from && knot.age < age);
        const start = before?.solution ?? segment.first;
        const found = alternatingSearch(problem, { regulariser, age }, start, noWork(), options);
        // Ends by rounding or, near an instability, by its pace: then what is left is the last change over 1 - rate.
        expect(distance(found.solution, solution)).toBeLessThan(found.converged ? 1e-9 : 1e-5);
      }
    }
  });

  test('is a strict local minimum: alternating search returns from a small push', () => {
    let pushed = 0;
    for (const { seed, plain, path } of cases) {
      const { problem } = plain;
      for (const segment of path.segments.filter(({ knots }) => knots.length >= 3)) {
        const age = (segment.from + segment.to) / 2;
        const { solution, sets } = path.at(age, { polish: true });
        // Not next to a change of sets or a jump, where even this push may lead elsewhere.
        const slack = problem.slack(solution, { regulariser, age }, sets);
        const atBound = (value: number, k: number) => value < 5e-3 && sets[k] !== SET.margin;
        if (slack.some(atBound) || !farFromJumps(path, age)) continue;
        const push = new RandomStream(seed, 'push');
        const start = solution.map((each, k) => each + 2e-4 * (push.uniform(k) - 0.5));
        const found = alternatingSearch(problem, { regulariser, age }, start, noWork(), {
          tolerance: 1e-12,
          maxRounds: 5000,
        });
        expect(distance(found.solution, solution)).toBeLessThan(1e-7);
        pushed++;
        break;
      }
    }
    expect(pushed).toBeGreaterThan(5);
  });

  test('on each segment the latent objective changes by the integral of its derivative by the age', () => {
    for (const { plain, path } of cases) {
      const { problem } = plain;
      const rate = (age: number) => {
        const h = 1e-4 * Math.min(age, regulariser.ageLimit - age);
        const F = (loss: number, at: number) => regulariser.latent(loss, at);
        return problem.losses(path.at(age).solution).reduce((sum, loss) => {
          // Fourth order, as a second-order difference would not reach the tolerance.
          const slope =
            (8 * (F(loss, age + h) - F(loss, age - h)) - (F(loss, age + 2 * h) - F(loss, age - 2 * h))) /
            (12 * h);
          return sum + problem.lossScale * slope;
        }, 0);
      };
      // The longest segment: Gauss-Legendre of order 4 on each half from knot to knot, which lie closer where the path bends.
      const longest = path.segments.reduce((a, b) => (b.to - b.from > a.to - a.from ? b : a));
      const inner = longest.knots
        .map(({ age }) => age)
        .filter((age) => age > longest.from && age < longest.to);
      const ends = [longest.from, ...inner, longest.to].flatMap((end, i, all) =>
        i === 0 ? [end] : [0.5, 1].map((part) => all[i - 1]! + part * (end - all[i - 1]!)),
      );
      const nodes = [
        [0.3399810435848563, 0.6521451548625461],
        [0.8611363115940526, 0.3478548451374538],
      ] as const;
      let integral = 0;
      for (const [i, end] of ends.slice(1).entries()) {
        const [middle, half] = [(ends[i]! + end) / 2, (end - ends[i]!) / 2];
        for (const [node, weight] of nodes) {
          integral += weight * half * (rate(middle - node * half) + rate(middle + node * half));
        }
      }
      const G = (x: Float64Array, age: number) => latentObjective(problem, x, { regulariser, age });
      const difference = G(longest.last, longest.to) - G(longest.first, longest.from);
      expect(Math.abs(integral - difference)).toBeLessThan(1e-6 * (1 + Math.abs(difference)));
    }
  });

  test('the latent objective never rises along alternating search', () => {
    for (const { seed, plain } of cases) {
      const { problem } = plain;
      const age = from + (to - from) * new RandomStream(seed, 'age').uniform(0) ** 2;
      const pace = { regulariser, age };
      let solution = new Float64Array(problem.unknowns);
      new RandomStream(seed, 'start').fillNormal(solution);
      // The first round makes it a solution of some weights, as multipliers have to be.
      solution = searchRound(problem, pace, solution, noWork()) as typeof solution;
      let value = latentObjective(problem, solution, pace);
      for (let round = 0; round < 15; round++) {
        solution = searchRound(problem, pace, solution, noWork()) as typeof solution;
        const next = latentObjective(problem, solution, pace);
        expect(next).toBeLessThanOrEqual(value + 1e-12 * (1 + Math.abs(value)));
        value = next;
      }
    }
  });

  test('is the same again', () => {
    const { plain, path } = cases[3]!;
    const again = agePath(plain.problem, regulariser, { from, to });
    expect(again.events).toEqual(path.events);
    expect(again.statistics).toEqual(path.statistics);
    expect(again.at((from + to) / 2)).toEqual(path.at((from + to) / 2));
  });
});
