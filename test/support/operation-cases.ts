/** One or more small graphs for every operation, with values for their leaves: shared by the gradient and the kernel tests. */
import { RandomStream } from '../../src/base/random.ts';
import type { Node } from '../../src/nn/graph.ts';
import { leavesOf } from '../../src/nn/graph.ts';
import * as ops from '../../src/nn/ops/index.ts';
import { concreteShape } from '../../src/nn/shape.ts';
import { normCases } from './norm-cases.ts';

export interface OperationCase {
  readonly name: string;
  readonly output: Node;
  /** Leaves to differentiate by. */
  readonly parameters: readonly Node[];
  readonly leaves: ReadonlyMap<string, Float64Array>;
  readonly batchSize: number;
}

const p = ops.parameter;

/** Batch size of every case: not a multiple of 4. */
const N = 5;
const CLASSES = 7;

/** Strides that leave inputs over, uneven kernels and padding, groups, and each operation with the weight as its first parameter. */
function convolutions(): Record<string, Node> {
  const image = (c: number, h: number, w: number) => p('image', [2, c, h, w]);
  const constant = ops.input('images', ['N', 2, 4, 5]);
  const uneven = { stride: [2, 1], padding: [1, 0] } as const;
  return {
    conv2d: ops.conv2d(image(3, 5, 4), p('weight', [4, 3, 3, 3]), p('bias', [4]), { padding: 1 }),
    'conv2d of a constant': ops.conv2d(constant, p('weight', [3, 2, 3, 2]), p('bias', [3]), uneven),
    'conv2d 1 x 1': ops.conv2d(image(3, 2, 4), p('weight', [5, 3, 1, 1])),
    'conv2d 1 x 1 with stride': ops.conv2d(image(3, 4, 5), p('weight', [2, 3, 1, 1]), undefined, {
      stride: 2,
    }),
    'conv2d depthwise': ops.conv2d(image(4, 5, 5), p('weight', [4, 1, 3, 3]), undefined, {
      groups: 4,
      padding: 1,
    }),
    'conv2d in groups': ops.conv2d(image(4, 5, 5), p('weight', [6, 2, 3, 3]), undefined, {
      groups: 2,
      stride: 2,
    }),
    'conv2d with fused relu': ops.relu(ops.conv2d(image(2, 4, 4), p('weight', [3, 2, 3, 3]), p('bias', [3]))),
    conv2dInputGradient: ops.conv2dInputGradient(
      p('gradient', [2, 3, 3, 4]),
      p('weight', [3, 2, 3, 2]),
      [6, 5],
      uneven,
    ),
    conv2dWeightGradient: ops.conv2dWeightGradient(
      image(2, 6, 5),
      p('gradient', [2, 3, 3, 4]),
      [3, 2],
      uneven,
    ),
  };
}

export function operationCases(): OperationCase[] {
  const x = () => p('x', [N, 6]);
  const y = () => p('y', [N, 6]);
  const logits = () => p('logits', [N, CLASSES]);
  const labels = () => ops.input('labels', [N], 'u32');
  const unary = {
    relu: ops.relu,
    tanh: ops.tanh,
    softplus: ops.softplus,
    sigmoid: ops.sigmoid,
    gelu: ops.gelu,
  };
  const graphs: Record<string, Node> = {
    add: ops.add(x(), y()),
    subtract: ops.subtract(x(), y()),
    multiply: ops.multiply(x(), y()),
    scale: ops.scale(x(), 1.5),
    scaleByBatch: ops.scaleByBatch(ops.input('batched', ['N', 6]), 3),
    offset: ops.offset(x(), -0.25),
    ...Object.fromEntries(Object.entries(unary).map(([name, f]) => [name, f(x())])),
    step: ops.step(x()),
    fill: ops.multiply(x(), ops.fill([N, 6], 0.75)),
    'broadcast over rows': ops.multiply(x(), ops.broadcast(p('row', [6]), 0, N)),
    'broadcast over columns': ops.multiply(x(), ops.broadcast(p('column', [N]), 1, 6)),
    'sum over rows': ops.sum(x(), 0),
    'sum over columns': ops.sum(x(), 1),
    'mean over the batch': ops.mean(ops.input('batched', ['N', 6]), 0),
    'matmul NN': ops.matmul(p('a', [5, 3]), p('b', [3, 7])),
    'matmul NT': ops.matmul(p('a', [5, 3]), p('b', [7, 3]), { transposeB: true }),
    'matmul TN': ops.matmul(p('a', [3, 5]), p('b', [3, 7]), { transposeA: true }),
    linear: ops.linear(x(), p('weight', [4, 6]), p('bias', [4])),
    'linear without bias': ops.linear(x(), p('weight', [4, 6])),
    'linear with fused relu': ops.relu(ops.linear(x(), p('weight', [4, 6]), p('bias', [4]))),
    ...convolutions(),
    softmax: ops.softmax(logits()),
    crossEntropy: ops.crossEntropy(logits(), labels()),
    correct: ops.correct(logits(), labels()),
    ...normCases(N),
    'a fused chain': ops.tanh(
      ops.add(ops.multiply(x(), ops.sigmoid(y())), ops.broadcast(p('row', [6]), 0, N)),
    ),
    'one value used twice': ops.multiply(ops.tanh(x()), ops.add(ops.tanh(x()), x())),
  };
  return Object.entries(graphs).map(([name, output]) => {
    const random = new RandomStream(7, name);
    const parameters = leavesOf([output], 'parameter');
    const leaves = new Map<string, Float64Array>();
    for (const node of [...parameters, ...leavesOf([output], 'input')]) {
      const leafName = node.attributes.name as string;
      const values = new Float64Array(concreteShape(node.shape, N).reduce((a, b) => a * b, 1));
      // Float32 values, kept away from 0 where ReLU and step have a kink.
      random.derive(leafName).fillUniform(values, 0.05, 2);
      values.forEach((v, i) => {
        values[i] = node.dtype === 'u32' ? (i * 3) % CLASSES : Math.fround(i % 3 === 1 ? -v : v);
      });
      leaves.set(leafName, values);
    }
    return { name, output, parameters, leaves, batchSize: N };
  });
}
