/**
 * `onnxruntime-web` with its WebGPU execution provider. It runs ONNX graphs forward only; they are made by hand here, with all data as
 * inputs in GPU buffers, so that nothing is folded away and nothing is read back.
 */
import { convShapes } from '../../test/reference/kernels/conv.ts';
import { type Contestant, inParts } from '../case.ts';
import { forward, inputsOf, type NetworkOperations } from '../networks.ts';
import type { CrossMomentsProblem, Problem, SweepProblem } from '../problem.ts';
import { type OnnxGraph, type OnnxNode, type OnnxValue, onnxModel } from './onnx-model.ts';
import { type Peer, PeerCannot, type PeerHost, type PeerSource } from './peer.ts';

type Ort = typeof import('onnxruntime-web/webgpu');
type OrtTensor = import('onnxruntime-web/webgpu').Tensor;

/** What it is and what its data are. */
interface Input extends OnnxValue {
  readonly data: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
}

const PACKAGES = ['onnxruntime-web'];

export const onnxruntimeSource: PeerSource = {
  engine: 'onnxruntime-web',
  packages: PACKAGES,
  async load(host: PeerHost): Promise<Peer> {
    const ort = await import('onnxruntime-web/webgpu');
    ort.env.wasm.numThreads = 1; // the kernels run on the GPU, and its threads would want the adapter's cores
    ort.env.logLevel = 'error';
    if (host.onnxFiles !== undefined) ort.env.wasm.wasmPaths = host.onnxFiles;
    // Its device lives as long as any session does: this one is never closed.
    const value = { name: 'x', shape: [1] };
    const identity = { operation: 'Relu', inputs: ['x'], outputs: ['y'] };
    await sessionOf(ort, { nodes: [identity], inputs: [value], outputs: [{ ...value, name: 'y' }] });
    const device = (await ort.env.webgpu.device) as GPUDevice;
    return {
      engine: 'onnxruntime-web',
      versions: {
        ...host.versions(PACKAGES),
        ...(host.webAssembly === undefined ? {} : { 'onnxruntime-web WebAssembly': host.webAssembly }),
      },
      adapterInfo: device.adapterInfo,
      concerns: ({ kind }) => kind !== 'assignment',
      contestant: (problem) => contestantOf(ort, device, problem),
    };
  },
};

async function sessionOf(ort: Ort, graph: OnnxGraph) {
  const session = ort.InferenceSession.create(onnxModel(graph), {
    executionProviders: ['webgpu'],
    preferredOutputLocation: 'gpu-buffer',
    logSeverityLevel: 3,
    // what would run on the processor in silence is an error
    extra: { session: { disable_cpu_ep_fallback: '1' } },
  });
  return await session.catch((error) => {
    throw /CPU EP/.test(String(error))
      ? new PeerCannot('it would compute a part of this on the processor')
      : error;
  });
}

async function contestantOf(ort: Ort, device: GPUDevice, problem: Problem): Promise<Contestant> {
  const make = (
    inputs: readonly Input[],
    nodes: readonly OnnxNode[],
    outputs: readonly OnnxValue[],
    integers: OnnxGraph['integers'] = {},
  ) => running(ort, device, inputs, { nodes, inputs, outputs, integers });
  switch (problem.kind) {
    case 'matmul': {
      const { layout, m, n, k, bias } = problem;
      const a = { name: 'a', shape: layout === 'TN' ? [k, m] : [m, k], data: problem.a };
      const b = { name: 'b', shape: layout === 'NT' ? [n, k] : [k, n], data: problem.b };
      const y = { name: 'y', shape: [m, n] };
      if (layout === 'NN' && !bias)
        return await make([a, b], [{ operation: 'MatMul', inputs: ['a', 'b'], outputs: ['y'] }], [y]);
      const attributes = { transA: layout === 'TN' ? 1 : 0, transB: layout === 'NT' ? 1 : 0 };
      if (!bias)
        return await make(
          ...([
            [a, b],
            [{ operation: 'Gemm', inputs: ['a', 'b'], outputs: ['y'], attributes }],
            [y],
          ] as const),
        );
      const c = { name: 'c', shape: [n], data: bias };
      const nodes = [
        { operation: 'Gemm', inputs: ['a', 'b', 'c'], outputs: ['product'], attributes },
        { operation: 'Relu', inputs: ['product'], outputs: ['y'] },
      ];
      return await make([a, b, c], nodes, [y]);
    }
    case 'conv': {
      if (problem.task !== 'forward') throw new PeerCannot('it computes no gradients');
      const shapes = convShapes(problem.sizes);
      const { stride, padding } = problem.sizes;
      const inputs = [
        { name: 'x', shape: shapes.input, data: problem.input },
        { name: 'w', shape: shapes.weight, data: problem.weight },
      ];
      const attributes = { strides: stride, pads: [...padding, ...padding] };
      const node = { operation: 'Conv', inputs: ['x', 'w'], outputs: ['y'], attributes };
      return await make(inputs, [node], [{ name: 'y', shape: shapes.output }]);
    }
    case 'statistics': {
      const [, c] = problem.shape;
      const attributes = { axes: [0, 2, 3], keepdims: 1 };
      const nodes = [
        { operation: 'ReduceMean', inputs: ['x'], outputs: ['mean'], attributes },
        { operation: 'Sub', inputs: ['x', 'mean'], outputs: ['centred'] },
        { operation: 'Mul', inputs: ['centred', 'centred'], outputs: ['squares'] },
        { operation: 'ReduceMean', inputs: ['squares'], outputs: ['variance'], attributes },
      ];
      const outputs = ['mean', 'variance'].map((name) => ({ name, shape: [1, c, 1, 1] }));
      return await make([{ name: 'x', shape: problem.shape, data: problem.values }], nodes, outputs);
    }
    case 'cross-moments':
      return await crossMoments(make, problem);
    case 'softmax': {
      const { log, rows, classes, logits } = problem;
      const shape = [rows, classes];
      const nodes = softmaxNodes('x', 'y', log);
      return await make([{ name: 'x', shape, data: logits }], nodes, [{ name: 'y', shape }]);
    }
    case 'gather': {
      const { rows, length, table } = problem;
      const index = Int32Array.from(problem.index);
      const inputs: Input[] = [
        { name: 'x', shape: [rows, length], data: table },
        { name: 'i', shape: [index.length], data: index, type: 'int32' },
      ];
      const node = { operation: 'Gather', inputs: ['x', 'i'], outputs: ['y'], attributes: { axis: 0 } };
      return await make(inputs, [node], [{ name: 'y', shape: [index.length, length] }]);
    }
    case 'training':
      throw new PeerCannot('it does not train');
    case 'sweep':
      return await sweep(ort, device, problem);
    default:
      throw new PeerCannot(`it has nothing for ${problem.kind}`);
  }
}

