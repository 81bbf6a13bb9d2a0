/** Matrix product of two matrices, either one transposed. */
import { ShapeError } from '../../base/errors.ts';
import { packedMatmul } from '../../kernels/matmul/packed.ts';
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import { expectRank, formatShape } from '../shape.ts';

/** Not both: C = A^T B^T is never needed, since every gradient of the other three is one of the three. */
export interface MatmulAttributes {
  /** Whether the first is [K, M]. */
  readonly transposeA: boolean;
  /** Whether the second is [N, K]. */
  readonly transposeB: boolean;
}

const matmulOperation: Operation<MatmulAttributes> = {
  name: 'matmul',
  shape([a, b], { transposeA, transposeB }) {
    expectRank('matmul', 'the first matrix', a!, 2);
    expectRank('matmul', 'the second matrix', b!, 2);
    const [m, k] = transposeA ? [a![1]!, a![0]!] : [a![0]!, a![1]!];
    const [k2, n] = transposeB ? [b![1]!, b![0]!] : [b![0]!, b![1]!];
    if (k !== k2) {
      throw new ShapeError(
        `matmul: inner dimensions differ: ${formatShape(a!)}${transposeA ? '^T' : ''} times ${formatShape(b!)}${transposeB ? '^T' : ''}`,
      );
    }
    return [m, n];
  },
  kernels: ({ context, inputs: [a, b], output, attributes, scratch }) =>
    packedMatmul(context, { a: a!, b: b!, output, ...attributes, scratch }),
  gradient({ inputs: [a, b], outputGradient: d, attributes: { transposeA, transposeB }, wanted }) {
    const da = () => {
      if (transposeA) return matmul(b!, d, { transposeB: true }); // C = A^T B: dA = B dC^T
      return matmul(d, b!, { transposeB: !transposeB }); // C = A B: dA = dC B^T; C = A B^T: dA = dC B
    };
    const db = () => {
      if (transposeB) return matmul(d, a!, { transposeA: true }); // C = A B^T: dB = dC^T A
      return matmul(a!, d, { transposeA: !transposeA }); // C = A B: dB = A^T dC; C = A^T B: dB = A dC
    };
    return [wanted[0] ? da() : undefined, wanted[1] ? db() : undefined];
  },
  axes({ inputs: [a, b], output, attributes: { transposeA, transposeB }, join }) {
    join(a![transposeA ? 1 : 0]!, output[0]!);
    join(b![transposeB ? 0 : 1]!, output[1]!);
    join(a![transposeA ? 0 : 1]!, b![transposeB ? 1 : 0]!);
  },
};

/**
 * `A B`, `A^T B` (transposeA: a is [K, M]) or `A B^T` (transposeB: b is [N, K]).
 * @returns a node of shape [M, N].
 */
export function matmul(a: Node, b: Node, options: Partial<MatmulAttributes> = {}): Node {
  return apply(matmulOperation, [a, b], { transposeA: false, transposeB: false, ...options });
}
