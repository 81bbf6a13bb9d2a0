/** What pruning removes: exactly how many, which, in which tensors; and what it refuses before any work. */
import fc from 'fast-check';
import { inverse, Matrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { OptionError, UnsupportedError } from '../../../src/base/errors.ts';
import { RandomStream } from '../../../src/base/random.ts';
import { forwardGraph, type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { parseModel } from '../../../src/nn/models/parse-model.ts';
import { channelPruning } from '../../../src/rebasin/pruning/channels.ts';
import { fisherScores } from '../../../src/rebasin/pruning/fisher.ts';
import { wandaScores } from '../../../src/rebasin/pruning/input-norms.ts';
import { markNofM } from '../../../src/rebasin/pruning/n-of-m.ts';
import { prunableWeights } from '../../../src/rebasin/pruning/prunable-weights.ts';
import { type PruningMethod, patternOf } from '../../../src/rebasin/pruning/pruning-method.ts';
import { checkPruning } from '../../../src/rebasin/pruning/pruning-options.ts';
import { Ranking, zeroCount } from '../../../src/rebasin/pruning/ranking.ts';
import { InverseFisherBlock, woodFisherScores } from '../../../src/rebasin/pruning/woodfisher.ts';
import { derivePermutationSpec } from '../../../src/rebasin/spec/permutation-spec.ts';
import { elementCount } from '../../../src/runtime/kernel.ts';

const count = (marked: Uint8Array) => marked.reduce((sum, mark) => sum + mark, 0);

describe('how many weights go', () => {
  it.each([
    // The counts of the reference pairs: truncated, not rounded.
    [0.5, 930816, 465408],
    [0.8, 930816, 744652],
    [0.95, 930816, 884275],
    [0.8, 270896, 216716],
    [0.95, 270896, 257351],
    // What float64 puts just below a whole number.
    [0.29, 100, 29],
    [0.57, 100, 57],
    [0.7, 10, 7],
    [0, 7, 0],
    [1, 7, 7],
    [0.99, 7, 6],
    [0.1, 0, 0],
  ])('%s of %s are %s', (sparsity, weights, zeros) => {
    expect(zeroCount(sparsity, weights)).toBe(zeros);
  });

  it('every share with two decimals is what integers say', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 100 }),
        fc.integer({ min: 0, max: 20_000_000 }),
        (cent, weights) => {
          expect(zeroCount(cent / 100, weights)).toBe(Math.floor((cent * weights) / 100));
        },
      ),
    );
  });
});

describe('a ranking', () => {
  /** Few different scores, so that ties are common. */
  const scores = fc.array(fc.integer({ min: -1, max: 6 }), { minLength: 1, maxLength: 60 });
  const share = fc.integer({ min: 0, max: 100 }).map((cent) => cent / 100);

  it('marks exactly as many as asked, the lowest, of equal ones the first', () => {
    fc.assert(
      fc.property(scores, share, (values, sparsity) => {
        const marked = new Ranking(Float64Array.from(values), [0, values.length]).lowest(sparsity);
        const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]! || i - j);
        const wanted = new Uint8Array(values.length);
        for (const i of order.slice(0, zeroCount(sparsity, values.length))) wanted[i] = 1;
        expect(marked).toEqual(wanted);
      }),
    );
  });

  it('marks within each range by itself, and at a higher sparsity all that it marked before', () => {
    fc.assert(
      fc.property(scores, scores, share, share, (left, right, x, y) => {
        const boundaries = [0, left.length, left.length + right.length];
        const ranking = new Ranking(Float64Array.from([...left, ...right]), boundaries);
        const [low, high] = [Math.min(x, y), Math.max(x, y)].map((sparsity) => ranking.lowest(sparsity));
        expect(low!.every((mark, i) => mark <= high![i]!)).toBe(true);
        expect(count(high!.subarray(0, left.length))).toBe(zeroCount(Math.max(x, y), left.length));
        expect(low!.subarray(0, left.length)).toEqual(
          new Ranking(Float64Array.from(left), [0, left.length]).lowest(Math.min(x, y)),
        );
      }),
    );
  });
});

