/** The analysis of singular vectors: what permuting keeps, what undoing it brings back, and what the whole result holds. */
import { describe, expect, it } from 'vitest';
import { DataError, FormatError, OptionError } from '../../../src/base/errors.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { forwardGraph, type Model } from '../../../src/nn/models/model.ts';
import { resnetOfDepth } from '../../../src/nn/models/resnet.ts';
import {
  analyseSingularVectors,
  type SingularVectorOptions,
  type SingularVectorProgress,
} from '../../../src/rebasin/analysis/singular-vectors.ts';
import { scoredDistance } from '../../../src/rebasin/matching/objective.ts';
import { permuteValues } from '../../../src/rebasin/spec/apply-permutation.ts';
import { randomPermutations } from '../../../src/rebasin/spec/equivalence.ts';
import { derivePermutationSpec } from '../../../src/rebasin/spec/permutation-spec.ts';
import { digitsOn, plausibleValues } from '../../support/barely-trained.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();
const plain = mlp({ widths: [784, 24, 17, 10] });
const residual = resnetOfDepth(8, { width: 0.25, input: [1, 28, 28] });
const specOf = (model: Model) => derivePermutationSpec([forwardGraph(model).logits]);

/** A, and a shuffled network near it that undoing the shuffle brings back. */
function shuffledPair(model: Model): Pick<SingularVectorOptions, 'model' | 'a' | 'b' | 'aligned'> {
  const spec = specOf(model);
  const a = plausibleValues(model, 1);
  const other = plausibleValues(model, 2);
  const aligned = new Map(
    [...a].map(([name, x]) => [name, x.map((v, i) => v + 0.02 * other.get(name)![i]!)]),
  );
  return { model, a, b: permuteValues(spec, randomPermutations(spec, 5), aligned), aligned };
}

