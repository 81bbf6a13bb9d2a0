/** Batch norm in programs: running statistics over batches of several sizes, far from 0, and the same bits whatever the program. */
import { describe, expect, it } from 'vitest';
import * as ops from '../../../src/nn/ops/index.ts';
import { compile } from '../../../src/nn/program.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { useContext } from '../../support/context.ts';
import { expectClose, normals } from '../../support/numbers.ts';

const context = useContext();

const [C, H, W] = [3, 2, 2];
const SPACE = H * W;
const ENTRIES = [
  ...['weight', 'bias', 'running_mean', 'running_var'].map((name) => ({ name, shape: [C] })),
  { name: 'num_batches_tracked', shape: [] },
];
const UNIT = 2 ** -24;

function values(batchSize: number): Float32Array {
  return normals(batchSize * C * SPACE, `batch of ${batchSize}`).map((z, i) => 10 * (i % 5) + z);
}

/** Mean and biased variance of each channel. */
function statistics(x: Float32Array, batchSize: number): { mean: number; variance: number }[] {
  const n = batchSize * SPACE;
  return Array.from({ length: C }, (_, c) => {
    const channel = [...x].filter((_, i) => Math.floor(i / SPACE) % C === c);
    const mean = channel.reduce((sum, v) => sum + v / n, 0);
    return { mean, variance: channel.reduce((sum, v) => sum + (v - mean) ** 2 / n, 0) };
  });
}

/** A training batch norm whose buffers are stored to where they are read from. */
function trainingProgram(momentum: number | null, batchSize: number) {
  const [weight, bias] = [ops.parameter('weight', [C]), ops.parameter('bias', [C])];
  const training = ops.batchNormTraining(ops.input('x', ['N', C, H, W]), {
    weight,
    bias,
    runningMean: ops.buffer('running_mean', [C]),
    runningVar: ops.buffer('running_var', [C]),
    batchesTracked: ops.buffer('num_batches_tracked', []),
    momentum,
  });
  const arena = new Arena(context(), new ArenaLayout(ENTRIES));
  arena.write(
    new Map([
      ['weight', Float32Array.of(1, 2, 3)],
      ['bias', Float32Array.of(4, 5, 6)],
      ['running_mean', new Float32Array(C)],
      ['running_var', new Float32Array(C).fill(1)],
      ['num_batches_tracked', new Float32Array(1)],
    ]),
  );
  const stores = new Map(Object.entries(training.stores).map(([name, node]) => [node, arena.view(name)]));
  const program = compile(context(), { outputs: { y: training.output }, stores, arenas: [arena], batchSize });
  return {
    arena,
    program,
    destroy() {
      program.destroy();
      arena.destroy();
    },
  };
}

describe('batchNormTraining', () => {
  it.each([0.1, 0.25, null])(
    'updates running statistics over batches of several sizes, momentum %s',
    async (momentum) => {
      const { arena, program, destroy } = trainingProgram(momentum, 7);
      const mean = new Float64Array(C);
      const variance = new Float64Array(C).fill(1);
      for (const [k, batchSize] of [7, 1, 4, 7].entries()) {
        const x = values(batchSize);
        context().write(program.input('x'), x);
        program.run(batchSize);
        const n = batchSize * SPACE;
        const share = momentum ?? 1 / (k + 1);
        statistics(x, batchSize).forEach((batch, c) => {
          mean[c]! += share * (batch.mean - mean[c]!);
          variance[c]! += share * ((batch.variance * n) / (n - 1) - variance[c]!);
        });
      }
      const state = await arena.read();
      // A few roundings for each of four batches.
      const tolerance = (x: Float64Array) => x.map((v) => 40 * UNIT * (Math.abs(v) + 1));
      expectClose(state.get('running_mean')!, mean, tolerance(mean));
      expectClose(state.get('running_var')!, variance, tolerance(variance));
      expect(state.get('num_batches_tracked')![0]).toBe(4);
      destroy();
    },
  );

  it('normalises a channel of 4096 +- 1 to +-1 times its weight', async () => {
    const { program, destroy } = trainingProgram(0.1, 8);
    const x = Float32Array.from({ length: 8 * C * SPACE }, (_, i) => 4096 + (i % 2 === 0 ? 1 : -1));
    context().write(program.input('x'), x);
    program.run();
    const y = await context().read(program.output('y'));
    const expected = Float64Array.from(x, (v, i) => {
      const c = Math.floor(i / SPACE) % C;
      return ((v - 4096) / Math.sqrt(1 + 1e-5)) * (c + 1) + c + 4;
    });
    expectClose(y, expected, 1e-5);
    destroy();
  });

  it('has the same bits for a batch in a program of any largest batch size', async () => {
    const x = values(5);
    const results: Float32Array[] = [];
    for (const batchSize of [5, 64]) {
      const { program, destroy } = trainingProgram(0.1, batchSize);
      context().write(program.input('x'), x);
      program.run(5);
      results.push(await context().read(program.output('y', 5)));
      destroy();
    }
    expect(results[1]).toEqual(results[0]);
  });

  it('gives batches of one value a running variance without NaN', async () => {
    const x = ops.input('x', ['N', C]);
    const { stores } = ops.batchNormTraining(x, {
      runningMean: ops.buffer('running_mean', [C]),
      runningVar: ops.buffer('running_var', [C]),
    });
    const arena = new Arena(context(), new ArenaLayout(ENTRIES));
    const program = compile(context(), { outputs: stores, arenas: [arena], batchSize: 2 });
    context().write(program.input('x'), Float32Array.of(1, 2, 3));
    program.run(1);
    expect([...(await context().read(program.output('running_var')))]).toEqual([0, 0, 0]);
    program.destroy();
    arena.destroy();
  });
});

describe('dropout', () => {
  it('zeros other elements at each step, the same ones again for the same step', async () => {
    const x = ops.input('x', ['N', 100]);
    const stream = { key0: 3, key1: 4 };
    const y = ops.dropout(x, 0.25, stream, ops.input('step', [], 'u32'));
    const program = compile(context(), { outputs: { y }, arenas: [], batchSize: 50 });
    context().write(program.input('x'), new Float32Array(5000).fill(3));
    const runs: Float32Array[] = [];
    for (const step of [1, 2, 1]) {
      context().write(program.input('step'), Uint32Array.of(step));
      program.run();
      runs.push(await context().read(program.output('y')));
    }
    expect(runs[2]).toEqual(runs[0]);
    expect(runs[1]).not.toEqual(runs[0]);
    expect(new Set(runs[0])).toEqual(new Set([0, 4]));
    // 5,000 draws of probability 1/4: standard deviation 0.006.
    const share = runs[0]!.filter((v) => v === 0).length / 5000;
    expect(Math.abs(share - 0.25)).toBeLessThan(0.03);
    program.destroy();
  });
});
