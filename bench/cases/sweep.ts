/**
 * Eleven points of the line between two networks, losses read back. This library's sweep is checked on a few images against float64;
 * on all images everyone is compared with it.
 */
import type { Context } from '../../src/runtime/context.ts';
import type { Family, TimedCase } from '../case.ts';
import { firstWrong, NotComparable } from '../check.ts';
import {
  firstImages,
  forwardMultiplyAdds,
  imagesOf,
  MLP,
  networkName,
  RESNET20,
  stateOf,
} from '../networks.ts';
import type { Network, SweepProblem } from '../problem.ts';
import { isOurs } from '../result-line.ts';
import { mixed, referenceLoss, sweepContestant } from './network-contestants.ts';

const POINTS = 11;

export const sweepFamily: Family = {
  name: 'sweep',
  about: 'eleven points between two networks: the MLP on 1,000 images, ResNet20 on 100',
  cases: async () => [
    sweepCase(MLP, 1000),
    sweepCase(RESNET20, 100),
    sweepCase(MLP, 10_000, true),
    sweepCase(RESNET20, 1000, true),
  ],
};

/** A sweep as a case. */
function sweepCase(network: Network, count: number, hardwareOnly = false): TimedCase {
  return {
    name: `sweep/${networkName(network)}/${count}x${POINTS}`,
    flops: 2 * forwardMultiplyAdds(network) * count * POINTS,
    hardwareOnly,
    prepare() {
      const problem: SweepProblem = {
        ...{ kind: 'sweep', network, shapes: stateOf(network, 1).shapes },
        ...{ a: stateOf(network, 1).state, b: stateOf(network, 2).state },
        images: imagesOf(network, count),
        lambda: Array.from({ length: POINTS }, (_, i) => i / (POINTS - 1)),
      };
      let trusted: Float32Array | undefined;
      return {
        problem,
        own: (context) => [sweepContestant(context, problem)],
        verify: (context) => verifyOnFew(context, problem, network.kind === 'mlp' ? 16 : 2),
        check([loss], engine) {
          if (!trusted && isOurs(engine)) trusted = loss;
          if (!trusted) throw new NotComparable();
          return firstWrong(loss!, trusted, (i) => 1e-4 * Math.abs(trusted![i]!));
        },
      };
    },
  };
}

/** Both ends and the middle on the first `count` images, against float64. */
async function verifyOnFew(
  context: Context,
  whole: SweepProblem,
  count: number,
): Promise<string | undefined> {
  const lambda = [0, 0.5, 1];
  const problem = { ...whole, images: firstImages(whole.images, count), lambda };
  const { network, a, b, images } = problem;
  const contestant = sweepContestant(context, problem);
  try {
    await contestant.run(async (promise) => await promise);
    const [loss] = await contestant.read();
    const expected = lambda.map((at) => referenceLoss(network, mixed(a, b, at), images, false));
    return firstWrong(loss!, expected, (i) => 1e-5 * Math.abs(expected[i]!));
  } finally {
    contestant.destroy();
  }
}