/** Of rows. The logarithm is an operation of its own: `LogSoftmax` would run on the processor. */
function softmaxNodes(from: string, to: string, log: boolean): OnnxNode[] {
  const softmax = { operation: 'Softmax', inputs: [from], attributes: { axis: 1 } };
  if (!log) return [{ ...softmax, outputs: [to] }];
  const shares = `${to} shares`;
  return [
    { ...softmax, outputs: [shares] },
    { operation: 'Log', inputs: [shares], outputs: [to] },
  ];
}

/** Runs a graph on inputs that stay on the GPU. */
async function running(
  ort: Ort,
  device: GPUDevice,
  inputs: readonly Input[],
  graph: OnnxGraph,
): Promise<Contestant> {
  const session = await sessionOf(ort, graph);
  const uploaded = inputs.map((input) => upload(ort, device, input));
  const feeds = Object.fromEntries(inputs.map(({ name }, i) => [name, uploaded[i]!.tensor]));
  let last: Record<string, OrtTensor> = {};
  const dispose = () => {
    for (const tensor of Object.values(last)) tensor.dispose();
  };
  return {
    ...inParts({
      async start() {
        dispose();
        last = await session.run(feeds);
      },
      finish: (wait) => wait(device.queue.onSubmittedWorkDone()),
    }),
    read: () =>
      Promise.all(graph.outputs.map(async ({ name }) => (await last[name]!.getData()) as Float32Array)),
    destroy() {
      dispose();
      for (const { buffer } of uploaded) buffer.destroy();
      void session.release();
    },
  };
}

function upload(ort: Ort, device: GPUDevice, { data, shape, type = 'float32' }: Input) {
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ size: Math.ceil(data.byteLength / 16) * 16, usage });
  device.queue.writeBuffer(buffer, 0, data);
  const tensor = ort.Tensor.fromGpuBuffer(buffer, { dataType: type, dims: [...shape] });
  return { buffer, tensor };
}

async function crossMoments(
  make: (
    inputs: readonly Input[],
    nodes: readonly OnnxNode[],
    outputs: readonly OnnxValue[],
    integers: OnnxGraph['integers'],
  ) => Promise<Contestant>,
  problem: CrossMomentsProblem,
): Promise<Contestant> {
  const { self, samples, channels, positions } = problem;
  const shape = [samples, channels, positions];
  const one = (name: string, data: Float32Array<ArrayBuffer>, shift: Float32Array<ArrayBuffer>) => ({
    inputs: [
      { name, shape, data },
      { name: `${name} shift`, shape: [1, channels, 1], data: shift },
    ],
    nodes: [
      { operation: 'Sub', inputs: [name, `${name} shift`], outputs: [`${name} centred`] },
      {
        ...{ operation: 'Transpose', inputs: [`${name} centred`], outputs: [`${name} by channel`] },
        attributes: { perm: [1, 0, 2] },
      },
      { operation: 'Reshape', inputs: [`${name} by channel`, 'rows'], outputs: [`${name} rows`] },
    ],
  });
  const a = one('a', problem.a, problem.shiftA);
  const b = self ? undefined : one('b', problem.b, problem.shiftB);
  const product = {
    ...{ operation: 'Gemm', inputs: ['a rows', self ? 'a rows' : 'b rows'], outputs: ['y'] },
    attributes: { transB: 1 },
  };
  return await make(
    [...a.inputs, ...(b?.inputs ?? [])],
    [...a.nodes, ...(b?.nodes ?? []), product],
    [{ name: 'y', shape: [channels, channels] }],
    { rows: [channels, samples * positions] },
  );
}

