/** All families that run anywhere, in the order in which they run. Node adds some of its own (`node/families.ts`). */
import type { Case, Family } from './case.ts';
import { assignmentFamily } from './cases/assignment.ts';
import { convFamily } from './cases/conv.ts';
import { crossMomentsFamily } from './cases/cross-moments.ts';
import { dispatchCase } from './cases/dispatch.ts';
import { gatherFamily } from './cases/gather.ts';
import { matchingFamily } from './cases/matching.ts';
import { matmulFamily } from './cases/matmul.ts';
import { normFamily } from './cases/norm.ts';
import { optimizerFamily } from './cases/optimizer.ts';
import { softmaxFamily } from './cases/softmax.ts';
import { sweepFamily } from './cases/sweep.ts';
import { trainingFamily } from './cases/training.ts';

const hostFamily: Family = {
  name: 'host',
  about: 'host cost of dispatches',
  cases: async () => [dispatchCase],
};

export const portableFamilies: readonly Family[] = [
  ...[matmulFamily, convFamily, normFamily, crossMomentsFamily, softmaxFamily, optimizerFamily, gatherFamily],
  ...[trainingFamily, sweepFamily, matchingFamily, assignmentFamily, hostFamily],
];

/**
 * Cases of the named families (all, if none is named) whose names contain `only`.
 * @throws RangeError for a family that there is not, or when nothing is left.
 */
export async function chooseCases(
  families: readonly Family[],
  named: readonly string[],
  only: string,
): Promise<Case[]> {
  const known = families.map(({ name }) => name);
  const unknown = named.find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw new RangeError(`there is no family "${unknown}"; there are ${known.join(', ')}`);
  const chosen = families.filter(({ name }) => named.length === 0 || named.includes(name));
  const cases = (await Promise.all(chosen.map((family) => family.cases()))).flat();
  const found = cases.filter(({ name }) => name.includes(only));
  if (found.length === 0) throw new RangeError(`no case has "${only}" in its name; --list names all`);
  return found;
}
