/** Convolutions, their two gradients one by one and together, at layers of ResNet20, ResNet50 and VGG. */
import { RandomStream } from '../../src/base/random.ts';
import { conv2d, conv2dInputGradient, conv2dWeightGradient } from '../../src/kernels/conv/conv2d.ts';
import {
  type ConvSizes,
  conv2dReference,
  convShapes,
  inputGradientReference,
  weightGradientReference,
} from '../../test/reference/kernels/conv.ts';
import type { Family, TimedCase } from '../case.ts';
import { firstOf, firstWrong, sumBound } from '../check.ts';
import type { ConvProblem } from '../problem.ts';
import { dispatching } from './dispatching.ts';
import { type ConvTask, type SampledReference, sampledConvReference } from './sampled-conv.ts';

type Task = ConvProblem['task'];

interface Layer {
  readonly input: readonly [N: number, C: number, H: number, W: number];
  readonly outputs: number;
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
  readonly hardwareOnly?: boolean;
}

const layer = (
  input: Layer['input'],
  outputs: number,
  kernel: number,
  stride = 1,
  padding = Math.floor(kernel / 2),
): Layer => ({ input, outputs, kernel, stride, padding });

const LAYERS: readonly Layer[] = [
  layer([32, 16, 32, 32], 16, 3), // ResNet20: first stage, last stage, stem, a change of stage
  layer([32, 64, 8, 8], 64, 3),
  layer([32, 3, 32, 32], 16, 3),
  layer([32, 16, 32, 32], 32, 3, 2),
  layer([32, 64, 16, 16], 64, 1), // 1 x 1
  layer([4, 3, 112, 112], 64, 7, 2), // the stem of an ImageNet ResNet
  layer([8, 128, 16, 16], 128, 3), // VGG on CIFAR, second block
  { ...layer([128, 64, 32, 32], 64, 3), hardwareOnly: true }, // VGG on CIFAR at batch 128
  { ...layer([128, 256, 8, 8], 256, 3), hardwareOnly: true },
  { ...layer([32, 64, 56, 56], 64, 3), hardwareOnly: true }, // ResNet50
  { ...layer([32, 256, 14, 14], 256, 3), hardwareOnly: true },
];

const TASKS: readonly Task[] = ['forward', 'input-gradient', 'weight-gradient', 'backward'];

export const convFamily: Family = {
  name: 'conv',
  about: 'convolutions and their gradients at VGG and ResNet shapes',
  cases: async () => LAYERS.flatMap((one) => TASKS.map((task) => convCase(task, one))),
};

/** One task on one layer as a case. */
export function convCase(task: Task, given: Layer): TimedCase {
  const { kernel, stride, padding } = given;
  const [n, c, h, w] = given.input;
  const sizes: ConvSizes = {
    ...{ n, c, h, w, o: given.outputs, groups: 1 },
    ...{ kernel: [kernel, kernel], stride: [stride, stride], padding: [padding, padding] },
  };
  const shapes = convShapes(sizes);
  const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
  const products = count(shapes.output) * count(shapes.weight.slice(1));
  const all = count(shapes.input) + count(shapes.weight) + count(shapes.output);
  const passes = task === 'backward' ? 2 : 1;
  return {
    name: `conv/${task}/${n}x${c}x${h}x${w}-to-${given.outputs}-${kernel}x${kernel}-s${stride}-p${padding}`,
    flops: 2 * products * passes,
    bytes: 4 * all * passes,
    hardwareOnly: given.hardwareOnly ?? false,
    classes: ['f16'],
    prepare() {
      const problem = problemOf(task, sizes);
      const parts: readonly ConvTask[] = task === 'backward' ? ['input-gradient', 'weight-gradient'] : [task];
      const expected = parts.map((part) => expectedOf(part, problem, products));
      return {
        problem,
        own: (context) => [
          dispatching(context, (tensors) => {
            const views = {
              input: () => tensors.of(problem.input, shapes.input),
              weight: () => tensors.of(problem.weight, shapes.weight),
              outputGradient: () => tensors.of(problem.gradient, shapes.output),
            };
            const made = parts.map((part) => {
              const shape = { forward: 'output', 'input-gradient': 'input', 'weight-gradient': 'weight' }[
                part
              ] as keyof typeof shapes;
              const output = tensors.make(shapes[shape]);
              const { input, weight, outputGradient } = views;
              const dispatches =
                part === 'forward'
                  ? conv2d(context, { ...sizes, input: input(), weight: weight(), output })
                  : part === 'input-gradient'
                    ? conv2dInputGradient(context, {
                        ...{ ...sizes, outputGradient: outputGradient(), weight: weight(), output },
                      })
                    : conv2dWeightGradient(context, {
                        ...{ ...sizes, input: input(), outputGradient: outputGradient(), output },
                        scratch: tensors.make,
                      });
              return { dispatches, output };
            });
            return {
              dispatches: made.flatMap(({ dispatches }) => dispatches),
              results: made.map(({ output }) => output),
            };
          }),
        ],
        check: (results, engine) =>
          firstOf(
            ...expected.map(({ values, magnitudes, terms, places }, i) =>
              firstWrong(results[i]!, values, (at) => sumBound(terms, magnitudes[at]!, engine), places),
            ),
          ),
      };
    },
  };
}

function problemOf(task: Task, sizes: ConvSizes): ConvProblem {
  const shapes = convShapes(sizes);
  const values = (name: string, shape: readonly number[]) => {
    const array = new Float32Array(shape.reduce((a, b) => a * b, 1));
    new RandomStream(1, `bench conv ${JSON.stringify(sizes)} ${name}`).fillUniform(array, -1, 1);
    return array;
  };
  return {
    ...{ kind: 'conv', task, sizes },
    input: values('input', shapes.input),
    weight: values('weight', shapes.weight),
    gradient: values('gradient', shapes.output),
  };
}

/** Products that plain loops do in a second. */
const FULL_CHECK = 2 ** 27;

type Expected = Pick<SampledReference, 'terms'> & {
  readonly values: ArrayLike<number>;
  readonly magnitudes: ArrayLike<number>;
  readonly places: readonly number[] | undefined;
};

function expectedOf(part: ConvTask, problem: ConvProblem, products: number): Expected {
  const { sizes, input, weight, gradient } = problem;
  if (products > FULL_CHECK) return sampledConvReference(part, sizes, convShapes(sizes), problem);
  const whole = {
    forward: () => conv2dReference(sizes, input, weight),
    'input-gradient': () => inputGradientReference(sizes, gradient, weight),
    'weight-gradient': () => weightGradientReference(sizes, input, gradient),
  };
  return { ...whole[part](), places: undefined };
}
