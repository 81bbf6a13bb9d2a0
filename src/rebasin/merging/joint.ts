/**
 * Methods that move every model towards all others, round after round, until a whole round makes no progress: the models have one
 * common frame, through which all maps between them go, so these compose to the identity around every cycle.
 *
 * Progress is measured in f64: a model is moved only if its distance to the mean of the others falls by more than 1e-7 of itself, the
 * resolution of the f32 products that matchings are computed from. Since ||x_i - mean of the others||^2 is, but for what stays constant,
 * the sum over the others of ||x_i - x_j||^2 / (n - 1), each move also brings down the distances of all pairs, whatever the matcher:
 * no round makes them worse, and rounds end.
 */
import { RandomStream } from '../../base/random.ts';
import type { Context } from '../../runtime/context.ts';
import { type Matcher, weightMatcher } from '../matching/matcher.ts';
import { composeGroups, meanOf } from './common-frame.ts';
import type { MergingRun } from './merging-run.ts';
import { mergeByReference } from './pairwise.ts';

export const MAX_ROUNDS = 100;
const PROGRESS = 1e-7;

/**
 * MergeMany (Ainsworth, Hayase and Srinivasa 2022, "Git Re-Basin"; ALGORITHMS 2.4): in a new random order each round, every
 * model is matched to the mean of all others. @returns whether it ended by itself.
 */
export async function mergeMany(run: MergingRun): Promise<boolean> {
  return await moveUntilSettled(run, 'merge many: order of models');
}

/**
 * Cycle-consistent merging (Crisostomi et al. 2024, "C2M3: Cycle-Consistent Multi-Model Merging"): maximises the sum over
 * pairs of <pi_i(theta_i), pi_j(theta_j)>, each pi into a common universe. Where the paper takes Frank-Wolfe steps, here it is coordinate
 * ascent over (model, group): the best permutation of one group of one model is a linear sum assignment against the sum of all other
 * models, solved exactly; the objective never falls. It starts from all models matched to model 0, so it ends at least as high.
 *
 * @param context the assignments are those of weights, on the GPU; the caller's matcher gives the start.
 * @returns whether it ended by itself.
 */
export async function mergeCycleConsistently(context: Context, run: MergingRun): Promise<boolean> {
  const { spec, signal } = run;
  await mergeByReference(run);
  const oneSweep = weightMatcher(context, { spec, maxSweeps: 1, ...(signal ? { signal } : {}) });
  return await moveUntilSettled(run, 'cycle-consistent merging: order of models', oneSweep);
}

async function moveUntilSettled(run: MergingRun, purpose: string, matcher?: Matcher): Promise<boolean> {
  const orders = new RandomStream(run.seed, purpose);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let moved = false;
    for (const model of orders.derive(round).permutation(run.count)) {
      if (await moveTowardsOthers(run, model, matcher)) moved = true;
    }
    run.endRound();
    if (!moved) return true;
  }
  return false;
}

/** @returns whether the model came closer to the mean of the others; if not, it is where it was. */
async function moveTowardsOthers(run: MergingRun, model: number, matcher?: Matcher): Promise<boolean> {
  const { frame, count } = run;
  const sums = frame.sum(frame.others(model));
  const before = frame.permutations[model]!;
  const distance = () => frame.distance(sums, count - 1, frame.aligned(model));
  const farthest = distance() * (1 - PROGRESS);
  const step = await run.match(meanOf(sums, count - 1), frame.aligned(model), matcher);
  frame.place(model, composeGroups(before, step));
  if (distance() < farthest) return true;
  frame.place(model, before);
  return false;
}
