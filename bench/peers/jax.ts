/** `@jax-js/jax`: a compiler of array programs; everything is jitted. Arrays are counted by hand: each use consumes a reference. */

import { convShapes } from '../../test/reference/kernels/conv.ts';
import { type Contestant, inParts } from '../case.ts';
import { forward, inputsOf, type NetworkOperations } from '../networks.ts';
import type {
  ConvProblem,
  CrossMomentsProblem,
  GatherProblem,
  MatmulProblem,
  NetworkState,
  Problem,
  SoftmaxProblem,
  StatisticsProblem,
  SweepProblem,
  TrainingProblem,
} from '../problem.ts';
import { concatenated } from './layouts.ts';
import { type Peer, PeerCannot, type PeerHost, type PeerSource } from './peer.ts';

type Jax = typeof import('@jax-js/jax');
type Values = ReturnType<Jax['numpy']['array']>;

export const jaxSource: PeerSource = {
  engine: 'jax-js',
  packages: ['@jax-js/jax'],
  async load(host: PeerHost): Promise<Peer> {
    const jax = await import('@jax-js/jax');
    if (!(await jax.init('webgpu')).includes('webgpu')) throw new Error('jax-js finds no WebGPU device');
    jax.defaultDevice('webgpu');
    return {
      engine: 'jax-js',
      versions: host.versions(['@jax-js/jax']),
      adapterInfo: jax.getWebGPUDevice().adapterInfo,
      concerns: ({ kind }) => kind !== 'assignment',
      contestant: async (problem) => contestantOf(jax, problem),
    };
  },
};

function contestantOf(jax: Jax, problem: Problem): Contestant {
  switch (problem.kind) {
    case 'matmul':
      return matmul(jax, problem);
    case 'conv':
      return conv(jax, problem);
    case 'statistics':
      return statistics(jax, problem);
    case 'cross-moments':
      return crossMoments(jax, problem);
    case 'softmax':
      return softmax(jax, problem);
    case 'gather':
      return gather(jax, problem);
    case 'training':
      return training(jax, problem);
    case 'sweep':
      return sweep(jax, problem);
    default:
      throw new PeerCannot(`jax-js has nothing for ${problem.kind}`);
  }
}

/**
 * A jitted function of arrays that stay as they are. One output is waited for: it has all that the call is to submit, in one queue, and each
 * `blockUntilReady` costs a staging buffer, a submit and a mapping.
 */
function jitted(jax: Jax, inputs: readonly Values[], compute: (...inputs: Values[]) => Values[]): Contestant {
  const call = jax.jit(compute);
  const dispose = (outputs: readonly Values[]) => {
    for (const array of outputs) array.dispose();
  };
  let last: Values[] = [];
  // It is lazy: what is disposed of before it is waited for is never computed.
  let started: Values[][] = [];
  return {
    ...inParts({
      start() {
        started.push(call(...inputs.map((array) => array.ref)) as Values[]);
      },
      async finish(wait) {
        await wait(Promise.all(started.map(([first]) => first!.blockUntilReady())));
        for (const outputs of [last, ...started.slice(0, -1)]) dispose(outputs);
        last = started.at(-1)!;
        started = [];
      },
    }),
    read: () => Promise.all(last.map((array) => array.ref.data() as Promise<Float32Array>)),
    destroy() {
      dispose([...last, ...started.flat(), ...inputs]);
      call.dispose();
    },
  };
}

function matmul(jax: Jax, { layout, m, n, k, a, b, bias }: MatmulProblem): Contestant {
  const { numpy, nn } = jax;
  const inputs = [
    numpy.array(a, { shape: layout === 'TN' ? [k, m] : [m, k] }),
    numpy.array(b, { shape: layout === 'NT' ? [n, k] : [k, n] }),
    ...(bias ? [numpy.array(bias, { shape: [n] })] : []),
  ];
  return jitted(jax, inputs, (x, y, z) => {
    const product = numpy.matmul(
      layout === 'TN' ? numpy.matrixTranspose(x!) : x!,
      layout === 'NT' ? numpy.matrixTranspose(y!) : y!,
    );
    return [z ? nn.relu(numpy.add(product, z)) : product];
  });
}

