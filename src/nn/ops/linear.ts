/** The linear layer y = x W^T + b with PyTorch's layout: weight [out, in], bias [out]. */
import { ShapeError } from '../../base/errors.ts';
import { packedMatmul } from '../../kernels/matmul/packed.ts';
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import { expectRank, formatShape } from '../shape.ts';
import { matmul } from './matmul.ts';
import { sum } from './sum.ts';

const linearOperation: Operation<undefined> = {
  name: 'linear',
  fuses: ['relu'],
  shape([x, weight, bias]) {
    expectRank('linear', 'the input', x!, 2);
    expectRank('linear', 'the weight', weight!, 2);
    if (x![1] !== weight![1]) {
      throw new ShapeError(
        `linear: the weight ${formatShape(weight!)} takes ${weight![1]} features, the input ${formatShape(x!)} has ${x![1]}`,
      );
    }
    if (bias && (bias.length !== 1 || bias[0] !== weight![0])) {
      throw new ShapeError(
        `linear: the weight ${formatShape(weight!)} needs a bias [${weight![0]}], got ${formatShape(bias)}`,
      );
    }
    return [x![0]!, weight![0]!];
  },
  kernels: ({ context, inputs: [a, b, bias], output, epilogue }) =>
    packedMatmul(context, {
      a: a!,
      b: b!,
      output,
      transposeB: true,
      ...(bias ? { bias } : {}),
      ...epilogue,
    }),
  gradient({ inputs: [x, weight, bias], outputGradient, wanted }) {
    return [
      wanted[0] ? matmul(outputGradient, weight!) : undefined,
      wanted[1] ? matmul(outputGradient, x!, { transposeA: true }) : undefined,
      bias && wanted[2] ? sum(outputGradient, 0) : undefined,
    ];
  },
  axes({ inputs: [x, weight, bias], output, join }) {
    join(x![0]!, output[0]!);
    join(x![1]!, weight![1]!);
    join(weight![0]!, output[1]!);
    if (bias) join(bias[0]!, output[1]!);
  },
};

/**
 * `x W^T + b`.
 * @param x [N, in]
 * @param weight [out, in]
 * @param bias [out], or none
 * @returns [N, out]
 */
export function linear(x: Node, weight: Node, bias?: Node): Node {
  return apply(linearOperation, bias ? [x, weight, bias] : [x, weight], undefined);
}