describe('N:M', () => {
  it('keeps the N largest of every M neighbours along the inputs, and what is left over', () => {
    const shape = [3, 10, 2, 1];
    const values = new Float32Array(elementCount(shape));
    new RandomStream(1, 'weights').fillNormal(values);
    const marked = markNofM(values, shape, 2, 4);
    for (let output = 0; output < 3; output++) {
      for (let position = 0; position < 2; position++) {
        const at = (input: number) => (output * 10 + input) * 2 + position;
        for (const first of [0, 4]) {
          const places = [0, 1, 2, 3].map((k) => at(first + k));
          const kept = places.filter((i) => !marked[i]).map((i) => Math.abs(values[i]!));
          const gone = places.filter((i) => marked[i]).map((i) => Math.abs(values[i]!));
          expect([kept.length, gone.length]).toEqual([2, 2]);
          expect(Math.min(...kept)).toBeGreaterThan(Math.max(...gone));
        }
        expect([marked[at(8)], marked[at(9)]]).toEqual([0, 0]);
      }
    }
  });

  it('takes the first of equal ones', () => {
    expect([...markNofM(Float32Array.of(1, -1, 1, 1, 0, 3, 0, 0), [1, 8], 1, 4)]).toEqual([
      1, 1, 1, 0, 1, 0, 1, 1,
    ]);
  });

  it('is told by its name', () => {
    expect(patternOf('2:4')).toEqual({ n: 2, m: 4 });
    expect(patternOf('4:4')).toBeUndefined();
    expect(patternOf('magnitude')).toBeUndefined();
  });
});

describe('scores', () => {
  it('of WoodFisher invert each block of the Fisher information', () => {
    const [size, samples, damping] = [6, 9, 1e-2];
    const gradients = Array.from({ length: samples }, (_, n) => {
      const g = new Float32Array(size);
      if (n > 0) new RandomStream(n, 'gradient').fillNormal(g); // one sample without a gradient
      return g;
    });
    const block = new InverseFisherBlock(size, samples, damping);
    for (const gradient of gradients) block.add(gradient);
    const fisher = Matrix.eye(size).mul(damping);
    for (const g of gradients) {
      const column = Matrix.columnVector([...g]);
      fisher.add(column.mmul(column.transpose()).div(samples));
    }
    const wanted = inverse(fisher).diagonal();
    const found = block.diagonal();
    wanted.forEach((x, i) => {
      expect(Math.abs(found[i]! - x)).toBeLessThan(1e-12 * x * 100);
    });
    const weight = Float32Array.of(0, 1, -2, 3, -4, 5);
    woodFisherScores(weight, found).forEach((score, i) => {
      expect(Math.abs(score - (weight[i]! * weight[i]!) / (2 * wanted[i]!))).toBeLessThan(1e-9);
    });
  });

  it('of the diagonal Fisher information are w^2 F / 2', () => {
    expect([...fisherScores(Float32Array.of(2, -3, 0), Float64Array.of(0.5, 2, 7))]).toEqual([1, 9, 0]);
  });

  it('of WANDA weigh each group of outputs by its own inputs', () => {
    // Two groups of two outputs; two inputs each, and one position of the kernel.
    const weight = Float32Array.of(1, -2, 3, 4, -5, 6, 7, 8);
    expect([...wandaScores(weight, [4, 2, 1, 1], Float64Array.of(4, 9, 16, 25))]).toEqual([
      2, 6, 6, 12, 20, 30, 28, 40,
    ]);
  });
});

describe('which weights are judged', () => {
  const total = (model: Model, scope: 'all' | 'without-shortcuts') =>
    prunableWeights(model, scope).reduce((sum, { shape }) => sum + elementCount(shape), 0);

  it('all of them, as the reference counts', () => {
    expect(total(parseModel('mlp:784-512-512-512-10'), 'all')).toBe(930816);
    expect(total(parseModel('resnet20'), 'all')).toBe(270896);
  });

  it('without the convolutions of shortcuts, where there are any', () => {
    expect(total(parseModel('resnet20'), 'without-shortcuts')).toBe(270896 - 16 * 32 - 32 * 64);
    expect(total(parseModel('resnet20:shortcut=pad'), 'without-shortcuts')).toBe(270896 - 16 * 32 - 32 * 64);
    // As torchvision names them.
    const names = prunableWeights(parseModel('resnet18:width=0.0625'), 'without-shortcuts').map(
      ({ name }) => name,
    );
    expect(names.filter((name) => name.includes('downsample'))).toEqual([]);
    expect(names).toContain('fc.weight');
  });

  it('never biases or norms', () => {
    const names = prunableWeights(parseModel('vgg11:norm=batch'), 'all').map(({ name }) => name);
    expect(names).toHaveLength(9);
    expect(names.every((name) => name.endsWith('.weight'))).toBe(true);
  });
});

