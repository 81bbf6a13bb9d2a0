/** Weights of samples from epoch to epoch, and the file that keeps them. */
import { describe, expect, test } from 'vitest';
import { FormatError, OptionError } from '../../../src/base/errors.ts';
import { parseSafetensors } from '../../../src/io/safetensors.ts';
import { writeSafetensors } from '../../../src/io/safetensors-writer.ts';
import { SamplePacer, type SelfPacing } from '../../../src/nn/train/self-paced.ts';
import { readTrainingState, writeTrainingState } from '../../../src/nn/train/training-state.ts';

/** Losses of four samples, 1 to 4, and the order an epoch took them in. */
const ORDER = Uint32Array.from([2, 0, 3, 1]);
const LOSSES = Float32Array.from([3, 1, 4, 2]);

describe('SamplePacer', () => {
  test('plain epochs come first, then the share moves linearly; losses go to their samples', () => {
    const pacer = new SamplePacer({ regulariser: 'hard', from: 0.5, to: 1, plainEpochs: 2 }, 5);
    const epochs = [1, 2, 3, 4, 5].map((epoch) => {
      const weights = [...pacer.begin(epoch, 4)];
      pacer.finish(LOSSES, ORDER);
      return weights;
    });
    expect(epochs).toEqual([
      [1, 1, 1, 1],
      [1, 1, 1, 1],
      [1, 1, 0, 0],
      [1, 1, 1, 0],
      [1, 1, 1, 1],
    ]);
    const { epochs: paces, weights } = pacer.result;
    expect(paces.map(({ share }) => share)).toEqual([1, 1, 0.5, 0.75, 1]);
    expect(paces.map(({ meanWeight }) => meanWeight)).toEqual([1, 1, 0.5, 0.75, 1]);
    expect(paces.slice(0, 2).every((pace) => pace.age === undefined)).toBe(true);
    expect(paces[2]!.age).toBeCloseTo(2, 10);
    expect([...weights]).toEqual([1, 1, 1, 1]);
  });

  test('linear weights are 1 - loss / age', () => {
    const pacer = new SamplePacer({ regulariser: 'linear', from: 0.75, to: 0.75 }, 2);
    pacer.begin(1, 4);
    pacer.finish(LOSSES, ORDER);
    const weights = pacer.begin(2, 4);
    [2 / 3, 1 / 3, 0, 0].forEach((weight, i) => {
      expect(weights[i]).toBeCloseTo(weight, 6);
    });
    expect(weights[2]).toBeGreaterThan(0); // the hardest of the three that are easy enough
    expect(pacer.pace).toMatchObject({ share: 0.75, meanWeight: expect.closeTo(0.25, 6) });
  });

  test.each<[Partial<SelfPacing>, number, RegExp]>([
    [{ regulariser: 'logarithmic' }, 5, /ages below 1 only/],
    [{ from: 0 }, 5, /from must be a share/],
    [{ to: 1.5 }, 5, /to must be a share/],
    [{ to: Number.NaN }, 5, /to must be a share/],
    [{ plainEpochs: 0 }, 5, /plainEpochs must be/],
    [{ plainEpochs: 5 }, 5, /plainEpochs must be an integer from 1 to 4/],
    [{}, 1, /train for more epochs/],
    [{ regulariser: 'polynomial', exponent: 1 }, 5, /exponent above 1/],
  ])('%j for %d epochs is refused', (pacing, epochs, message) => {
    const make = () => new SamplePacer({ regulariser: 'linear', ...pacing }, epochs);
    expect(make).toThrow(OptionError);
    expect(make).toThrow(message);
  });
});

describe('a training state', () => {
  const plain = {
    step: 3,
    values: new Map([['w', Float32Array.of(1, 2)]]),
    optimizer: [],
    losses: Float32Array.of(5),
    epochLoss: [0.1],
    recipe: 'r',
  };
  const paced = {
    ...plain,
    selfPaced: {
      losses: LOSSES,
      paces: [
        { share: 1, meanWeight: 1 },
        { age: 1 / 3, share: 0.5, meanWeight: 0.1 },
      ],
    },
  };

  test.each([plain, paced])('comes back from its file, bit for bit', (state) => {
    expect(readTrainingState(writeTrainingState(state), 'test')).toEqual(state);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ['"paces"', {}, /paces.*belong together/],
    ['a number in "paces"', { paces: '[{"share":1,"meanWeight":"all"}]' }, /paces: expected a list/],
    ['a list "paces"', { paces: 'none' }, /paces: expected a list/],
  ])('without %s is refused', (_what, replaced, message) => {
    const { tensors, metadata } = parseSafetensors(writeTrainingState(paced), 'test');
    const texts = [...metadata].filter(([key]) => key !== 'paces');
    const bytes = writeSafetensors(tensors, [...texts, ...Object.entries(replaced)]);
    expect(() => readTrainingState(bytes, 'test')).toThrow(FormatError);
    expect(() => readTrainingState(bytes, 'test')).toThrow(message);
  });
});
