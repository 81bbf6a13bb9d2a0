/**
 * `@tensorflow/tfjs-core` with its WebGPU backend: eager operations. Convolutions run NHWC, its fast and right layout, on data that is laid
 * out so beforehand; results are put back when they are read.
 */
import { convShapes } from '../../test/reference/kernels/conv.ts';
import { type Contestant, inParts, type Waiting } from '../case.ts';
import { forward, inputsOf, type NetworkOperations } from '../networks.ts';
import type {
  ConvProblem,
  CrossMomentsProblem,
  GatherProblem,
  MatmulProblem,
  NetworkShapes,
  NetworkState,
  Problem,
  SoftmaxProblem,
  StatisticsProblem,
  SweepProblem,
  TrainingProblem,
} from '../problem.ts';
import { concatenated, hwioToOihw, nchwToNhwc, nhwcToNchw, oihwToHwio } from './layouts.ts';
import { type Peer, PeerCannot, type PeerHost, type PeerSource } from './peer.ts';

type Tf = typeof import('@tensorflow/tfjs-core');
type Tensor = import('@tensorflow/tfjs-core').Tensor;
type Tensor2D = import('@tensorflow/tfjs-core').Tensor2D;
type Tensor4D = import('@tensorflow/tfjs-core').Tensor4D;

/** What is used of the backend to wait for it without reading anything back. */
interface Backend {
  readonly device: GPUDevice;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
}

const PACKAGES = ['@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-webgpu'];

export const tfjsSource: PeerSource = {
  engine: 'tfjs-webgpu',
  packages: PACKAGES,
  async load(host: PeerHost): Promise<Peer> {
    const tf = await import('@tensorflow/tfjs-core');
    await import('@tensorflow/tfjs-backend-webgpu');
    if (!(await tf.setBackend('webgpu'))) throw new Error('tfjs finds no WebGPU device');
    await tf.ready();
    const trains = await loadGradients(host);
    tf.env().set('WEBGPU_CPU_FORWARD', false); // small tensors too go to the GPU that is measured
    return {
      engine: 'tfjs-webgpu',
      versions: host.versions(PACKAGES),
      adapterInfo: (tf.backend() as unknown as Backend).device.adapterInfo,
      concerns: ({ kind }) => kind !== 'assignment',
      contestant: async (problem) => {
        if (problem.kind === 'training' && !trains) throw new PeerCannot(NO_GRADIENTS);
        return contestantOf(tf, problem);
      },
    };
  },
};

const NO_GRADIENTS =
  'its gradients are in files that Node takes only with esbuild: npm install --save-dev esbuild';

/** Gradients are in a file of their own, which registers them for every copy of the library. @returns whether they are there. */
async function loadGradients({ runModule }: PeerHost): Promise<boolean> {
  try {
    await import('@tensorflow/tfjs-core/dist/register_all_gradients.js');
    return true;
  } catch {
    // an ES module without the package saying so
  }
  return (
    (await runModule?.('@tensorflow/tfjs-core/dist/register_all_gradients.js').then(
      () => true,
      () => false,
    )) ?? false
  );
}

function contestantOf(tf: Tf, problem: Problem): Contestant {
  switch (problem.kind) {
    case 'matmul':
      return matmul(tf, problem);
    case 'conv':
      return conv(tf, problem);
    case 'statistics':
      return statistics(tf, problem);
    case 'cross-moments':
      return crossMoments(tf, problem);
    case 'softmax':
      return softmax(tf, problem);
    case 'gather':
      return gather(tf, problem);
    case 'training':
      return training(tf, problem);
    case 'sweep':
      return sweep(tf, problem);
    default:
      throw new PeerCannot(`tfjs has nothing for ${problem.kind}`);
  }
}

async function finish(tf: Tf, wait: Waiting): Promise<void> {
  const backend = tf.backend() as unknown as Backend;
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.submitQueue();
  await wait(backend.device.queue.onSubmittedWorkDone());
}

/** Operations on tensors that stay. @param read puts results into the problem's layout. */
function eager(
  tf: Tf,
  inputs: readonly Tensor[],
  compute: () => Tensor[],
  read: (values: Float32Array[]) => Float32Array[] = (values) => values,
): Contestant {
  let last: Tensor[] = [];
  return {
    ...inParts({
      start() {
        tf.dispose(last);
        last = tf.tidy(compute);
      },
      finish: (wait) => finish(tf, wait),
    }),
    read: async () => read(await Promise.all(last.map((tensor) => tensor.data() as Promise<Float32Array>))),
    destroy: () => tf.dispose([...inputs, ...last]),
  };
}

