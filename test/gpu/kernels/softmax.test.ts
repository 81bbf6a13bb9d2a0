/** Softmax, cross-entropy and its gradient against float64; correctness exactly. */
import { describe, expect, it } from 'vitest';
import {
  correct,
  crossEntropy,
  crossEntropyGradient,
  softmax,
} from '../../../src/kernels/softmax/softmax.ts';
import type { TensorView } from '../../../src/runtime/kernel.ts';
import * as reference from '../../reference/kernels/softmax.ts';
import { useContext } from '../../support/context.ts';
import { useMemory } from '../../support/memory.ts';
import { expectClose, integers, normals } from '../../support/numbers.ts';

const context = useContext();
const memory = useMemory(context);
const ULP = 2 ** -23;

const shapes = [
  [0, 3],
  [1, 1],
  [5, 1],
  [3, 2],
  [64, 10],
  [257, 10],
  [65, 7],
  [3, 1000],
] as const;

/** Logits of ordinary size, the last rows far out where exp would overflow or vanish. */
function problem(rows: number, classes: number, scale = 3) {
  const logits = normals(rows * classes, 'logits').map((value) => value * scale);
  for (let c = 0; rows > 1 && c < classes; c++) logits[(rows - 1) * classes + c]! *= 1000;
  const labels = integers(rows, classes, 'labels');
  const row = (n: number) => logits.subarray(n * classes, (n + 1) * classes);
  return { logits, labels, row, rowNumbers: Array.from({ length: rows }, (_, n) => n) };
}

/**
 * Error of a softmax entry relative to it: exp is right to 3 + 2|d| ULP of d = x - max, d itself to half an ULP; the sum adds the
 * errors of its terms, weighted by them, and C roundings; the division has 2.5 ULP.
 */
function softmaxTolerances(row: Float32Array): number[] {
  const largest = row.reduce((a, b) => Math.max(a, b));
  const p = reference.softmax(row);
  const term = (d: number) => 3 + 2.5 * Math.min(d, 104);
  const ofSum = p.reduce((sum, weight, c) => sum + weight * term(largest - row[c]!), 0) + row.length / 2;
  return p.map((weight, c) => weight * (term(largest - row[c]!) + ofSum + 3) * ULP + 2e-38);
}

describe('softmax', () => {
  it.each(shapes)('[%i, %i] equals the float64 reference', async (rows, classes) => {
    const { logits, row, rowNumbers } = problem(rows, classes);
    const output = memory.output([rows, classes]);
    context().record(...softmax(context(), { logits: memory.input(logits, [rows, classes]), output }));
    const expected = rowNumbers.flatMap((n) => reference.softmax(row(n)));
    expectClose(
      await memory.read(output),
      expected,
      rowNumbers.flatMap((n) => softmaxTolerances(row(n))),
    );
  });

  it('wraps grids of more than 65,535 workgroups', async () => {
    const rows = 65536 * 64 + 3;
    const logits = context().tensor([rows, 1], 'f32', { zero: true });
    const output = context().tensor([rows, 1], 'f32', { zero: true });
    context().record(...softmax(context(), { logits, output }));
    expect((await output.read()).findIndex((value) => value !== 1)).toBe(-1);
    logits.destroy();
    output.destroy();
  });
});

describe('crossEntropy', () => {
  it.each(shapes)('[%i, %i] equals the float64 reference', async (rows, classes) => {
    const { logits, labels, row, rowNumbers } = problem(rows, classes);
    const output = memory.output([rows]);
    const views = { logits: memory.input(logits, [rows, classes]), labels: memory.input(labels) };
    context().record(...crossEntropy(context(), { ...views, output }));
    const expected = rowNumbers.map((n) => reference.crossEntropy(row(n), labels[n]!));
    // log is right to 2^-21 near 1 and to 3 ULP elsewhere; below it the relative error of the sum, above it three roundings.
    const tolerance = expected.map((loss, n) => {
      const relative = Math.max(
        ...softmaxTolerances(row(n)).map((t, c) => t / (reference.softmax(row(n))[c]! + 1e-30)),
      );
      const ofLog = Math.min(relative, (3 + 2.5 * 104 + classes) * ULP);
      return 2 ** -21 + ofLog + 3 * ULP * Math.abs(loss);
    });
    expectClose(await memory.read(output), expected, tolerance);
  });

  it('gives NaN for a label that is no class, and leaves the others alone', async () => {
    const views = {
      logits: memory.input(new Float32Array(6), [2, 3]),
      labels: memory.input(Uint32Array.of(3, 1)),
    };
    const output = memory.output([2]);
    context().record(...crossEntropy(context(), { ...views, output }));
    const [bits, second] = await memory.readBits(output);
    expect(bits! & 0x7fffffff).toBeGreaterThan(0x7f800000);
    expect(new Float32Array(Uint32Array.of(second!).buffer)[0]).toBeCloseTo(Math.log(3), 6);
  });
});

