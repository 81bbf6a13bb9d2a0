/** Tensors one after the other along one axis. */
import { ShapeError } from '../../base/errors.ts';
import * as kernels from '../../kernels/structure/concatenate.ts';
import { concatenatedAxis } from '../axes.ts';
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import { formatShape } from '../shape.ts';
import { slice } from './pad.ts';

const concatenateOperation: Operation<{ readonly axis: number }> = {
  name: 'concatenate',
  shape(inputs, { axis }) {
    const [first] = inputs;
    const total = inputs.reduce((sum, shape) => sum + (shape[axis] as number), 0);
    const fits = inputs.every(
      (shape) => shape.length === first!.length && shape.every((dim, k) => k === axis || dim === first![k]),
    );
    if (!fits || !Number.isInteger(total)) {
      throw new ShapeError(
        `concatenate: inputs must agree in all but axis ${axis}, of a fixed size, got ${inputs.map(formatShape).join(', ')}`,
      );
    }
    return first!.map((dim, k) => (k === axis ? total : dim));
  },
  kernels: ({ context, inputs, output, attributes: { axis } }) =>
    kernels.concatenate(context, { inputs, axis, output }),
  gradient({ inputs, outputGradient, attributes: { axis }, wanted }) {
    let start = 0;
    return inputs.map((input, i) => {
      const [begin, end] = [start, start + (input.shape[axis] as number)];
      start = end;
      return wanted[i] ? slice(outputGradient, axis, begin, end) : undefined;
    });
  },
  axes({ inputs, output, attributes: { axis }, join }) {
    for (const axes of inputs) {
      axes.forEach((each, k) => {
        if (k !== axis) join(each, output[k]!);
      });
    }
    join(concatenatedAxis(inputs.map((axes) => axes[axis]!)), output[axis]!);
  },
};

/** The parts one after the other along `axis` (channels by default); all other sizes are equal. */
export function concatenate(parts: readonly Node[], axis = 1): Node {
  if (parts.length === 0) throw new ShapeError('concatenate: needs at least one part, got none');
  return apply(concatenateOperation, parts, { axis });
}