function matmul(tf: Tf, { layout, m, n, k, a, b, bias }: MatmulProblem): Contestant {
  const x = tf.tensor2d(a, layout === 'TN' ? [k, m] : [m, k]);
  const y = tf.tensor2d(b, layout === 'NT' ? [n, k] : [k, n]);
  const z = bias && tf.tensor1d(bias);
  const [transposeA, transposeB] = [layout === 'TN', layout === 'NT'];
  return eager(tf, z ? [x, y, z] : [x, y], () => [
    z
      ? tf.fused.matMul({ ...{ a: x, b: y, transposeA, transposeB }, bias: z, activation: 'relu' })
      : tf.matMul(x, y, transposeA, transposeB),
  ]);
}

function conv(tf: Tf, { task, sizes, input, weight, gradient }: ConvProblem): Contestant {
  const shapes = convShapes(sizes);
  const nhwc = ([n, c, h, w]: readonly number[]) => [n!, h!, w!, c!] as [number, number, number, number];
  const hwio = ([o, i, h, w]: readonly number[]) => [h!, w!, i!, o!] as [number, number, number, number];
  const x = tf.tensor4d(nchwToNhwc(input, shapes.input), nhwc(shapes.input));
  const w = tf.tensor4d(oihwToHwio(weight, shapes.weight), hwio(shapes.weight));
  const dy = tf.tensor4d(nchwToNhwc(gradient, shapes.output), nhwc(shapes.output));
  const strides = sizes.stride as [number, number];
  const pad = sizes.padding[0];
  const options = { strides, pad, dataFormat: 'NHWC', dimRoundingMode: 'floor' as const };
  const kernel = (name: string, operands: Record<string, Tensor>, more: object): Tensor =>
    tf.engine().runKernel(name, operands, { ...options, ...more });
  const inputGradient = () =>
    kernel('Conv2DBackpropInput', { dy, filter: w }, { inputShape: nhwc(shapes.input) });
  const weightGradient = () =>
    kernel('Conv2DBackpropFilter', { x, dy }, { filterShape: hwio(shapes.weight) });
  const asInput = (values: Float32Array) => nhwcToNchw(values, shapes.input);
  const asWeight = (values: Float32Array) => hwioToOihw(values, shapes.weight);
  const inputs = [x, w, dy];
  switch (task) {
    case 'forward':
      return eager(
        ...([tf, inputs, () => [tf.conv2d(x, w, strides, pad, 'NHWC', 1, 'floor')]] as const),
        ([y]) => [nhwcToNchw(y!, shapes.output)],
      );
    case 'input-gradient':
      return eager(
        tf,
        inputs,
        () => [inputGradient()],
        ([dx]) => [asInput(dx!)],
      );
    case 'weight-gradient':
      return eager(
        tf,
        inputs,
        () => [weightGradient()],
        ([dw]) => [asWeight(dw!)],
      );
    default:
      return eager(...([tf, inputs, () => [inputGradient(), weightGradient()]] as const), ([dx, dw]) => [
        asInput(dx!),
        asWeight(dw!),
      ]);
  }
}

function statistics(tf: Tf, { shape, values }: StatisticsProblem): Contestant {
  const [n, c, h, w] = shape;
  const x = tf.tensor4d(nchwToNhwc(values, shape), [n, h, w, c]);
  return eager(tf, [x], () => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    return [mean, variance];
  });
}

function crossMoments(tf: Tf, problem: CrossMomentsProblem): Contestant {
  const { self, samples, channels, positions } = problem;
  const upload = (values: Float32Array, shift: Float32Array) =>
    [tf.tensor3d(values, [samples, channels, positions]), tf.tensor3d(shift, [1, channels, 1])] as const;
  const [a, s] = upload(problem.a, problem.shiftA);
  const [b, t] = self ? [a, s] : upload(problem.b, problem.shiftB);
  // [channels, samples positions], which a product takes as it is
  const rows = (x: Tensor, shift: Tensor): Tensor2D =>
    tf.reshape(tf.transpose(tf.sub(x, shift), [1, 0, 2]), [channels, samples * positions]);
  return eager(tf, [...new Set([a, s, b, t])], () => {
    const x = rows(a, s);
    return [tf.matMul(x, self ? x : rows(b, t), false, true)];
  });
}

function softmax(tf: Tf, { log, rows, classes, logits }: SoftmaxProblem): Contestant {
  const x = tf.tensor2d(logits, [rows, classes]);
  return eager(tf, [x], () => [log ? tf.logSoftmax(x, 1) : tf.softmax(x, 1)]);
}

function gather(tf: Tf, { rows, length, table, index }: GatherProblem): Contestant {
  const x = tf.tensor2d(table, [rows, length]);
  const places = tf.tensor1d(Int32Array.from(index), 'int32');
  return eager(tf, [x, places], () => [tf.gather(x, places, 0)]);
}

const EPSILON = 1e-5;

