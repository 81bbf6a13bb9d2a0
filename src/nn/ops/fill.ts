/** A tensor of one repeated number. */
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import type { Shape } from '../shape.ts';

const fillOperation: Operation<{ readonly shape: Shape; readonly value: number }> = {
  name: 'fill',
  shape: (_inputs, { shape }) => shape,
  expression: ({ value }) => ({ text: 'T(s0)', scalars: [value] }),
  gradient: () => [],
  axes() {}, // equal values everywhere: no axis is tied
};

/** Every element is `value`. */
export function fill(shape: Shape, value: number): Node {
  return apply(fillOperation, [], { shape, value });
}
