/**
 * Methods that rest on matchings of two models at a time (ALGORITHMS 2.4; Qu and Horvath 2024; Franke et al. 2025). Which pairs they
 * take decides the result: the cycle error of all pairs' matchings says how much.
 */
import { composeGroups, meanOf } from './common-frame.ts';
import type { MergingRun } from './merging-run.ts';

/** Every model is matched to model 0. */
export async function mergeByReference(run: MergingRun): Promise<void> {
  for (let model = 1; model < run.count; model++) run.frame.place(model, await run.pair(0, model));
  run.endRound();
}

/** Every model is matched to the one before it, and follows that one to model 0. */
export async function mergeSequentially(run: MergingRun): Promise<void> {
  for (let model = 1; model < run.count; model++) {
    const toNeighbour = await run.pair(model - 1, model);
    run.frame.place(model, composeGroups(toNeighbour, run.frame.permutations[model - 1]!));
  }
  run.endRound();
}

/**
 * A tree: neighbours are merged two by two, then the merged ones, until one is left. What is matched is the mean of all models of a
 * branch, so each counts the same wherever it stands. One level is a round; a branch without a partner waits for the next.
 */
export async function mergeHierarchically(run: MergingRun): Promise<void> {
  const { frame } = run;
  let branches = frame.models.map((_, model) => [model]);
  while (branches.length > 1) {
    const level: number[][] = [];
    for (let at = 0; at < branches.length; at += 2) {
      const [left, right = []] = branches.slice(at, at + 2);
      if (right.length > 0) {
        const isPair = left!.length + right.length === 2;
        const permutations = isPair
          ? await run.pair(left![0]!, right[0]!)
          : await run.match(meanOf(frame.sum(left!), left!.length), meanOf(frame.sum(right), right.length));
        for (const model of right) {
          frame.place(model, composeGroups(frame.permutations[model]!, permutations));
        }
      }
      level.push([...left!, ...right]);
    }
    branches = level;
    run.endRound();
  }
}
