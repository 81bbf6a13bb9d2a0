/** Optimizer steps against PyTorch's formulas in float64, over several steps. */
import { describe, expect, it } from 'vitest';
import { adamStep, adamWStep } from '../../../src/kernels/optimizer/adam.ts';
import { sgdStep } from '../../../src/kernels/optimizer/sgd.ts';
import type { Dispatch, TensorView } from '../../../src/runtime/kernel.ts';
import * as reference from '../../reference/kernels/optimizers.ts';
import { useContext } from '../../support/context.ts';
import { useMemory } from '../../support/memory.ts';
import { expectClose, normals } from '../../support/numbers.ts';

const context = useContext();
const memory = useMemory(context);
const UNIT = 2 ** -24;
const STEPS = 12;

/** Awkward windows, multiples of 4 and others; a workgroup updates 512 elements, on software adapters 4,096. */
const sizes = [1, 3, 4, 5, 255, 257, 513, 1024, 1031, 4100, 8195];

interface Problem {
  start: Float32Array[];
  gradients: Float32Array[][]; // by step, by window
  parameters: TensorView[];
}

function problem(): Problem {
  const start = sizes.map((size) => normals(size, `start ${size}`));
  const gradients = Array.from({ length: STEPS }, (_, t) =>
    sizes.map((size) => normals(size, `${t} ${size}`)),
  );
  return { start, gradients, parameters: start.map((values) => memory.input(values)) };
}

const zeros = () => sizes.map((size) => memory.input(new Float32Array(size)));

/** Runs all steps, and compares every parameter after the last with `expected(start, its gradients)`. */
async function check(
  { start, gradients, parameters }: Problem,
  step: (gradients: TensorView[], t: number) => Dispatch[],
  expected: (start: number, gradients: number[]) => number[],
  tolerance: (trajectory: number[]) => number,
): Promise<void> {
  for (const [t, windows] of gradients.entries()) {
    context().record(
      ...step(
        windows.map((values) => memory.input(values)),
        t + 1,
      ),
    );
  }
  for (const [w, view] of parameters.entries()) {
    const trajectories = Array.from(start[w]!, (value, i) => [
      value,
      ...expected(
        value,
        gradients.map((windows) => windows[w]![i]!),
      ),
    ]);
    const last = trajectories.map((trajectory) => trajectory.at(-1)!);
    expectClose(await memory.read(view), last, trajectories.map(tolerance));
  }
}

describe('sgdStep', () => {
  it.each([
    { momentum: 0, weightDecay: 0, nesterov: false },
    { momentum: 0, weightDecay: 0.01, nesterov: false },
    { momentum: 0.9, weightDecay: 0, nesterov: false },
    { momentum: 0.9, weightDecay: 0.01, nesterov: false },
    { momentum: 0.9, weightDecay: 0.01, nesterov: true },
  ])('follows PyTorch: %o', async (options) => {
    const given = problem();
    const all = { ...options, learningRate: 0.1 };
    const velocities = zeros();
    // A step rounds the parameter once (half an ULP) and its change a few times; a change is at most about 0.1 * 10 * 3.
    const tolerance = (trajectory: number[]) =>
      STEPS * UNIT * (Math.max(...trajectory.map(Math.abs)) + 6 * 3);
    await check(
      given,
      (gradients) => sgdStep(context(), { ...all, parameters: given.parameters, gradients, velocities }),
      (start, gradients) => reference.sgd(start, gradients, all),
      tolerance,
    );
  });

  it('control: the tolerance tells nesterov from plain momentum, and a decay of 0.01 from 0.011', () => {
    const gradients = [1, -0.5, 2];
    const run = (weightDecay: number, nesterov: boolean) =>
      reference.sgd(1, gradients, { learningRate: 0.1, momentum: 0.9, weightDecay, nesterov }).at(-1)!;
    const allowed = STEPS * UNIT * (2 + 18);
    expect(Math.abs(run(0.01, true) - run(0.01, false))).toBeGreaterThan(allowed);
    expect(Math.abs(run(0.01, false) - run(0.011, false))).toBeGreaterThan(allowed);
  });

  it('refuses options out of range and missing velocities', () => {
    const windows = [memory.output([5])];
    const call = { parameters: windows, gradients: [memory.output([5])], learningRate: 0.1 };
    expect(() => sgdStep(context(), { ...call, momentum: 0.9 })).toThrow(/needs velocities/);
    expect(() => sgdStep(context(), { ...call, learningRate: Number.NaN })).toThrow(
      /learningRate .* got NaN/,
    );
    expect(() => sgdStep(context(), { ...call, weightDecay: -1 })).toThrow(/weightDecay/);
    expect(() => sgdStep(context(), { ...call, nesterov: true })).toThrow(/nesterov needs a momentum/);
    expect(() => sgdStep(context(), { ...call, momentum: 0.9, velocities: windows })).toThrow(
      /same GPUBuffer/,
    );
  });
});

