/** The demo's choices: what is told on the way, what an earlier demo saves, and what is refused before any work. */
import { describe, expect, it } from 'vitest';
import { OptionError, ShapeError, UnsupportedError } from '../../../src/base/errors.ts';
import { digits } from '../../../src/io/digits.ts';
import { type DemoOptions, type DemoPart, type DemoProgress, runDemo } from '../../../src/rebasin/demo.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

/** A demo of a second. */
const TINY: DemoOptions = {
  ...{ model: 'mlp:784-12-9-10', seed: 4, secondSeed: 9, epochs: 1, batchSize: 40 },
  ...{ trainCount: 130, testCount: 50, points: 3 },
};

describe('runDemo', () => {
  it('tells losses of both networks in turn, each sweep’s permutations, and the parts of its result', async () => {
    const [progress, parts]: [DemoProgress[], DemoPart[]] = [[], []];
    const { fields } = await runDemo(context(), {
      ...TINY,
      onProgress: (each) => progress.push(each),
      onPart: (part) => parts.push(part),
    });
    const stages = progress.filter(({ loss }) => loss !== undefined).map(({ stage }) => stage);
    // Side by side: neither waits for the other's end.
    expect(stages.indexOf('train B')).toBeLessThan(stages.lastIndexOf('train A'));
    const swept = progress.filter(({ permutations }) => permutations !== undefined);
    expect(swept.map(({ done }) => done)).toEqual(
      Array.from({ length: fields.match.sweeps! + 1 }, (_, i) => i),
    );
    expect(swept[0]!.objective).toBe(fields.match.objective.before);
    const last = Object.entries(swept.at(-1)!.permutations!).map(([name, p]) => [name, [...p]]);
    expect(Object.fromEntries(last)).toEqual(fields.match.permutations);
    expect(parts).toEqual([
      { part: 'networks', networks: fields.networks },
      { part: 'match', match: fields.match },
      { part: 'naive', curves: fields.naive },
      { part: 'aligned', curves: fields.aligned },
    ]);
    expect(fields.networks.map(({ seed }) => seed)).toEqual([4, 9]);
  });

  it('gives the hash of one run whether or not the networks were trained before', async () => {
    const first = await runDemo(context(), { ...TINY, method: 'activation' });
    const stages = new Set<string>();
    const again = await runDemo(context(), {
      ...{ ...TINY, trained: first.trained, method: 'weight' },
      onProgress: ({ stage }) => stages.add(stage),
    });
    expect([...stages]).toEqual(['match', 'sweep naive', 'sweep aligned']);
    expect(again.hash).toBe((await runDemo(context(), TINY)).hash);
    expect(again.hash).not.toBe(first.hash);
  });

  it('corrects both lines, biases added where that needs them', async () => {
    const model = 'mlp:784-12-10:no-bias';
    const { fields, hash } = await runDemo(context(), { ...TINY, model, renormalise: 'repair' });
    const plain = await runDemo(context(), { ...TINY, model });
    expect(hash).not.toBe(plain.hash);
    expect(fields.naive.test!.loss[1]).not.toBe(plain.fields.naive.test!.loss[1]);
  });

  it('takes images, and hashes what they are', async () => {
    const images = (seed: number) => ({
      train: digits({ count: 130, seed, split: 'train' }),
      test: digits({ count: 50, seed: 0, split: 'test' }),
      normalisation: { mean: [0.1], std: [0.3] },
    });
    const [one, other] = [
      await runDemo(context(), { ...TINY, data: images(0) }),
      await runDemo(context(), {
        ...TINY,
        data: { ...images(0), train: { ...images(1).train, name: images(0).train.name } },
      }),
    ];
    expect(one.fields.data).toEqual(other.fields.data);
    expect(one.hash).not.toBe(other.hash);
  });

  it.each([
    [
      'a network for other images',
      { model: 'mlp:50-9-10' },
      ShapeError,
      /images of 1x28x28 = 784 values do not fit/,
    ],
    ['a correction that needs batch norm', { renormalise: 'reset' }, UnsupportedError, /batch norm/],
    ['half an epoch', { epochs: 0.5 }, OptionError, /epochs must be an integer of at least 1, got 0.5/],
    ['one point', { points: 1 }, OptionError, /points must be an integer of at least 2, got 1/],
    [
      'unknown data',
      { data: 'faces' as 'digits' },
      OptionError,
      /unknown data "faces"; expected digits, colours/,
    ],
  ] as const)('refuses %s before any work', async (_, options, type, message) => {
    const { submits } = context().statistics;
    const refused = runDemo(context(), { ...TINY, ...options });
    await expect(refused).rejects.toThrow(type);
    await expect(refused).rejects.toThrow(message);
    expect(context().statistics.submits).toBe(submits);
  });

  it('stops both trainings, and frees everything, when one fails or the caller cancels', async () => {
    const controller = new AbortController();
    const stopped = runDemo(context(), {
      ...{ ...TINY, epochs: 50, signal: controller.signal },
      onProgress: ({ done }) => done >= 4 && controller.abort(new Error('enough')),
    });
    await expect(stopped).rejects.toThrow('enough');
    await expect(runDemo(context(), { ...TINY, epochs: 20, learningRate: 1e12 })).rejects.toThrow(
      /use a smaller learning rate/,
    );
  });
});
