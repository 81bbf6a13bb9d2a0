/** Dispatches of the kernels of normalisation, pooling, structure and dropout: part of `representativeDispatches`. */
import { dropoutMask } from '../../../src/kernels/dropout/dropout-mask.ts';
import { centredChannelSums, channelStatistics, channelSums } from '../../../src/kernels/norm/channels.ts';
import { normalise, normaliseAdded } from '../../../src/kernels/norm/normalise.ts';
import { spreadMean, standardise, standardiseGradient } from '../../../src/kernels/norm/standardise.ts';
import {
  averagePool,
  averageUnpool,
  gatherIndices,
  maxPool,
  maxPoolIndices,
  maxUnpool,
} from '../../../src/kernels/pool/pool.ts';
import { logSoftmax } from '../../../src/kernels/softmax/log-softmax.ts';
import { concatenate } from '../../../src/kernels/structure/concatenate.ts';
import { WHOLE_AXIS, window } from '../../../src/kernels/structure/window.ts';
import type { Context } from '../../../src/runtime/context.ts';
import type { Dispatch, DType, TensorView } from '../../../src/runtime/kernel.ts';

type MakeView = (shape: readonly number[], dtype?: DType) => TensorView;

export function normDispatches(context: Context, view: MakeView): Dispatch[] {
  const channels = 3;
  const [vector, pair] = [view([channels]), view([2, channels])];
  return [8, 5].flatMap((inner) => {
    const outer = 100;
    const input = view([outer, channels, inner]);
    const sizes = { outer, channels, inner, scratch: view };
    return [
      ...channelStatistics(context, { ...sizes, input, output: pair }),
      ...channelStatistics(context, { ...sizes, input, output: pair, origin: vector }),
      ...channelSums(context, { ...sizes, input, output: vector }),
      ...centredChannelSums(context, {
        ...sizes,
        a: input,
        b: view([outer, channels, inner]),
        centre: vector,
        output: pair,
      }),
      ...normaliseDispatches(context, view, inner),
      ...standardiseDispatches(context, view, inner),
    ];
  });
}

function normaliseDispatches(context: Context, view: MakeView, inner: number): Dispatch[] {
  const [input, added, output] = Array.from({ length: 3 }, () => view([2, 6, inner]));
  const [mean, factor, shift, slope] = Array.from({ length: 4 }, () => view([6]));
  const vectors = { mean: mean!, factor: factor!, shift: shift! };
  const call = { outer: 2, channels: 6, inner, input: input!, ...vectors, output: output! };
  return [
    ...normalise(context, call),
    ...normalise(context, { ...call, activation: 'relu' }),
    ...normaliseAdded(context, { ...call, added: added!, slope: slope! }),
  ];
}

function standardiseDispatches(context: Context, view: MakeView, inner: number): Dispatch[] {
  const [input, outputGradient, output] = Array.from({ length: 3 }, () => view([2, 6, inner]));
  return (['channels', { groups: 2 }] as const).flatMap((together) => {
    const call = { input: input!, output: output!, together, eps: 1e-5, scratch: view };
    return [
      ...standardise(context, call),
      ...standardiseGradient(context, { ...call, outputGradient: outputGradient! }),
      ...spreadMean(context, call),
    ];
  });
}

export function poolDispatches(context: Context, view: MakeView): Dispatch[] {
  const window = { kernel: [2, 2], stride: [2, 2], padding: [0, 0] } as const;
  return [4, 8].flatMap((size) => {
    const pooled = [2, 3, size / 2, size / 2];
    const [large, small, indices] = [view([2, 3, size, size]), view(pooled), view(pooled, 'u32')];
    return [
      ...maxPool(context, { ...window, input: large, output: small }),
      ...maxPoolIndices(context, { ...window, input: large, output: indices }),
      ...averagePool(context, { ...window, input: large, output: small }),
      ...maxUnpool(context, { ...window, input: small, indices, output: large }),
      ...averageUnpool(context, { ...window, input: small, output: large }),
      ...gatherIndices(context, { input: large, indices, output: small }),
    ];
  });
}

export function structureDispatches(context: Context, view: MakeView): Dispatch[] {
  return [
    ...[3, 8].flatMap((inner) => [
      ...window(context, {
        input: view([2, 3, inner]),
        output: view([2, 7, inner]),
        axes: [WHOLE_AXIS, { ...WHOLE_AXIS, start: -2 }, WHOLE_AXIS],
      }),
      ...window(context, {
        input: view([2, 3, inner]),
        output: view([2, 6, inner]),
        axes: [WHOLE_AXIS, { ...WHOLE_AXIS, divide: 2 }, WHOLE_AXIS],
      }),
      ...concatenate(context, {
        inputs: [view([2, 3, inner]), view([2, 4, inner])],
        axis: 1,
        output: view([2, 7, inner]),
      }),
    ]),
    ...dropoutMask(context, {
      stream: { key0: 1, key1: 2 },
      rate: 0.5,
      step: view([], 'u32'),
      output: view([5]),
    }),
    ...logSoftmax(context, { logits: view([5, 3]), output: view([5, 3]) }),
  ];
}
