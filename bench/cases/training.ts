/**
 * Whole training steps. This library's step is checked on a few images against float64: its loss, and its gradient along a random
 * direction by central differences of the float64 loss. On the whole batch everyone is compared with this library's step.
 */
import { RandomStream } from '../../src/base/random.ts';
import type { Context } from '../../src/runtime/context.ts';
import type { Family, TimedCase } from '../case.ts';
import { firstWrong, NotComparable } from '../check.ts';
import {
  firstImages,
  firstLayerMultiplyAdds,
  forwardMultiplyAdds,
  imagesOf,
  MLP,
  networkName,
  RESNET20,
  stateOf,
} from '../networks.ts';
import { concatenated } from '../peers/layouts.ts';
import type { Network, TrainingProblem } from '../problem.ts';
import { isOurs } from '../result-line.ts';
import { referenceLoss, trainingContestant } from './network-contestants.ts';

export const trainingFamily: Family = {
  name: 'training',
  about: 'one whole training step of an MLP and of a ResNet20',
  cases: async () => [
    trainingCase(MLP, 128),
    trainingCase(RESNET20, 32),
    trainingCase(RESNET20, 128),
    trainingCase(RESNET20, 512, true),
  ],
};

/** One step on a batch as a case. */
export function trainingCase(network: Network, batch: number, hardwareOnly = false): TimedCase {
  return {
    name: `training/${networkName(network)}/batch${batch}`,
    // backward is twice the forward pass, but for the gradient of the images, which nobody needs
    flops: 2 * (3 * forwardMultiplyAdds(network) - firstLayerMultiplyAdds(network)) * batch,
    hardwareOnly,
    prepare() {
      const problem = problemOf(network, batch);
      const initial = initialOf(problem);
      let trusted: readonly Float32Array[] | undefined;
      return {
        problem,
        own: (context) => [trainingContestant(context, problem)],
        verify: (context) => verifyOnFew(context, problem, network.kind === 'mlp' ? 16 : 2),
        check(results, engine) {
          if (!trusted && isOurs(engine)) trusted = results;
          if (!trusted) throw new NotComparable();
          const [loss, expected] = [results[0]![0]!, trusted[0]![0]!];
          const wrong = firstWrong([loss], [expected], () => 1e-4 * Math.abs(expected));
          if (wrong !== undefined) return `mean loss: ${wrong}`;
          // float32 sums in other orders differ by far less, gradients that miss a term by far more
          const off = distance(results[1]!, trusted[1]!) / distance(initial, trusted[1]!);
          return off <= 0.01 ? undefined : `the step differs by ${off.toPrecision(3)} of its length`;
        },
      };
    },
  };
}

function problemOf(network: Network, batch: number): TrainingProblem {
  const { entries, shapes, state } = stateOf(network, 1);
  const parameters = entries.filter(({ kind }) => kind === 'parameter').map(({ name }) => name);
  const images = imagesOf(network, batch);
  return {
    ...{ kind: 'training', network, state, shapes, parameters, images },
    learningRate: 0.01,
    momentum: 0.9,
  };
}

function initialOf({ parameters, state }: TrainingProblem): Float32Array {
  return concatenated(parameters.map((name) => state.get(name)!));
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.sqrt(a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0));
}

/**
 * How far parameters are moved, relative to each tensor's root mean square, for a difference of float64 losses: so little that hardly any
 * relu of a ResNet20 changes sides (at 1e-4 so many do that the difference is off by 4%).
 */
const DIFFERENCE = 1e-8;

/** The first step on the first `count` images, against float64. */
async function verifyOnFew(
  context: Context,
  whole: TrainingProblem,
  count: number,
): Promise<string | undefined> {
  const problem = { ...whole, images: firstImages(whole.images, count) };
  const contestant = trainingContestant(context, problem);
  try {
    await contestant.run(async (promise) => await promise);
    return wrongStep(problem, await contestant.read());
  } finally {
    contestant.destroy();
  }
}

/** What is wrong with the results of the first step, against float64. Takes three forward passes of plain loops. */
export function wrongStep(problem: TrainingProblem, results: readonly Float32Array[]): string | undefined {
  const { network, images, state, learningRate } = problem;
  const expected = referenceLoss(network, state, images, true);
  const loss = results[0]![0]!;
  if (!(Math.abs(loss - expected) <= 1e-5 * Math.abs(expected)))
    return `mean loss of ${images.count} images is ${loss}, expected ${expected}`;

  const initial = initialOf(problem);
  const gradient = Float64Array.from(results[1]!, (value, i) => (initial[i]! - value) / learningRate);
  const direction = directionOf(problem);
  let [along, length, noise] = [0, 0, 0];
  for (const [i, value] of gradient.entries()) {
    along += value * direction[i]!;
    length += (value * direction[i]!) ** 2;
    noise += ((2 ** -24 * initial[i]!) / learningRate) ** 2 * direction[i]! ** 2;
  }
  const moved = (by: number) => referenceLoss(network, movedState(problem, direction, by), images, true);
  const slope = (moved(DIFFERENCE) - moved(-DIFFERENCE)) / (2 * DIFFERENCE);
  // Of gradients whose entries had random signs: an entry that is wrong by a fiftieth of all shows, rounding of float32 does not.
  const bound = 0.02 * Math.sqrt(length) + 4 * Math.sqrt(noise);
  return Math.abs(along - slope) <= bound
    ? undefined
    : `the gradient along a direction is ${along}, expected ${slope} +- ${bound}`;
}

/** A random direction, in each tensor as long as its values (or as a thousandth where these are zeros). */
function directionOf({ parameters, state }: TrainingProblem): Float64Array {
  const parts = parameters.map((name) => {
    const values = state.get(name)!;
    const size = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length) || 1e-3;
    const direction = new Float64Array(values.length);
    new RandomStream(2, `bench direction ${name}`).fillUniform(direction, -size, size);
    return direction;
  });
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The state with its parameters moved. */
function movedState(
  { state, parameters }: TrainingProblem,
  direction: Float64Array,
  by: number,
): Map<string, ArrayLike<number>> {
  const moved = new Map<string, ArrayLike<number>>(state);
  let at = 0;
  for (const name of parameters) {
    const values = state.get(name)!;
    const start = at;
    moved.set(
      name,
      Float64Array.from(values, (value, i) => value + by * direction[start + i]!),
    );
    at += values.length;
  }
  return moved;
}
