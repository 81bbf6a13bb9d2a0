/** Programs: lowering, memory by lifetime, batch sizes, steady states, and errors before any GPU work. */
import { describe, expect, it } from 'vitest';
import { parameterGradients } from '../../../src/nn/gradient.ts';
import { initialiseParameters } from '../../../src/nn/initialise.ts';
import { lower } from '../../../src/nn/lowering.ts';
import { planMemory } from '../../../src/nn/memory-plan.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { forwardGraph, stateEntries } from '../../../src/nn/models/model.ts';
import * as ops from '../../../src/nn/ops/index.ts';
import { compile } from '../../../src/nn/program.ts';
import { Optimizer } from '../../../src/nn/train/optimizer.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { evaluateReference } from '../../reference/graph.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

function trainingGraph(widths: number[]) {
  const model = mlp({ widths });
  const { logits } = forwardGraph(model);
  const loss = ops.mean(ops.crossEntropy(logits, ops.input('labels', ['N'], 'u32')), 0);
  return { model, logits, loss, gradients: parameterGradients(loss) };
}

describe('lower', () => {
  it('gives a linear layer and the ReLU after it one kernel', () => {
    const { logits } = forwardGraph(mlp({ widths: [8, 6, 4] }));
    expect(lower([logits]).map((step) => step.node.operation.name)).toEqual(['relu', 'linear']);
  });

  it('keeps a value that is an output out of a fused kernel', () => {
    const inner = ops.tanh(ops.parameter('x', [4]));
    const outer = ops.tanh(inner);
    expect(lower([outer])).toHaveLength(1);
    expect(lower([outer, inner])).toHaveLength(2);
  });

  it('splits a chain that would need more than seven inputs', () => {
    let sum = ops.parameter('p0', [4]);
    for (let i = 1; i < 12; i++) sum = ops.add(sum, ops.parameter(`p${i}`, [4]));
    const steps = lower([sum]);
    expect(steps.length).toBeGreaterThan(1);
    for (const step of steps) expect(step.inputs.length).toBeLessThanOrEqual(7);
  });
});

/** relu(norm(conv(x)) + x), and what is computed on the way. */
function residualBlock(channels: number) {
  const vector = (name: string) => ops.parameter(name, [channels]);
  const x = ops.input('x', ['N', channels, 7, 6]);
  const convolved = ops.conv2d(x, ops.parameter('weight', [channels, channels, 3, 3]), undefined, {
    padding: 1,
  });
  const statistics = { mean: vector('mean'), variance: vector('variance') };
  const normalised = ops.batchNorm(convolved, statistics, vector('gamma'), vector('beta'));
  const sum = ops.add(x, normalised);
  return { x, convolved, normalised, sum, result: ops.relu(sum) };
}