const EPSILON = 1e-5;

/** Operations that add nodes to a graph; values are names. */
function operationsOn(nodes: OnnxNode[]): NetworkOperations<string> {
  const node = (operation: string, inputs: string[], attributes: OnnxNode['attributes'] = {}) => {
    const output = `v${nodes.length}`;
    nodes.push({ operation, inputs, outputs: [output], attributes });
    return output;
  };
  return {
    linear: (x, weight, bias) => node('Gemm', [x, weight, bias], { transB: 1 }),
    conv: (x, weight, { stride, padding }) =>
      node('Conv', [x, weight], { strides: [stride, stride], pads: [padding, padding, padding, padding] }),
    batchNorm: (x, { weight, bias, mean, variance }) =>
      node('BatchNormalization', [x, weight, bias, mean, variance], { epsilon: EPSILON }),
    relu: (x) => node('Relu', [x]),
    add: (x, y) => node('Add', [x, y]),
    globalAveragePool: (x) => node('Flatten', [node('GlobalAveragePool', [x])], { axis: 1 }),
    share: (x) => x,
  };
}

/** The mixture, the network and the loss in one graph; one run a point. */
async function sweep(ort: Ort, device: GPUDevice, problem: SweepProblem): Promise<Contestant> {
  const { network, shapes, images, lambda } = problem;
  const { classes } = network;
  const oneHot = new Float32Array(images.count * classes);
  for (const [i, label] of images.labels.entries()) oneHot[i * classes + label] = 1;
  const ends = (['a', 'b'] as const).flatMap((end) =>
    [...problem[end]].map(([name, data]) => ({
      ...{ name: `${end} ${name}`, shape: shapes.get(name)!, data: data as Float32Array<ArrayBuffer> },
    })),
  );
  const inputs: Input[] = [
    ...ends,
    { name: 'images', shape: [images.count, ...network.inputShape], data: inputsOf(images) },
    { name: 'targets', shape: [images.count, classes], data: oneHot },
  ];
  const points: Input[] = [
    { name: 'share of a', shape: [1], data: Float32Array.of(0) },
    { name: 'share of b', shape: [1], data: Float32Array.of(0) },
  ];
  const nodes: OnnxNode[] = [];
  const value = (name: string) => {
    nodes.push(
      { operation: 'Mul', inputs: [`a ${name}`, 'share of a'], outputs: [`part of a ${name}`] },
      { operation: 'Mul', inputs: [`b ${name}`, 'share of b'], outputs: [`part of b ${name}`] },
      { operation: 'Add', inputs: [`part of a ${name}`, `part of b ${name}`], outputs: [name] },
    );
    return name;
  };
  const logits = forward(network, operationsOn(nodes), value, 'images');
  nodes.push(
    ...softmaxNodes(logits, 'logarithms', true),
    { operation: 'Mul', inputs: ['logarithms', 'targets'], outputs: ['chosen'] },
    {
      ...{ operation: 'ReduceMean', inputs: ['chosen'], outputs: ['mean'] },
      attributes: { axes: [0, 1], keepdims: 1 },
    },
  );
  const session = await sessionOf(ort, {
    ...{ nodes, inputs: [...inputs, ...points], outputs: [{ name: 'mean', shape: [1, 1] }] },
  });
  const uploaded = inputs.map((input) => upload(ort, device, input));
  const shared = Object.fromEntries(inputs.map(({ name }, i) => [name, uploaded[i]!.tensor]));
  const feeds = lambda.map((at) => {
    const shares = [1 - at, at].map((share, i) =>
      upload(ort, device, { ...points[i]!, data: Float32Array.of(share) }),
    );
    uploaded.push(...shares);
    return { ...shared, 'share of a': shares[0]!.tensor, 'share of b': shares[1]!.tensor };
  });
  let losses: number[] = [];
  return {
    async run(wait) {
      // Its sessions run one at a time.
      const found: OrtTensor[] = [];
      for (const feed of feeds) found.push((await wait(session.run(feed))).mean!);
      const values = await wait(Promise.all(found.map((mean) => mean.getData())));
      losses = values.map((mean) => -(mean as Float32Array)[0]! * classes);
      for (const mean of found) mean.dispose();
    },
    read: async () => [Float32Array.from(losses)],
    destroy() {
      for (const { buffer } of uploaded) buffer.destroy();
      void session.release();
    },
  };
}