describe('channels', () => {
  const model = parseModel('resnet8:width=0.25:shortcut=pad:input=1x8x8');
  const spec = derivePermutationSpec([forwardGraph(model).logits]);
  const values = new Map(
    stateEntries(model).map(({ name, shape }) => {
      const drawn = new Float32Array(elementCount(shape));
      new RandomStream(4, name).fillUniform(drawn, 0.5, 1);
      return [name, drawn];
    }),
  );

  it('go by the norm of what they are computed with, in all layers of a stream at once', () => {
    // Unit 2 of the first stream: small in the stem and in the block that adds to it.
    for (const [name, inputs] of [
      ['conv1.weight', 1],
      ['layer1.0.conv2.weight', 4],
    ] as const) {
      values.get(name)!.fill(0.01, 2 * inputs * 9, 3 * inputs * 9);
    }
    const mask = channelPruning(spec, values)(0.25);
    const rows = (name: string, width: number) => {
      const marked = mask.get(name)!;
      const whole = (row: number) => count(marked.subarray(row * width, (row + 1) * width)) === width;
      return [0, 1, 2, 3].filter(whole);
    };
    expect(rows('conv1.weight', 9)).toEqual([2]);
    expect(rows('layer1.0.conv2.weight', 36)).toEqual([2]);
    for (const name of ['bn1.weight', 'bn1.bias', 'layer1.0.bn2.weight', 'layer1.0.bn2.bias']) {
      expect([...mask.get(name)!], name).toEqual([0, 0, 1, 0]);
    }
    // Its columns too, in every layer that reads it.
    const columns = mask.get('layer1.0.conv1.weight')!;
    for (let output = 0; output < 4; output++) {
      expect(count(columns.subarray((output * 4 + 2) * 9, (output * 4 + 3) * 9))).toBe(9);
    }
    expect([...mask.keys()].some((name) => name.includes('running'))).toBe(false);
  });

  it('leave every unit at 0, none at 1', () => {
    const prune = channelPruning(spec, values);
    expect([...prune(0).values()].every((mask) => count(mask) === 0)).toBe(true);
    expect(
      [...prune(1)].every(([name, mask]) => /linear\.bias/.test(name) || count(mask) === mask.length),
    ).toBe(true);
  });
});

describe('what is refused', () => {
  const mlp = parseModel('mlp:784-8-10');
  const base = { model: mlp, statistics: 'images' } as const;

  it.each([
    [
      { ...base, method: 'best' as PruningMethod },
      [0.5],
      /must be one of magnitude, .*, or N:M .*got "best"/,
    ],
    [{ ...base, method: '4:2' as const }, undefined, /N:M with 1 <= N < M/],
    [
      { ...base, method: '2:4' as const },
      [0.5],
      /2:4 removes 2 of 4 weights, so its sparsity is 0\.5; give none/,
    ],
    [base, undefined, /needs at least one sparsity/],
    [base, [], /needs at least one sparsity/],
    [base, [0.5, 1.1], /from 0 to 1, got 1\.1/],
    [base, [Number.NaN], /from 0 to 1, got NaN/],
    [{ ...base, samples: 0 }, [0.5], /samples must be a positive integer, got 0/],
    [{ ...base, damping: 0 }, [0.5], /damping must be above 0/],
    [{ ...base, scope: 'some' as 'all' }, [0.5], /scope must be one of without-shortcuts, all, got "some"/],
    [
      { ...base, renormalise: 'bias' as 'none' },
      [0.5],
      /got "bias"; calibrating biases by a share of 1 changes nothing/,
    ],
    [{ model: mlp }, [0.5], /rescale looks at activations or gradients, give it images/],
    [{ model: mlp, method: 'wanda', renormalise: 'none' }, [0.5], /wanda looks at activations/],
    [{ ...base, renormalise: 'repair', renormalisation: { form: 'closed' } }, [0.5], /closed form of repair/],
  ] as const)('case %#', (options, sparsities, message) => {
    expect(() => checkPruning(options, sparsities)).toThrow(OptionError);
    expect(() => checkPruning(options, sparsities)).toThrow(message);
  });

  it.each([
    [parseModel('mlp:784-8-10'), 'reset', /no batch norm/],
    [parseModel('mlp:784-8-10:norm=batch'), 'repair', /has batch norm.* use reset/],
    [parseModel('mlp:784-10'), 'rescale', /no hidden layer/],
  ] as const)('corrections that a network does not take', (model, renormalise, message) => {
    const check = () => checkPruning({ model, renormalise, statistics: 'images' }, [0.5]);
    expect(check).toThrow(UnsupportedError);
    expect(check).toThrow(message);
  });

  it('channels where there is no hidden unit', () => {
    const check = () => checkPruning({ model: parseModel('mlp:784-10'), method: 'channel' }, [0.5]);
    expect(check).toThrow(UnsupportedError);
    expect(check).toThrow(/mlp:784-10 has no hidden units/);
  });
});

describe('auto', () => {
  it.each([
    ['mlp:784-8-10', 'rescale'],
    ['vgg11:width=0.0625', 'rescale'],
    ['vgg11:width=0.0625:norm=batch', 'reset'],
    ['vgg11:width=0.0625:norm=layer', 'repair'],
    ['resnet8', 'reset'],
    ['resnet8:norm=layer', 'repair'],
    ['resnet8:norm=none', 'repair'],
    ['mlp:784-8-10:tanh', 'repair'],
    ['mlp:784-10', 'none'],
  ] as const)('of %s is %s', (name, wanted) => {
    const { renormalise } = checkPruning({ model: parseModel(name), statistics: 'images' }, [0.5]);
    expect(renormalise).toBe(wanted);
  });
});