describe.each([
  { name: 'adamStep', step: adamStep, decoupled: false },
  { name: 'adamWStep', step: adamWStep, decoupled: true },
])('$name', ({ step, decoupled }) => {
  it.each([
    { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 },
    { learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.1 },
    { learningRate: 0.1, beta1: 0.5, beta2: 0.9, epsilon: 0.1, weightDecay: 0.01 },
  ])('follows PyTorch: %o', async (options) => {
    const given = problem();
    const [firstMoments, secondMoments] = [zeros(), zeros()];
    // Per step: two roundings of the parameter; the change is at most a few learning rates, with two divisions and a square
    // root (2.5 and 3 ULP), and moments that carry a rounding from each earlier step.
    const change = options.learningRate * 3;
    const tolerance = (trajectory: number[]) =>
      STEPS * UNIT * (2 * Math.max(...trajectory.map(Math.abs)) + change * (16 + 2 * STEPS));
    await check(
      given,
      (gradients, t) => {
        const moments = { firstMoments, secondMoments };
        return step(context(), { ...options, ...moments, parameters: given.parameters, gradients, step: t });
      },
      (start, gradients) => reference.adam(start, gradients, options, decoupled),
      tolerance,
    );
  });

  it("has PyTorch's defaults, and keeps zeros (padding) zero", async () => {
    const [parameters, gradients] = [
      [memory.input(Float32Array.of(0, 1))],
      [memory.input(Float32Array.of(0, 2))],
    ];
    const moments = [0, 1].map(() => [memory.input(new Float32Array(2))]);
    const state = { parameters, gradients, firstMoments: moments[0]!, secondMoments: moments[1]! };
    context().record(...step(context(), { ...state, step: 1, learningRate: 0.001 }));
    const [padding, parameter] = await memory.read(parameters[0]!);
    expect(padding).toBe(0);
    expect(parameter).toBeCloseTo(0.999, 6);
    const [first, second] = [await memory.read(moments[0]![0]!), await memory.read(moments[1]![0]!)];
    expectClose(first, [0, 0.2], 1e-7);
    expectClose(second, [0, 0.004], 1e-9);
  });

  it('refuses options out of range', () => {
    const [a, b, c, d] = Array.from({ length: 4 }, () => [memory.output([5])]);
    const state = { parameters: a!, gradients: b!, firstMoments: c!, secondMoments: d! };
    const call = { ...state, step: 1, learningRate: 0.001 };
    expect(() => step(context(), { ...call, step: 0 })).toThrow(/step must be an integer from 1 on, got 0/);
    expect(() => step(context(), { ...call, beta2: 1 })).toThrow(/beta2 .* below 1, got 1/);
    expect(() => step(context(), { ...call, epsilon: 0 })).toThrow(/epsilon must be above 0/);
    expect(() => step(context(), { ...call, learningRate: -1 })).toThrow(/learningRate/);
    expect(() => step(context(), { ...call, secondMoments: c! })).toThrow(/same GPUBuffer/);
  });
});