function conv(jax: Jax, { task, sizes, input, weight, gradient }: ConvProblem): Contestant {
  const { numpy, lax } = jax;
  const shapes = convShapes(sizes);
  const [vertical, horizontal] = sizes.padding;
  const padding: [number, number][] = [
    [vertical, vertical],
    [horizontal, horizontal],
  ];
  const convolve = (x: Values, w: Values) => lax.convGeneralDilated(x, w, [...sizes.stride], padding);
  const x = numpy.array(input, { shape: shapes.input });
  const w = numpy.array(weight, { shape: shapes.weight });
  if (task === 'forward') return jitted(jax, [x, w], (a, b) => [convolve(a!, b!)]);
  const dy = numpy.array(gradient, { shape: shapes.output });
  const argnums = { 'input-gradient': [0], 'weight-gradient': [1], backward: [0, 1] }[task];
  // The gradient of sum(y dy): exactly these gradients, since y itself is not asked for.
  return jitted(
    jax,
    [x, w, dy],
    (a, b, d) =>
      jax.grad((p: Values, q: Values) => numpy.sum(numpy.multiply(convolve(p, q), d!)), { argnums })(
        a!,
        b!,
      ) as Values[],
  );
}

function statistics(jax: Jax, { shape, values }: StatisticsProblem): Contestant {
  const { numpy } = jax;
  const axes = [0, 2, 3];
  return jitted(jax, [numpy.array(values, { shape: [...shape] })], (x) => [
    numpy.mean(x!.ref, axes),
    numpy.var_(x!, axes),
  ]);
}

function crossMoments(jax: Jax, problem: CrossMomentsProblem): Contestant {
  const { numpy } = jax;
  const { self, samples, channels, positions } = problem;
  const upload = (values: Float32Array<ArrayBuffer>, shift: Float32Array<ArrayBuffer>) => [
    numpy.array(values, { shape: [samples, channels, positions] }),
    numpy.array(shift, { shape: [1, channels, 1] }),
  ];
  const inputs = [...upload(problem.a, problem.shiftA), ...(self ? [] : upload(problem.b, problem.shiftB))];
  return jitted(jax, inputs, (a, s, b, t) => {
    const x = numpy.subtract(a!, s!);
    const y = b && t ? numpy.subtract(b, t) : x.ref;
    return [
      numpy.tensordot(x, y, [
        [0, 2],
        [0, 2],
      ]),
    ];
  });
}

function softmax(jax: Jax, { log, rows, classes, logits }: SoftmaxProblem): Contestant {
  const { numpy, nn } = jax;
  const x = numpy.array(logits, { shape: [rows, classes] });
  return jitted(jax, [x], (a) => [log ? nn.logSoftmax(a!, 1) : nn.softmax(a!, 1)]);
}

function gather(jax: Jax, { rows, length, table, index }: GatherProblem): Contestant {
  const { numpy } = jax;
  const places = numpy.array(Int32Array.from(index));
  return jitted(jax, [numpy.array(table, { shape: [rows, length] }), places], (x, i) => [
    numpy.take(x!, i!, 0),
  ]);
}

/** Shapes by name, from the lengths of a state and what its names say. */
function arraysOf(
  jax: Jax,
  state: NetworkState,
  shapes: ReadonlyMap<string, readonly number[]>,
  names: readonly string[],
): Values[] {
  return names.map((name) =>
    jax.numpy.array(state.get(name)! as Float32Array<ArrayBuffer>, { shape: [...shapes.get(name)!] }),
  );
}

const EPSILON = 1e-5;

function operationsOf(jax: Jax, isTraining: boolean): NetworkOperations<Values> {
  const { numpy, lax, nn } = jax;
  const perChannel = (values: Values) => numpy.reshape(values, [1, -1, 1, 1]);
  return {
    linear: (x, weight, bias) => numpy.add(numpy.matmul(x, numpy.matrixTranspose(weight)), bias),
    conv: (x, weight, { stride, padding }) =>
      lax.convGeneralDilated(
        x,
        weight,
        [stride, stride],
        [
          [padding, padding],
          [padding, padding],
        ],
      ),
    batchNorm(x, { weight, bias, mean, variance }) {
      const axes = [0, 2, 3];
      const [m, v] = isTraining
        ? [numpy.mean(x.ref, axes, { keepdims: true }), numpy.var_(x.ref, axes, { keepdims: true })]
        : [perChannel(mean.ref), perChannel(variance.ref)];
      mean.dispose();
      variance.dispose();
      const scale = numpy.divide(perChannel(weight), numpy.sqrt(numpy.add(v, EPSILON)));
      return numpy.add(numpy.multiply(numpy.subtract(x, m), scale), perChannel(bias));
    },
    relu: (x) => nn.relu(x),
    add: (x, y) => numpy.add(x, y),
    globalAveragePool: (x) => numpy.mean(x, [2, 3]),
    share: (x) => x.ref,
  };
}