describe('epilogues', () => {
  it('a convolution takes over the norm, the shortcut and the ReLU after it', () => {
    const { x, result } = residualBlock(5);
    const steps = lower([result]);
    expect(steps).toHaveLength(2); // the norm's factor, and all the rest
    const { kind, inputs } = steps[1]!;
    expect(kind).toMatchObject({ type: 'operation', epilogue: ['norm', 'addend', 'relu'] });
    expect(inputs).toHaveLength(2 + 3 + 1);
    expect(inputs.at(-1)).toBe(x);
  });

  it('leaves alone what somebody else reads, a broadcast addend, and operations that cannot', () => {
    const { normalised, sum, result } = residualBlock(5);
    const epilogues = (...outputs: Parameters<typeof lower>[0]) =>
      lower(outputs).flatMap(({ kind }) => (kind.type === 'operation' ? [kind.epilogue.join(' ')] : []));
    expect(epilogues(result, sum)).toEqual(['norm addend']);
    expect(epilogues(result, normalised)).toEqual(['norm']);
    const bias = ops.broadcast(ops.parameter('b', [6]), 0, 4);
    const product = ops.matmul(ops.parameter('m', [4, 3]), ops.parameter('n', [3, 6]));
    expect(epilogues(ops.relu(ops.add(product, bias)))).toEqual(['']);
  });

  it('has the bits of separate kernels', async () => {
    const { convolved, normalised, sum, result } = residualBlock(5);
    const sizes = { weight: [5, 5, 3, 3], mean: [5], variance: [5], gamma: [5], beta: [5] };
    const layout = new ArenaLayout(Object.entries(sizes).map(([name, shape]) => ({ name, shape })));
    const arena = new Arena(context(), layout);
    const wave = (length: number, step: number) =>
      Float32Array.from({ length }, (_, i) => ((i * step) % 17) / 9 - 0.8);
    arena.write(
      new Map(
        Object.entries(sizes).map(([name, shape], i) => {
          const values = wave(
            shape.reduce((a, b) => a * b),
            5 + i,
          );
          return [name, name === 'variance' ? values.map((value) => value * value + 0.1) : values];
        }),
      ),
    );
    const run = async (outputs: Parameters<typeof compile>[1]['outputs']) => {
      const program = compile(context(), { outputs, arenas: [arena], batchSize: 3 });
      context().write(program.input('x'), wave(3 * 5 * 42, 7));
      program.run();
      const values = await context().read(program.output('result'));
      program.destroy();
      return values;
    };
    const fused = await run({ result });
    expect(fused).toEqual(await run({ result, sum, normalised, convolved }));
    expect(fused.some((value) => value > 0) && fused.includes(0)).toBe(true);
    arena.destroy();
  });
});

describe('planMemory', () => {
  it('shares a slot between values that are never alive together, and never between others', () => {
    const lifetimes = [
      { size: 10, firstStep: 0, lastStep: 1 },
      { size: 20, firstStep: 1, lastStep: 2 },
      { size: 5, firstStep: 2, lastStep: 3 },
      { size: 30, firstStep: 3, lastStep: 4 },
    ];
    const { slotOf, slotSizes } = planMemory(lifetimes);
    lifetimes.forEach((a, i) => {
      lifetimes.forEach((b, j) => {
        const together = a.firstStep <= b.lastStep && b.firstStep <= a.lastStep;
        if (i < j && together) expect(slotOf[i]).not.toBe(slotOf[j]);
      });
      expect(slotSizes[slotOf[i]!]).toBeGreaterThanOrEqual(a.size);
    });
    expect(slotSizes).toHaveLength(2);
  });
});

