/** One value for each channel of [N, C, ...]: repeated over a tensor, summed over a tensor, or one row of [R, C]. */
import { ShapeError } from '../../base/errors.ts';
import { channelSums } from '../../kernels/norm/channels.ts';
import { WHOLE_AXIS, window } from '../../kernels/structure/window.ts';
import { elementCount } from '../../runtime/kernel.ts';
import { apply, type Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import { expectRank, formatShape, type Shape } from '../shape.ts';

/** A tensor seen as [N, C, space]. */
export function channelSizes(shape: readonly number[]): { outer: number; channels: number; inner: number } {
  return { outer: shape[0]!, channels: shape[1]!, inner: elementCount(shape.slice(2)) };
}

/** Positions of one sample's channel: H * W, 1 for [N, C]. */
export function spaceOf(shape: Shape): number {
  return elementCount(shape.slice(2) as number[]);
}

/** @throws ShapeError unless `shape` is [N, C, ...] with a fixed number of channels. @returns C */
export function channelsOf(operation: string, shape: Shape): number {
  const channels = shape[1];
  if (typeof channels !== 'number') {
    throw new ShapeError(`${operation}: needs an input [N, C] or [N, C, H, W], got ${formatShape(shape)}`);
  }
  return channels;
}

/** @throws ShapeError unless `vector` is [channels]. */
export function expectVector(operation: string, name: string, vector: Shape, channels: number): void {
  if (vector.length !== 1 || vector[0] !== channels) {
    throw new ShapeError(
      `${operation}: an input of ${channels} channels needs ${name} [${channels}], got ${formatShape(vector)}`,
    );
  }
}

const broadcastChannelsOperation: Operation<{ readonly shape: Shape }> = {
  name: 'broadcastChannels',
  shape([vector], { shape }) {
    expectVector('broadcastChannels', 'a vector', vector!, channelsOf('broadcastChannels', shape));
    return shape;
  },
  expression: () => ({ text: 'a' }),
  broadcastPattern: ([channels], output) => ({ inner: elementCount(output.slice(2)), size: channels! }),
  gradient: ({ outputGradient }) => [sumChannels(outputGradient)],
  axes: ({ inputs: [vector], output, join }) => join(vector![0]!, output[1]!),
};

const sumChannelsOperation: Operation<undefined> = {
  name: 'sumChannels',
  shape: ([x]) => [channelsOf('sumChannels', x!)],
  kernels: ({ context, inputs: [input], output, scratch }) =>
    channelSums(context, { ...channelSizes(input!.shape), input: input!, output, scratch }),
  gradient: ({ inputs: [x], outputGradient }) => [broadcastChannels(outputGradient, x!.shape)],
  axes: ({ inputs: [x], output, join }) => join(x![1]!, output[0]!),
};

interface RowAttributes {
  readonly row: number;
  readonly rows: number;
}

const rowOperation: Operation<RowAttributes> = {
  name: 'row',
  shape([x], { row }) {
    expectRank('row', 'the input', x!, 2);
    if (!Number.isInteger(row) || row < 0 || row >= (x![0] as number)) {
      throw new ShapeError(`row: ${formatShape(x!)} has no row ${row}; count from 0`);
    }
    return [x![1]!];
  },
  kernels: ({ context, inputs: [input], output, attributes: { row } }) =>
    window(context, {
      input: input!,
      output: { ...output, shape: [1, ...output.shape] },
      axes: [{ ...WHOLE_AXIS, start: row }, WHOLE_AXIS],
    }),
  gradient: ({ outputGradient, attributes }) => [apply(placeRowOperation, [outputGradient], attributes)],
  axes({ inputs: [x], output, join, pin }) {
    join(x![1]!, output[0]!);
    pin(x![0]!, 'one row is taken');
  },
};

const placeRowOperation: Operation<RowAttributes> = {
  name: 'placeRow',
  shape: ([x], { rows }) => [rows, x![0]!],
  kernels: ({ context, inputs: [input], output, attributes: { row } }) =>
    window(context, {
      input: { ...input!, shape: [1, ...input!.shape] },
      output,
      axes: [{ ...WHOLE_AXIS, start: -row }, WHOLE_AXIS],
    }),
  gradient: ({ outputGradient, attributes }) => [apply(rowOperation, [outputGradient], attributes)],
  axes({ inputs: [x], output, join, pin }) {
    join(x![0]!, output[1]!);
    pin(output[0]!, 'one row is set');
  },
};

/** `vector[c]` at every place of channel c: [C] to `shape`, [N, C, ...]. Free where it flows into elementwise operations. */
export function broadcastChannels(vector: Node, shape: Shape): Node {
  return apply(broadcastChannelsOperation, [vector], { shape });
}

/** The sum over everything but the channels: [N, C, ...] to [C]. */
export function sumChannels(x: Node): Node {
  return apply(sumChannelsOperation, [x], undefined);
}

/** Row `row` of [R, C], as [C]. */
export function row(x: Node, row: number): Node {
  return apply(rowOperation, [x], { row, rows: x.shape[0] as number });
}