/** Images and one row of zeros and a one for each label. */
function batchOf(
  jax: Jax,
  { network, images }: Pick<TrainingProblem, 'network' | 'images'>,
): [Values, Values] {
  const { numpy } = jax;
  const oneHot = new Float32Array(images.count * network.classes);
  for (const [i, label] of images.labels.entries()) oneHot[i * network.classes + label] = 1;
  return [
    numpy.array(inputsOf(images), { shape: [images.count, ...network.inputShape] }),
    numpy.array(oneHot, { shape: [images.count, network.classes] }),
  ];
}

function meanLoss(jax: Jax, logits: Values, oneHot: Values): Values {
  const { numpy, nn } = jax;
  const perSample = numpy.sum(numpy.multiply(nn.logSoftmax(logits, 1), oneHot), 1);
  return numpy.negative(numpy.mean(perSample));
}

function training(jax: Jax, problem: TrainingProblem): Contestant {
  const { numpy } = jax;
  const { network, state, shapes, parameters, learningRate, momentum } = problem;
  const buffers = [...state.keys()].filter((name) => !parameters.includes(name));
  const held = arraysOf(jax, state, shapes, buffers);
  const [x, oneHot] = batchOf(jax, problem);
  const operations = operationsOf(jax, true);
  const step = jax.jit(
    (weights: Values[], velocities: Values[], running: Values[], images: Values, targets: Values) => {
      const loss = (given: Values[]) => {
        const value = (name: string) =>
          parameters.includes(name) ? given[parameters.indexOf(name)]! : running[buffers.indexOf(name)]!;
        return meanLoss(jax, forward(network, operations, value, images), targets);
      };
      const [value, gradients] = jax.valueAndGrad(loss)(weights.map((w) => w.ref)) as [Values, Values[]];
      const moved = velocities.map((v, i) => numpy.add(numpy.multiply(v, momentum), gradients[i]!));
      const next = weights.map((w, i) => numpy.subtract(w, numpy.multiply(moved[i]!.ref, learningRate)));
      return [next, moved, value] as [Values[], Values[], Values];
    },
  );
  let weights = arraysOf(jax, state, shapes, parameters);
  let velocities = weights.map((array) => numpy.zeros(array.shape));
  let loss: Values | undefined;
  return {
    async run(wait) {
      loss?.dispose();
      const references = held.map((array) => array.ref);
      [weights, velocities, loss] = step(weights, velocities, references, x.ref, oneHot.ref) as [
        Values[],
        Values[],
        Values,
      ];
      await wait(loss.blockUntilReady());
    },
    async read() {
      const parts = await Promise.all(weights.map((array) => array.ref.data() as Promise<Float32Array>));
      return [(await loss!.ref.data()) as Float32Array, concatenated(parts)];
    },
    destroy() {
      for (const array of [...weights, ...velocities, ...held, x, oneHot]) array.dispose();
      loss?.dispose();
      step.dispose();
    },
  };
}

function sweep(jax: Jax, problem: SweepProblem): Contestant {
  const { numpy } = jax;
  const { network, a, b, shapes, lambda } = problem;
  const names = [...a.keys()];
  const ends = [arraysOf(jax, a, shapes, names), arraysOf(jax, b, shapes, names)] as const;
  const [x, oneHot] = batchOf(jax, problem);
  const operations = operationsOf(jax, false);
  const places = lambda.map((at) => numpy.array(Float32Array.of(at)));
  // Two functions: in one, the compiler would mix every weight again for each product that it takes part in.
  const mix = jax.jit((from: Values[], to: Values[], at: Values): Values[] => {
    const mixed = from.map((value, i) =>
      numpy.add(numpy.multiply(value, numpy.subtract(1, at.ref)), numpy.multiply(to[i]!, at.ref)),
    );
    at.dispose();
    return mixed;
  });
  const evaluate = jax.jit((weights: Values[], images: Values, targets: Values): Values => {
    const value = (name: string) => weights[names.indexOf(name)]!;
    return meanLoss(jax, forward(network, operations, value, images), targets);
  });
  let losses: number[] = [];
  return {
    async run(wait) {
      const found = places.map((at) => {
        const [from, to] = ends.map((arrays) => arrays.map((array) => array.ref));
        return evaluate(mix(from!, to!, at.ref) as Values[], x.ref, oneHot.ref) as Values;
      });
      const values = await wait(Promise.all(found.map((loss) => loss.data() as Promise<Float32Array>)));
      losses = values.map(([loss]) => loss!);
    },
    read: async () => [Float32Array.from(losses)],
    destroy() {
      for (const array of [...ends[0], ...ends[1], ...places, x, oneHot]) array.dispose();
      mix.dispose();
      evaluate.dispose();
    },
  };
}