describe('crossEntropyGradient', () => {
  const scales: [string, (rows: number) => number[] | number][] = [
    ['a number', () => 0.25],
    ['one element', () => [-3]],
    ['one element a row', (rows) => Array.from({ length: rows }, (_, n) => n - 2.5)],
  ];
  for (const [name, makeScale] of scales) {
    it.each(shapes)(`[%i, %i] scaled by ${name} equals the float64 reference`, async (rows, classes) => {
      const { logits, labels, row, rowNumbers } = problem(rows, classes);
      const scale = makeScale(rows);
      const output = memory.output([rows, classes]);
      const views = { logits: memory.input(logits, [rows, classes]), labels: memory.input(labels) };
      const given = typeof scale === 'number' ? scale : memory.input(Float32Array.from(scale));
      context().record(...crossEntropyGradient(context(), { ...views, scale: given, output }));
      const scaleOf = (n: number) => (typeof scale === 'number' ? scale : (scale[n] ?? scale[0]!));
      const expected = rowNumbers.flatMap((n) =>
        reference.softmax(row(n)).map((p, c) => (p - (c === labels[n] ? 1 : 0)) * scaleOf(n)),
      );
      // The label's entry is minus the sum of the others: its error is at most theirs together.
      const tolerance = rowNumbers.flatMap((n) => {
        const own = softmaxTolerances(row(n));
        const others = own.reduce((a, b) => a + b);
        return own.map((t, c) => ((c === labels[n] ? others : t) * 1.1 + ULP * 2) * Math.abs(scaleOf(n)));
      });
      expectClose(await memory.read(output), expected, tolerance);
    });
  }

  it('keeps relative accuracy where the row is nearly right', async () => {
    const views = {
      logits: memory.input(Float32Array.of(20, 0, 0), [1, 3]),
      labels: memory.input(Uint32Array.of(0)),
    };
    const output = memory.output([1, 3]);
    context().record(...crossEntropyGradient(context(), { ...views, scale: 1, output }));
    const [gradient] = await memory.read(output);
    expect(gradient! / (-2 * Math.exp(-20))).toBeCloseTo(1, 4);
  });
});

describe('correct', () => {
  async function run(logits: TensorView, labels: Uint32Array): Promise<number[]> {
    const output = memory.output([labels.length]);
    context().record(...correct(context(), { logits, labels: memory.input(labels), output }));
    return [...(await memory.read(output))];
  }

  it.each(shapes)('[%i, %i] finds the argmax', async (rows, classes) => {
    // Few distinct values, so that ties are common.
    const logits = Float32Array.from(integers(rows * classes, 5, 'small'), (value) => value - 2);
    const labels = integers(rows, classes, 'labels');
    const expected = [...labels].map((label, n) =>
      reference.correct(logits.subarray(n * classes, (n + 1) * classes), label),
    );
    expect(await run(memory.input(logits, [rows, classes]), labels)).toEqual(expected);
  });

  it('gives a tie to the lowest index', async () => {
    const logits = Float32Array.of(0, 2, 2, 0, 2, 2, -0, 0, -1);
    expect(await run(memory.input(logits, [3, 3]), Uint32Array.of(1, 2, 0))).toEqual([1, 0, 1]);
  });

  it('counts rows with any kind of NaN as wrong, and infinities as numbers', async () => {
    const [zero, one, five, infinity] = [0, 0x3f800000, 0x40a00000, 0x7f800000];
    const rows = [
      [five, 0x7fc00000, zero],
      [0xffc00001, one, zero],
      [five, one, infinity],
      [five, infinity + 0x80000000, zero],
      [zero, zero, 0x7f800001],
    ];
    const logits = new Float32Array(Uint32Array.from(rows.flat()).buffer);
    const labels = Uint32Array.of(0, 0, 2, 0, 2);
    expect(await run(memory.input(logits, [5, 3]), labels)).toEqual([0, 0, 1, 1, 0]);
  });

  it('counts a label that is no class as wrong', async () => {
    expect(
      await run(memory.input(Float32Array.of(1, 2, 3, 4), [2, 2]), Uint32Array.of(2, 0xffffffff)),
    ).toEqual([0, 0]);
  });
});

describe('softmax kernels', () => {
  it('refuse what does not fit', () => {
    const logits = memory.output([2, 3]);
    const labels = memory.output([2], 'u32');
    const output = memory.output([2]);
    const call = { logits, labels, output };
    expect(() => crossEntropy(context(), { ...call, labels: memory.output([2]) })).toThrow(
      /labels must hold u32/,
    );
    expect(() => crossEntropy(context(), { ...call, labels: memory.output([3], 'u32') })).toThrow(
      /2 elements/,
    );
    expect(() => correct(context(), { ...call, logits: memory.output([6]) })).toThrow(/must be \[N, C\]/);
    expect(() => softmax(context(), { logits: memory.output([2, 0]), output })).toThrow(/at least one class/);
    const scale = memory.output([3]);
    expect(() => crossEntropyGradient(context(), { ...call, output: memory.output([2, 3]), scale })).toThrow(
      /f32 of 2 elements or one/,
    );
  });
});
