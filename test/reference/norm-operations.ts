/** Float64 references of normalisation, pooling and structure operations, by name: plain loops. */
import type { Attributes } from '../../src/nn/operation.ts';
import type { NdArray } from './graph.ts';

type Reference = (
  inputs: readonly NdArray[],
  shape: readonly number[],
  attributes: Attributes,
  batchSize: number,
) => Float64Array;

const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

const channelOf = (shape: readonly number[], i: number): number =>
  Math.floor(i / count(shape.slice(2))) % shape[1]!;

/** Adds `term(i)` of every element to its channel. */
function perChannel(x: NdArray, term: (i: number, channel: number) => number): Float64Array {
  const out = new Float64Array(x.shape[1]!);
  x.data.forEach((_, i) => {
    const c = channelOf(x.shape, i);
    out[c]! += term(i, c);
  });
  return out;
}

const joined = (...rows: Float64Array[]): Float64Array => Float64Array.from(rows.flatMap((row) => [...row]));

/** The elements that are standardised together with element i, as a key. */
const groupOf = (shape: readonly number[], i: number, together: Attributes): number => {
  const space = count(shape.slice(2));
  const sample = Math.floor(i / (shape[1]! * space));
  if (together === 'channels') return sample * space + (i % space);
  return sample * together.groups + Math.floor(channelOf(shape, i) / (shape[1]! / together.groups));
};

/** In the place of each element the mean of `term` over those that belong with it. */
function groupMeans(x: NdArray, together: Attributes, term: (i: number) => number): Float64Array {
  const sums = new Map<number, { total: number; n: number }>();
  const keys = Array.from(x.data, (_, i) => groupOf(x.shape, i, together));
  for (const [i, key] of keys.entries()) {
    const sum = sums.get(key) ?? { total: 0, n: 0 };
    sums.set(key, { total: sum.total + term(i), n: sum.n + 1 });
  }
  return Float64Array.from(keys, (key) => sums.get(key)!.total / sums.get(key)!.n);
}

function standardised(x: NdArray, { together, eps }: Attributes) {
  const mean = groupMeans(x, together, (i) => x.data[i]!);
  const variance = groupMeans(x, together, (i) => (x.data[i]! - mean[i]!) ** 2);
  const r = variance.map((v) => 1 / Math.sqrt(v + eps));
  return { r, y: x.data.map((value, i) => (value - mean[i]!) * r[i]!) };
}

const affine: Reference = ([x, mean, factor, shift], shape) =>
  x!.data.map((value, i) => {
    const c = channelOf(shape, i);
    return (value - mean!.data[c]!) * factor!.data[c]! + shift!.data[c]!;
  });

export const normOperations: Readonly<Record<string, Reference>> = {
  broadcastChannels: ([v], shape) =>
    new Float64Array(count(shape)).map((_, i) => v!.data[channelOf(shape, i)]!),
  sumChannels: ([x]) => perChannel(x!, (i) => x!.data[i]!),
  row: ([x], [size], { row }) => x!.data.slice(row * size!, (row + 1) * size!),
  placeRow([x], [rows, size], { row }) {
    const out = new Float64Array(rows! * size!);
    out.set(x!.data, row * size!);
    return out;
  },
  batchStatistics([x]) {
    const n = x!.data.length / x!.shape[1]!;
    const mean = perChannel(x!, (i) => x!.data[i]! / n);
    return joined(
      mean,
      perChannel(x!, (i, c) => (x!.data[i]! - mean[c]!) ** 2 / n),
    );
  },
  normalise: affine,
  trainingNorm: affine,
  normaliseAdded: ([x, mean, factor, shift, g, slope], shape) =>
    x!.data.map((value, i) => {
      const c = channelOf(shape, i);
      const norm = (value - mean!.data[c]!) * factor!.data[c]! + shift!.data[c]!;
      return norm + g!.data[i]! * slope!.data[c]!;
    }),
  centredSums: ([g, x, mean]) =>
    joined(
      perChannel(g!, (i) => g!.data[i]!),
      perChannel(g!, (i, c) => g!.data[i]! * (x!.data[i]! - mean!.data[c]!)),
    ),
  inverseDeviation: ([variance], _shape, { eps }) => variance!.data.map((v) => 1 / Math.sqrt(v + eps)),
  unbias: ([variance], _shape, { space, samples }, batchSize) => {
    const n = (samples ?? batchSize) * space;
    return variance!.data.map((v) => (v * n) / Math.max(1, n - 1));
  },
  runningAverage: ([old, batch, rate]) =>
    old!.data.map((v, i) =>
      rate!.data[i] === 1 ? batch!.data[i]! : v + (batch!.data[i]! - v) * rate!.data[i]!,
    ),
  cumulativeRate: ([k]) => k!.data.map((v) => 1 / (v + 1)),
  standardise: ([x], _shape, attributes) => standardised(x!, attributes).y,
  standardiseGradient([x, d], _shape, attributes) {
    const { r, y } = standardised(x!, attributes);
    const mean = groupMeans(x!, attributes.together, (i) => d!.data[i]!);
    const product = groupMeans(x!, attributes.together, (i) => d!.data[i]! * y[i]!);
    return d!.data.map((value, i) => r[i]! * (value - mean[i]! - y[i]! * product[i]!));
  },
  spreadMean: ([x], _shape, { together }) => groupMeans(x!, together, (i) => x!.data[i]!),
};
