/** A convolution that only has a shape and an axes rule: enough to build the graphs on which axes and specs are tested. */
import { freshAxis, productAxis } from '../../src/nn/axes.ts';
import { apply, type Node } from '../../src/nn/graph.ts';
import type { Operation } from '../../src/nn/operation.ts';
import type { Dim } from '../../src/nn/shape.ts';

const width = (dim: Dim | undefined): number => dim as number;

/** A convolution of `groups` groups, same-padded: weight [out, in / groups, h, w]. */
export function convolution(x: Node, weight: Node, groups = 1): Node {
  const operation: Operation<{ groups: number; perGroup: number }> = {
    name: 'convolution',
    shape: ([s, w]) => [s![0]!, w![0]!, ...s!.slice(2)],
    axes({ inputs: [x, weight], output, attributes: { groups, perGroup }, join, pin }) {
      join(x![0]!, output[0]!);
      const group = freshAxis(groups);
      join(x![1]!, productAxis([group, weight![1]!]));
      join(weight![0]!, productAxis([group, freshAxis(perGroup)]));
      join(weight![0]!, output[1]!);
      for (const axis of [...x!.slice(2), ...output.slice(2), ...weight!.slice(2)]) pin(axis, 'space');
    },
  };
  return apply(operation, [x, weight], { groups, perGroup: width(weight.shape[0]) / groups });
}
