/** Optimizer steps on the parameters of an MLP, and of a ResNet50: one dispatch each, bound by memory. */
import { RandomStream } from '../../src/base/random.ts';
import { adamStep } from '../../src/kernels/optimizer/adam.ts';
import { sgdStep } from '../../src/kernels/optimizer/sgd.ts';
import { adam, sgd } from '../../test/reference/kernels/optimizers.ts';
import type { Family, TimedCase } from '../case.ts';
import { firstWrong } from '../check.ts';
import { dispatching } from './dispatching.ts';

const SIZES: readonly (readonly [parameters: number, hardwareOnly: boolean])[] = [
  [669_706, false], // 784-512-512-10
  [25_557_032, true], // ResNet50
];

export const optimizerFamily: Family = {
  name: 'optimizer',
  about: 'steps of SGD with momentum and of Adam',
  cases: async () =>
    SIZES.flatMap(([parameters, hardwareOnly]) =>
      (['sgd', 'adam'] as const).map((rule) => optimizerCase(rule, parameters, hardwareOnly)),
    ),
};

const SGD = { learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4, nesterov: false };
const ADAM = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 };

function optimizerCase(rule: 'sgd' | 'adam', parameters: number, hardwareOnly: boolean): TimedCase {
  return {
    name: `optimizer/${rule}/${parameters}`,
    // read: parameter, gradient, state; written: parameter, state
    bytes: 4 * parameters * (rule === 'sgd' ? 5 : 7),
    hardwareOnly,
    prepare() {
      const stream = new RandomStream(1, `bench optimizer ${parameters}`);
      const [weights, gradients] = [new Float32Array(parameters), new Float32Array(parameters)];
      stream.derive('weights').fillNormal(weights);
      stream.derive('gradients').fillNormal(gradients);
      const expected = Float64Array.from(weights, (weight, i) => {
        const gradient = [gradients[i]!];
        return rule === 'sgd' ? sgd(weight, gradient, SGD)[0]! : adam(weight, gradient, ADAM, false)[0]!;
      });
      return {
        own: (context) => [
          dispatching(context, ({ of }) => {
            const zeros = () => [of(new Float32Array(parameters))];
            const [weight, gradient] = [of(weights), of(gradients)];
            const call = { parameters: [weight], gradients: [gradient] };
            const dispatches =
              rule === 'sgd'
                ? sgdStep(context, { ...call, ...SGD, velocities: zeros() })
                : adamStep(context, {
                    ...{ ...call, ...ADAM, step: 1 },
                    ...{ firstMoments: zeros(), secondMoments: zeros() },
                  });
            return { dispatches, results: [weight] };
          }),
        ],
        // a handful of operations on numbers of the size of weight and gradient
        check: ([values]) =>
          firstWrong(
            values!,
            expected,
            (i) => 8 * 2 ** -24 * (Math.abs(weights[i]!) + Math.abs(gradients[i]!) + 1e-3),
          ),
      };
    },
  };
}
