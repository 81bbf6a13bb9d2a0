/** What a training step leaves behind once it has run before: nothing. */
import { describe, expect, it } from 'vitest';
import { StateError } from '../../../src/base/errors.ts';
import type { ImageDataset } from '../../../src/io/dataset.ts';
import { initialiseParameters } from '../../../src/nn/initialise.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { stateEntries } from '../../../src/nn/models/model.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import { Optimizer, type OptimizerOptions } from '../../../src/nn/train/optimizer.ts';
import { Trainer } from '../../../src/nn/train/trainer.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { useContext } from '../../support/context.ts';
import { countObjects } from '../../support/gpu-objects.ts';

const context = useContext();

/** 20 images of 6 pixels in 3 classes. */
function tinyDataset(): ImageDataset {
  const [count, classes] = [20, 3];
  const images = Uint8Array.from({ length: 6 * count }, (_, i) => (i * 89) % 256);
  const labels = Uint8Array.from({ length: count }, (_, i) => i % classes);
  return { ...{ name: 'tiny', count, channels: 1, height: 2, width: 3, classes }, images, labels };
}

const optimizers: readonly OptimizerOptions[] = [
  { type: 'sgd' },
  { type: 'sgd', momentum: 0.9 },
  { type: 'adam' },
  { type: 'adamw' },
];

describe.each([1, 2])('a steady training step in %s parts', (accumulate) => {
  it.each(optimizers)('is one submit and makes no GPU object with %j', async (optimizer) => {
    const before = context().statistics.liveBuffers;
    // running statistics are stored where they are read from, so that a run ends with copies
    const model = mlp({ widths: [6, 8, 8, 3], norm: 'batch' });
    const data = new GpuDataset(context(), tinyDataset());
    const order = context().tensorFrom(Uint32Array.from({ length: data.count }, (_, i) => i));
    const losses = context().tensor([data.count]);
    const trainer = new Trainer(context(), { model, optimizer, batchSize: 8, accumulate });
    trainer.load(initialiseParameters(stateEntries(model), 1));
    const epoch = async () => {
      for (let start = 0; start < data.count; start += 8) {
        const count = Math.min(8, data.count - start); // the last batch is smaller
        trainer.step({ data, order, losses, start, count, learningRate: 0.01 });
        await context().throttle();
      }
    };
    await epoch();

    const made = countObjects(context().device);
    const atFirst = context().statistics;
    for (let i = 0; i < 20; i++) await epoch();
    await context().finish();
    const after = context().statistics;
    expect(made()).toBe(0);
    expect(after.liveBuffers).toBe(atFirst.liveBuffers);
    expect(after.submits - atFirst.submits).toBe(20 * 3);
    expect(after.dispatches - atFirst.dispatches).toBeGreaterThan(20 * 3 * 15);

    const values = await trainer.values();
    for (const [name, value] of values) expect([...value].every(Number.isFinite), name).toBe(true);
    trainer.destroy();
    data.destroy();
    for (const tensor of [order, losses]) tensor.destroy();
    expect(context().statistics.liveBuffers).toBe(before);
  });
});

it('control: the first run with another batch size makes bind groups, and they are counted', async () => {
  const data = new GpuDataset(context(), tinyDataset());
  const losses = context().tensor([data.count]);
  const model = mlp({ widths: [6, 8, 3] });
  const trainer = new Trainer(context(), { model, optimizer: { type: 'sgd' }, batchSize: 8 });
  trainer.load(initialiseParameters(stateEntries(model), 1));
  const made = countObjects(context().device);
  const { bindGroupsCreated } = context().statistics;
  trainer.step({ data, order: data.inOrder, losses, start: 0, count: 7, learningRate: 0.01 });
  expect(made()).toBeGreaterThan(5);
  expect(context().statistics.bindGroupsCreated - bindGroupsCreated).toBeGreaterThan(5);
  for (const owned of [trainer, data, losses]) owned.destroy();
});

it('a training step is not recorded for a host, and says why; the step after it is the first', async () => {
  const model = mlp({ widths: [6, 8, 3] });
  const data = new GpuDataset(context(), tinyDataset());
  const losses = context().tensor([data.count]);
  const step = { data, order: data.inOrder, losses, start: 0, count: 8, learningRate: 0.01 };
  const start = initialiseParameters(stateEntries(model), 1);
  const run = async (attempt: (trainer: Trainer) => void) => {
    const trainer = new Trainer(context(), { model, optimizer: { type: 'adam' }, batchSize: 8 });
    trainer.load(start);
    attempt(trainer);
    trainer.step(step);
    const values = await trainer.values();
    trainer.destroy();
    return values;
  };
  const expected = await run(() => {});
  const refused = await run((trainer) => {
    const attempt = () => context().recording(() => trainer.step(step));
    expect(attempt).toThrow(StateError);
    expect(attempt).toThrow(/^trainer\.step: .* learning rate, .* would be the same at every submit/);
  });
  expect(refused).toEqual(expected);

  const [parameters, gradients] = [0, 1].map(
    () => new Arena(context(), new ArenaLayout([{ name: 'w', shape: [4] }])),
  );
  const optimizer = new Optimizer(context(), { type: 'sgd' }, parameters!, gradients!);
  expect(() => context().recording(() => optimizer.step(0.1))).toThrow(/^optimizer\.step: /);
  expect(optimizer.steps).toBe(0);
  for (const made of [optimizer, parameters!, gradients!, data, losses]) made.destroy();
});
