/** Float64 references of the operations, by name: plain loops, no cleverness. */
import type { Attributes } from '../../src/nn/operation.ts';
import type { NdArray } from './graph.ts';
import { type ConvSizes, forEachProduct } from './kernels/conv.ts';
import { normOperations } from './norm-operations.ts';
import { structureOperations } from './structure-operations.ts';

type Reference = (
  inputs: readonly NdArray[],
  shape: readonly number[],
  attributes: Attributes,
  batchSize: number,
) => Float64Array;

function elementwise(f: (...x: number[]) => number): Reference {
  return (inputs) => inputs[0]!.data.map((_, i) => f(...inputs.map((input) => input.data[i]!)));
}

export const portableOperations: Readonly<Record<string, Reference>> = {
  ...normOperations,
  ...structureOperations,
  add: elementwise((a, b) => a! + b!),
  subtract: elementwise((a, b) => a! - b!),
  multiply: elementwise((a, b) => a! * b!),
  scale: ([x], _shape, { factor, batchPower }, batchSize) =>
    x!.data.map((v) => v * (batchPower === 0 ? factor : factor / batchSize)),
  offset: ([x], _shape, { offset }) => x!.data.map((v) => v + offset),
  relu: elementwise((x) => Math.max(x!, 0)),
  step: elementwise((x) => (x! > 0 ? 1 : 0)),
  tanh: elementwise((x) => Math.tanh(x!)),
  softplus: elementwise((x) => Math.max(x!, 0) + Math.log1p(Math.exp(-Math.abs(x!)))),
  sigmoid: elementwise((x) => 1 / (1 + Math.exp(-x!))),
  gelu: elementwise((x) => x! * normalCdf(x!)),
  normalCdf: elementwise((x) => normalCdf(x!)),
  normalPdf: elementwise((x) => normalPdf(x!)),
  fill: (_inputs, shape, { value }) => new Float64Array(count(shape)).fill(value),
  broadcast([x], shape, { axis }) {
    const out = new Float64Array(count(shape));
    const inner = axis === 0 ? 1 : shape[axis]!;
    for (let i = 0; i < out.length; i++) out[i] = x!.data[Math.floor(i / inner) % x!.data.length]!;
    return out;
  },
  sum([x], shape, { axis }) {
    const out = new Float64Array(count(shape));
    const size = x!.shape[axis]!;
    const inner = count(x!.shape.slice(axis + 1));
    x!.data.forEach((value, i) => {
      const outer = Math.floor(i / (size * inner));
      out[outer * inner + (i % inner)]! += value;
    });
    return out;
  },
  matmul([a, b], [m, n], { transposeA, transposeB }) {
    const k = a!.shape[transposeA ? 0 : 1]!;
    const out = new Float64Array(m! * n!);
    for (let i = 0; i < m!; i++) {
      for (let j = 0; j < n!; j++) {
        for (let l = 0; l < k; l++) {
          const av = a!.data[transposeA ? l * m! + i : i * k + l]!;
          const bv = b!.data[transposeB ? j * k + l : l * n! + j]!;
          out[i * n! + j]! += av * bv;
        }
      }
    }
    return out;
  },
  linear([x, weight, bias], [n, out]) {
    const k = weight!.shape[1]!;
    const y = new Float64Array(n! * out!);
    for (let i = 0; i < n!; i++) {
      for (let o = 0; o < out!; o++) {
        let total = bias ? bias.data[o]! : 0;
        for (let l = 0; l < k; l++) total += x!.data[i * k + l]! * weight!.data[o * k + l]!;
        y[i * out! + o] = total;
      }
    }
    return y;
  },
  conv2d([x, weight, bias], shape, attributes) {
    const y = new Float64Array(count(shape));
    forEachProduct(convSizes(x!.shape, weight!.shape, attributes), (i, w, o) => {
      y[o]! += x!.data[i]! * weight!.data[w]!;
    });
    const plane = shape[2]! * shape[3]!;
    return bias ? y.map((value, o) => value + bias.data[Math.floor(o / plane) % shape[1]!]!) : y;
  },
  conv2dInputGradient([d, weight], shape, attributes) {
    const x = new Float64Array(count(shape));
    forEachProduct(convSizes(shape, weight!.shape, attributes), (i, w, o) => {
      x[i]! += d!.data[o]! * weight!.data[w]!;
    });
    return x;
  },
  conv2dWeightGradient([x, d], shape, attributes) {
    const weight = new Float64Array(count(shape));
    forEachProduct(convSizes(x!.shape, shape, attributes), (i, w, o) => {
      weight[w]! += d!.data[o]! * x!.data[i]!;
    });
    return weight;
  },
  softmax: ([logits], shape) => rows(logits!, shape[1]!, (row) => softmax(row)),
  logSoftmax: ([logits], shape) =>
    rows(logits!, shape[1]!, (row) => {
      const largest = Math.max(...row);
      const total = row.reduce((sum, value) => sum + Math.exp(value - largest), 0);
      return row.map((value) => value - largest - Math.log(total));
    }),
  crossEntropy: ([logits, labels]) => {
    const classes = logits!.shape[1]!;
    return labels!.data.map((label, n) => {
      const row = logits!.data.subarray(n * classes, (n + 1) * classes);
      return -Math.log(softmax(row)[label]!);
    });
  },
  crossEntropyGradient: ([logits, labels, scale], shape) =>
    rows(logits!, shape[1]!, (row, n) =>
      softmax(row).map((p, c) => (p - (c === labels!.data[n] ? 1 : 0)) * scale!.data[n]!),
    ),
  correct: ([logits, labels]) => {
    const classes = logits!.shape[1]!;
    return labels!.data.map((label, n) => {
      const row = logits!.data.subarray(n * classes, (n + 1) * classes);
      return row.indexOf(Math.max(...row)) === label ? 1 : 0;
    });
  },
};

function convSizes(
  [n, c, h, w]: readonly number[],
  [o, , kh, kw]: readonly number[],
  { stride, padding, groups }: Attributes,
): ConvSizes {
  return { n: n!, c: c!, h: h!, w: w!, o: o!, kernel: [kh!, kw!], stride, padding, groups };
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function rows(x: NdArray, length: number, f: (row: Float64Array, n: number) => Float64Array): Float64Array {
  const out = new Float64Array(x.data.length);
  for (let n = 0; n < x.data.length / length; n++)
    out.set(f(x.data.slice(n * length, (n + 1) * length), n), n * length);
  return out;
}

function softmax(row: Float64Array): Float64Array {
  const largest = Math.max(...row);
  const powers = row.map((value) => Math.exp(value - largest));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((value) => value / total);
}

function normalPdf(x: number): number {
  return Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
}

/** Standard normal distribution function: 1/2 + phi(x) (x + x^3/3 + x^5/(3*5) + ...), which converges everywhere. */
function normalCdf(x: number): number {
  if (x < -8) return 0;
  if (x > 8) return 1;
  let term = x;
  let total = x;
  for (let k = 3; Math.abs(term) > 1e-18 * Math.abs(total) && k < 400; k += 2) {
    term *= (x * x) / k;
    total += term;
  }
  return 0.5 + normalPdf(x) * total;
}
