/** Finds the age at which a set condition is about to be violated. */
import { correctWith, VIOLATION } from './corrector.ts';
import type { FrozenSystem, SelfPacedProblem, Sets } from './problem.ts';
import type { SelfPacedRegulariser } from './regularisers.ts';
import { interpolate, type Knot } from './segment.ts';

interface Located {
  readonly age: number;
  readonly solution: Float64Array;
  readonly index: number;
}

/**
 * The first age between two knots at which a slack is 0: on the interpolant first, then on the corrected solution.
 * @param violated an age, and the members whose slack is negative there: only they count, or rounding would move a twin of another.
 */
export function locateEvent(
  problem: SelfPacedProblem,
  regulariser: SelfPacedRegulariser,
  from: Knot,
  to: Knot,
  violated: { readonly at: number; readonly members: readonly number[] },
  sets: Sets,
  system: FrozenSystem,
): Located | undefined {
  const { at, members } = violated;
  const slackAt = (x: Float64Array, age: number) => {
    const slack = problem.slack(x, { regulariser, age }, sets);
    return Float64Array.from(members, (k) => slack[k]!);
  };
  let [low, high] = [from.age, at];
  let slackLow = slackAt(from.solution, low);
  let slackHigh = slackAt(interpolate(from, to, high), high);
  for (let i = 0; i < 100 && Math.abs(high - low) > 1e-15 * Math.abs(high); i++) {
    // Every other time the half, or a curved slack would creep up from one side.
    let part = 0.5;
    if (i % 2 === 0) {
      part = 1;
      for (let k = 0; k < slackHigh.length; k++) {
        if (slackHigh[k]! >= 0) continue;
        const start = Math.max(slackLow[k]!, 0);
        part = Math.min(part, start / (start - slackHigh[k]!));
      }
    }
    const age = low + part * (high - low);
    const slack = slackAt(interpolate(from, to, age), age);
    const least = slack.reduce((a, b) => Math.min(a, b), Infinity);
    if (least < 0) [high, slackHigh] = [age, slack];
    else [low, slackLow] = [age, slack];
    if (Math.abs(least) <= 1e-13) break;
  }
  const inside = (age: number) =>
    from.age <= to.age ? age >= from.age && age <= to.age : age <= from.age && age >= to.age;
  const still = from.solution === to.solution;
  const solveAt = (age: number) =>
    age === from.age || still
      ? from.solution
      : correctWith(problem, system, interpolate(from, to, age), { regulariser, age }, sets);
  const probe = (to.age - from.age) * 1e-3;
  let age = high;
  let solution = solveAt(age);
  if (solution === undefined) return undefined;
  let slack = slackAt(solution, age);
  let index = indexOfLeast(slack);
  // Newton's method on the corrected solution, whose slack differs a little from the interpolant's: another may even be first.
  for (let i = 0; i < 10 && Math.abs(slack[index]!) > 1e-14; i++) {
    const here = slackAt(interpolate(from, to, age), age)[index]!;
    const rate = (slackAt(interpolate(from, to, age + probe), age + probe)[index]! - here) / probe;
    const next = age - slack[index]! / rate;
    const there = inside(next) ? solveAt(next) : undefined;
    if (there === undefined) break;
    const slackThere = slackAt(there, next);
    const indexThere = indexOfLeast(slackThere);
    if (indexThere === index && !(Math.abs(slackThere[index]!) < Math.abs(slack[index]!))) break;
    [age, solution, slack, index] = [next, there, slackThere, indexThere];
  }
  // At the very start of the step a slack may already lie a rounding below 0.
  if (Math.abs(slack[index]!) > VIOLATION && age !== from.age) return undefined;
  return { age, solution, index: members[index]! };
}

function indexOfLeast(values: Float64Array): number {
  let index = 0;
  for (let k = 1; k < values.length; k++) if (values[k]! < values[index]!) index = k;
  return index;
}