function operationsOf(tf: Tf, isTraining: boolean): NetworkOperations<Tensor> {
  return {
    linear: (x, weight, bias) => tf.add(tf.matMul(x as Tensor2D, weight as Tensor2D, false, true), bias),
    conv: (x, weight, { stride, padding }) =>
      tf.conv2d(x as Tensor4D, weight as Tensor4D, stride, padding, 'NHWC', 1, 'floor'),
    batchNorm(x, { weight, bias, mean, variance }) {
      const given = isTraining ? tf.moments(x, [0, 1, 2]) : { mean, variance };
      return tf.batchNorm(
        ...([x, given.mean, given.variance] as [Tensor4D, Tensor, Tensor] as [Tensor4D, never, never]),
        ...([bias, weight, EPSILON] as [never, never, number]),
      );
    },
    relu: (x) => tf.relu(x),
    add: (x, y) => tf.add(x, y),
    globalAveragePool: (x) => tf.mean(x, [1, 2]),
    share: (x) => x,
  };
}

/** Values of a state, convolutions as [H, W, in, out]. */
function tensorsOf(tf: Tf, state: NetworkState, shapes: NetworkShapes): Map<string, Tensor> {
  return new Map(
    [...state].map(([name, values]) => {
      const shape = shapes.get(name)!;
      if (shape.length !== 4) return [name, tf.tensor(values, [...shape])];
      const [o, i, h, w] = shape as [number, number, number, number];
      return [name, tf.tensor4d(oihwToHwio(values, shape), [h, w, i, o])];
    }),
  );
}

function batchOf(tf: Tf, { network, images }: Pick<TrainingProblem, 'network' | 'images'>): [Tensor, Tensor] {
  const values = inputsOf(images);
  const [c, h, w] = network.inputShape as [number, number, number];
  const shape = [images.count, ...network.inputShape];
  const x =
    shape.length === 4
      ? tf.tensor4d(nchwToNhwc(values, shape), [images.count, h, w, c])
      : tf.tensor(values, shape);
  const oneHot = tf.oneHot(tf.tensor1d(Int32Array.from(images.labels), 'int32'), network.classes);
  return [x, tf.cast(oneHot, 'float32')];
}

function meanLoss(tf: Tf, logits: Tensor, oneHot: Tensor): Tensor {
  return tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits, 1), oneHot), 1)));
}

function training(tf: Tf, problem: TrainingProblem): Contestant {
  const { network, state, shapes, parameters, learningRate, momentum } = problem;
  const values = tensorsOf(tf, state, shapes);
  const variables = new Map(parameters.map((name) => [name, tf.variable(values.get(name)!)]));
  const [x, oneHot] = batchOf(tf, problem);
  const operations = operationsOf(tf, true);
  const optimizer = tf.train.momentum(learningRate, momentum);
  let loss: Tensor | undefined;
  const value = (name: string) => variables.get(name) ?? values.get(name)!;
  return {
    async run(wait) {
      loss?.dispose();
      const compute = () => meanLoss(tf, forward(network, operations, value, x), oneHot) as never;
      loss = optimizer.minimize(compute, true, [...variables.values()])!;
      await finish(tf, wait);
    },
    async read() {
      const parts = await Promise.all(
        parameters.map(async (name) => {
          const shape = shapes.get(name)!;
          const part = (await variables.get(name)!.data()) as Float32Array;
          return [name, shape.length === 4 ? hwioToOihw(part, shape) : part] as const;
        }),
      );
      return [(await loss!.data()) as Float32Array, concatenated(parts.map(([, part]) => part))];
    },
    destroy() {
      optimizer.dispose();
      tf.dispose([...values.values(), ...variables.values(), x, oneHot]);
      loss?.dispose();
    },
  };
}

function sweep(tf: Tf, problem: SweepProblem): Contestant {
  const { network, shapes, lambda } = problem;
  const [a, b] = [tensorsOf(tf, problem.a, shapes), tensorsOf(tf, problem.b, shapes)];
  const [x, oneHot] = batchOf(tf, problem);
  const operations = operationsOf(tf, false);
  let losses: number[] = [];
  return {
    async run(wait) {
      const found = lambda.map((at) =>
        tf.tidy(() => {
          const value = (name: string) => tf.add(tf.mul(a.get(name)!, 1 - at), tf.mul(b.get(name)!, at));
          return meanLoss(tf, forward(network, operations, value, x), oneHot);
        }),
      );
      const values = await wait(Promise.all(found.map((loss) => loss.data())));
      losses = values.map(([loss]) => loss!);
      tf.dispose(found);
    },
    read: async () => [Float32Array.from(losses)],
    destroy: () => tf.dispose([...a.values(), ...b.values(), x, oneHot]),
  };
}