describe('analyseSingularVectors', () => {
  it.each([
    ['an MLP', plain],
    ['a ResNet', residual],
  ])('of %s: permuting keeps singular values, undoing it brings the vectors together', async (_, model) => {
    const pair = shuffledPair(model);
    const spec = specOf(model);
    const found = await analyseSingularVectors(context(), pair);
    expect(found.gammas).toEqual([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]);
    expect(found.invariance).toBeLessThan(1e-5);
    expect(found.distance.before).toBe(scoredDistance(spec, pair.a, pair.b));
    expect(found.distance.after).toBe(scoredDistance(spec, pair.a, pair.aligned));
    const { before, after, reduction } = found.distance;
    expect(reduction).toBeCloseTo(1 - after / before, 12);
    expect(reduction).toBeGreaterThan(0.9);

    expect(found.alignment.map(({ networks }) => networks.join(' | '))).toEqual([
      'A | B',
      'A | pi(B)',
      '(A + B) / 2 | A',
      '(A + B) / 2 | B',
      '(A + pi(B)) / 2 | A',
      '(A + pi(B)) / 2 | pi(B)',
    ]);
    const [apart, together, naiveA, , mergedA, mergedB] = found.alignment;
    for (const at of found.gammas.keys()) {
      expect(together!.score[at]).toBeGreaterThan(0.8);
      expect(together!.score[at]).toBeLessThan(1 + 1e-5);
      expect(together!.score[at]! - apart!.score[at]!).toBeGreaterThan(0.2);
      for (const merged of [mergedA!, mergedB!]) {
        expect(merged.score[at]).toBeGreaterThan(0.9);
        expect(merged.score[at]).toBeGreaterThan(naiveA!.score[at]!);
      }
      if (at > 0) expect(together!.kept[at]).toBeLessThanOrEqual(together!.kept[at - 1]!);
    }

    const weights = spec.entries.filter(({ shape }) => shape.length > 1);
    expect(found.layers.map(({ weight }) => weight)).toEqual(weights.map(({ name }) => name));
    for (const [index, layer] of found.layers.entries()) {
      const [rows = 1, ...others] = weights[index]!.shape;
      const columns = others.reduce((product, size) => product * size, 1);
      expect(layer.shape).toEqual([rows, columns]);
      expect(layer.singularValues.a).toHaveLength(Math.min(rows, columns));
      expect(layer.decomposition).toMatchObject({ converged: true });
      expect(layer.decomposition.residual).toBeLessThan(1e-5);
      expect(layer.decomposition.orthogonality).toBeLessThan(1e-4);
      expect(layer.inputDirections).toBeUndefined();
      const squares = (values: readonly number[]) => values.reduce((sum, x) => sum + x * x, 0);
      const weight = pair.a.get(layer.weight)!;
      expect(squares(layer.singularValues.a) / squares([...weight])).toBeCloseTo(1, 5);
      const distances = pair.b.get(layer.weight)!.map((value, at) => value - weight[at]!);
      expect(layer.distance.before).toBeCloseTo(Math.sqrt(squares([...distances])), 4);
    }
    const sums = found.gammas.map((_, at) =>
      found.layers.reduce((sum, { alignment: [, curve] }) => sum + curve!.score[at]! * curve!.kept[at]!, 0),
    );
    for (const [at, sum] of sums.entries())
      expect(together!.score[at]).toBeCloseTo(sum / together!.kept[at]!, 10);
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });

  it('a network against itself: R is 1 and nothing has moved', async () => {
    const a = plausibleValues(plain, 3);
    const found = await analyseSingularVectors(context(), {
      ...{ model: plain, a, b: a, aligned: a, gammas: [0, 0.5], merges: false },
    });
    expect(found.alignment).toHaveLength(2);
    for (const { score } of found.alignment) for (const value of score) expect(value).toBeCloseTo(1, 5);
    expect(found.distance).toEqual({ before: 0, after: 0, reduction: 0 });
    expect(found.invariance).toBe(0);
  });

  it('tells where inputs point, of a permuted network the same', async () => {
    const { aligned, b } = shuffledPair(plain);
    const data = digitsOn(context(), 60);
    const steps: SingularVectorProgress[] = [];
    const call = { model: plain, gammas: [0], merges: false, data };
    const found = await analyseSingularVectors(context(), {
      ...{ ...call, a: aligned, b, aligned },
      onProgress: (step) => steps.push(step),
    });
    for (const { inputDirections, shape } of found.layers) {
      expect(inputDirections!.a).toHaveLength(Math.min(...shape));
      expect(inputDirections!.random).toBeCloseTo(Math.sqrt(2 / (Math.PI * shape[1])), 10);
      for (const [i, value] of inputDirections!.a.entries()) {
        // units are summed in another order, and singular vectors known to about 1e-5 where they lie close
        expect(Math.abs(inputDirections!.b[i]! - value)).toBeLessThan(1e-3);
        expect(value).toBeGreaterThan(0);
        expect(value).toBeLessThan(1);
      }
    }
    const stages = [...new Set(steps.map(({ stage }) => stage))];
    expect(stages).toEqual(['decompose', 'align', 'input directions']);
    for (const stage of stages) {
      const own = steps.filter((step) => step.stage === stage);
      expect(own.at(-1)!.done).toBe(own[0]!.total);
      for (const [k, step] of own.entries()) if (k > 0) expect(step.done).toBeGreaterThan(own[k - 1]!.done);
    }
    data.destroy();
  });

  it('refuses what does not fit before any work, and can be stopped', async () => {
    const pair = shuffledPair(plain);
    const run = (change: Partial<SingularVectorOptions>) =>
      analyseSingularVectors(context(), { ...pair, merges: false, gammas: [0], ...change });
    await expect(run({ gammas: [0, 1.5] })).rejects.toThrow(OptionError);
    await expect(run({ gammas: [Number.NaN] })).rejects.toThrow('gammas must be from 0 to 1, got NaN');
    const missing = new Map(pair.aligned);
    missing.delete('fc2.bias');
    await expect(run({ aligned: missing })).rejects.toThrow(FormatError);
    await expect(run({ aligned: missing })).rejects.toThrow('model pi(B)');
    const broken = new Map(pair.b).set(
      'fc2.weight',
      pair.b.get('fc2.weight')!.map(() => Number.NaN),
    );
    await expect(run({ b: broken })).rejects.toThrow(DataError);
    await expect(run({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    const controller = new AbortController();
    const onProgress = ({ stage }: SingularVectorProgress) =>
      stage === 'align' && controller.abort(new Error('later'));
    await expect(run({ signal: controller.signal, onProgress })).rejects.toThrow('later');
  });
});