describe('Program', () => {
  it('gives the float64 result for every batch size up to its largest, in any order', async () => {
    const { model, logits } = trainingGraph([5, 7, 3]);
    const entries = stateEntries(model);
    const values = initialiseParameters(entries, 3);
    const arena = new Arena(context(), new ArenaLayout(entries));
    arena.write(values);
    const program = compile(context(), { outputs: { logits }, arenas: [arena], batchSize: 9 });
    const images = Float32Array.from({ length: 45 }, (_, i) => ((i * 37) % 11) / 5 - 1);
    context().write(program.input('images'), images);
    for (const batchSize of [9, 1, 4, 9, 8]) {
      program.run(batchSize);
      const actual = await context().read(program.output('logits', batchSize));
      const leaves = new Map<string, ArrayLike<number>>([
        ...values,
        ['images', images.subarray(0, 5 * batchSize)],
      ]);
      const expected = evaluateReference([logits], leaves, batchSize)[0]!;
      expect(actual.length).toBe(3 * batchSize);
      // Two layers of at most 7 terms near 1: a few roundings of 6e-8.
      for (const [i, value] of expected.entries()) expect(Math.abs(actual[i]! - value)).toBeLessThan(2e-6);
    }
    program.destroy();
    arena.destroy();
  });

  it('makes no GPU object in a steady training step', async () => {
    const { model, loss, gradients } = trainingGraph([12, 16, 16, 4]);
    const entries = stateEntries(model);
    const layout = new ArenaLayout(entries);
    const [parameters, gradientArena] = [new Arena(context(), layout), new Arena(context(), layout)];
    parameters.write(initialiseParameters(entries, 1));
    const stores = [...gradients].map(([name, node]) => [node, gradientArena.view(name)] as const);
    const program = compile(context(), { outputs: { loss }, stores, arenas: [parameters], batchSize: 8 });
    const optimizer = new Optimizer(context(), { type: 'adam' }, parameters, gradientArena);
    const step = (batchSize: number) => {
      program.run(batchSize);
      optimizer.step(1e-3);
    };
    step(8);
    step(5);
    const before = context().statistics;
    for (let i = 0; i < 50; i++) step(i % 7 === 0 ? 5 : 8);
    await context().finish();
    const after = context().statistics;
    expect(after.buffersCreated).toBe(before.buffersCreated);
    expect(after.bindGroupsCreated).toBe(before.bindGroupsCreated);
    expect(after.pipelines).toBe(before.pipelines);
    expect(after.dispatches).toBeGreaterThan(before.dispatches + 50 * 5);
    for (const owned of [program, optimizer, parameters, gradientArena]) owned.destroy();
  });

  it('stores a value that is also read elsewhere without binding one arena twice', async () => {
    const x = ops.parameter('x', [4]);
    const y = ops.multiply(x, x);
    const z = ops.sum(y, 0);
    const source = new Arena(context(), new ArenaLayout([{ name: 'x', shape: [4] }]));
    const target = new Arena(
      context(),
      new ArenaLayout([
        { name: 'y', shape: [4] },
        { name: 'z', shape: [] },
      ]),
    );
    source.write(new Map([['x', Float32Array.of(1, 2, 3, 4)]]));
    const stores = [
      [y, target.view('y')],
      [z, target.view('z')],
    ] as const;
    const program = compile(context(), { outputs: {}, stores, arenas: [source], batchSize: 1 });
    program.run();
    const values = await target.read();
    expect([...values.get('y')!, ...values.get('z')!]).toEqual([1, 4, 9, 16, 30]);
    for (const owned of [program, source, target]) owned.destroy();
  });

  it('updates state in the arena it reads it from, and stores one value in two places', async () => {
    const counter = ops.buffer('counter', [3]);
    const next = ops.offset(counter, 1);
    const layout = new ArenaLayout([
      { name: 'counter', shape: [3] },
      { name: 'copy', shape: [3] },
    ]);
    const state = new Arena(context(), layout);
    state.write(
      new Map([
        ['counter', Float32Array.of(5, 6, 7)],
        ['copy', new Float32Array(3)],
      ]),
    );
    const stores = [
      [next, state.view('counter')],
      [next, state.view('copy')],
    ] as const;
    const program = compile(context(), { outputs: {}, stores, arenas: [state], batchSize: 1 });
    program.run();
    program.run();
    const values = await state.read();
    expect([...values.get('counter')!, ...values.get('copy')!]).toEqual([7, 8, 9, 7, 8, 9]);
    for (const owned of [program, state]) owned.destroy();
  });

  it('refuses a parameter that no arena holds, an arena with another shape, and a batch that is too large', () => {
    const { logits } = forwardGraph(mlp({ widths: [3, 2] }));
    const wrong = new Arena(
      context(),
      new ArenaLayout([
        { name: 'fc1.weight', shape: [2, 4] },
        { name: 'fc1.bias', shape: [2] },
      ]),
    );
    expect(() => compile(context(), { outputs: { logits }, arenas: [], batchSize: 1 })).toThrow(
      /"fc1.weight".*in none/,
    );
    expect(() => compile(context(), { outputs: { logits }, arenas: [wrong], batchSize: 1 })).toThrow(
      /\[2, 3\] is \[2, 4\]/,
    );
    expect(() => compile(context(), { outputs: { logits }, arenas: [wrong], batchSize: 0 })).toThrow(
      /positive integer/,
    );
    wrong.destroy();
  });
});
