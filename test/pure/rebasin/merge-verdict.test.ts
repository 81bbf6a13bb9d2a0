import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/nn/models/parse-model.ts';
import { expectedScore } from '../../../src/rebasin/merging/merge-collapse.ts';
import { type MergeVerdictInput, mergeVerdict } from '../../../src/rebasin/merging/merge-verdict.ts';

const score = (accuracy: number, loss: number, temperature = 1, calibrated = loss) => ({
  accuracy,
  loss,
  calibrated: { temperature, loss: calibrated },
});
const [MLP, BATCH] = [parseModel('mlp:784-16-10'), parseModel('resnet8')];

/** Two models of 95 % on average, a merge, and an ensemble of 97 %. */
function verdict(merged: ReturnType<typeof score>, input: Partial<MergeVerdictInput> = {}): string[] {
  return mergeVerdict({
    model: MLP,
    scores: { models: [score(0.94, 0.2), score(0.96, 0.1)], merged, ensemble: score(0.97, 0.09) },
    coefficients: [0.5, 0.5],
    images: 1000,
    strategy: 'reference',
    align: 'weight',
    renormalise: 'none',
    ...input,
  });
}

describe('mergeVerdict', () => {
  it('first compares with the models and their ensemble', () => {
    expect(verdict(score(0.932, 0.24))[0]).toBe(
      'The mean of 2 networks gets 93.20% of 1,000 images right: 1.80 points fewer than they do on average, 3.80 points fewer than the ensemble of their logits.',
    );
    expect(verdict(score(0.95, 0.15), { strategy: 'none' })[0]).toBe(
      'The mean of 2 networks, as they are, gets 95.00% of 1,000 images right: as many as they do on average, 2.00 points fewer than the ensemble of their logits.',
    );
    expect(verdict(score(0.98, 0.08))[0]).toMatch(/: 3\.00 points more than .*, 1\.00 points more than/);
    expect(verdict(score(0.932, 0.24))[1]).toBe(
      "Its loss is 0.2400, theirs 0.1500 on average, the ensemble's 0.09000.",
    );
  });

  it('weighs the models with their shares', () => {
    const models = [score(0.94, 0.2), score(0.96, 0.1)];
    const expected = expectedScore(models, [0.75, 0.25]);
    expect(expected.accuracy).toBeCloseTo(0.945, 12);
    expect(expected.loss).toBeCloseTo(0.175, 12);
    expect(verdict(score(0.945, 0.18), { coefficients: [0.75, 0.25] })[0]).toMatch(/as many as they do/);
  });

  it('says that a merge is as good as the models when so many images cannot tell them apart', () => {
    // One standard error of 95 % of 1000 images is 0.69 points.
    const good = 'It is as good as the models, as far as 1,000 images can tell.';
    expect(verdict(score(0.945, 0.17)).slice(2)).toEqual([good]);
    expect(verdict(score(0.942, 0.17)).slice(2)).not.toContain(good);
    expect(verdict(score(0.942, 0.17), { images: 100 }).slice(2)).toEqual([good.replace('1,000', '100')]);
    expect(verdict(score(0.958, 0.15)).slice(2)).toEqual(['It is better than the models on average.']);
  });

  it('tells a merge that is only unsure from one that is wrong', () => {
    const unsure = verdict(score(0.95, 0.6, 0.3, 0.16));
    expect(unsure[2]).toBe(
      'Its logits are too small: the softmax temperature that fits best is 0.30 (models: 1.0), and at it the loss on these images is 0.1600.',
    );
    expect(unsure[3]).toBe('It is as often right as the models, and only less sure of it.');
    expect(verdict(score(0.95, 0.6, 2.5, 0.16))[2]).toMatch(/too large/);
    // Models whose own temperature is such, or a calibration that gains little, are no news.
    expect(verdict(score(0.95, 0.6, 0.9, 0.16))[2]).not.toMatch(/logits/);
    expect(verdict(score(0.95, 0.16, 0.3, 0.15))[2]).not.toMatch(/logits/);
    expect(verdict(score(0.5, 2, 0.3, 1.5)).join(' ')).not.toMatch(/as often right/);
  });

  it.each([
    [{ strategy: 'none' }, /leave out --strategy none/],
    [{ align: 'none' }, /^To try: match the units first: --align weight\.$/],
    [{ align: 'random' }, /--align weight/],
    [{ align: 'none', model: BATCH }, /--align weight --renormalise reset/],
    [{ model: BATCH }, /--renormalise reset/],
    [{}, /--renormalise repair, or rescale/],
    [{ renormalise: 'repair' }, /--align activation or straight-through/],
    [{ renormalise: 'repair', align: 'activation' }, /--align weight/],
    [{ renormalise: 'reset', model: BATCH }, /--align activation/],
  ] as const)('advises %o from what was left out', (input, advice) => {
    expect(verdict(score(0.5, 2), input).at(-1)).toMatch(advice);
  });

  it('advises many models to be matched jointly', () => {
    const models = [score(0.95, 0.1), score(0.95, 0.1), score(0.95, 0.1)];
    const input = {
      scores: { models, merged: score(0.5, 2), ensemble: score(0.97, 0.09) },
      coefficients: [1 / 3, 1 / 3, 1 / 3],
      renormalise: 'repair',
    } as const;
    expect(verdict(score(0.5, 2), input).at(-1)).toMatch(/--strategy cycle-consistent/);
    expect(verdict(score(0.5, 2), { ...input, strategy: 'cycle-consistent' }).at(-1)).toMatch(
      /--align activation or straight-through with --strategy reference/,
    );
  });

  it('takes what became of the activations before what was left out', () => {
    const collapse = {
      layers: [],
      logits: { layer: 'fc2', varianceRatio: 0.1, scaleRatio: 0.2 },
      verdict: { kind: 'variance-collapse', text: 'Variance collapse: fc1 keeps 10%.', fix: 'another fix' },
    } as const;
    expect(verdict(score(0.5, 2), { collapse }).slice(-2)).toEqual([
      'Variance collapse: fc1 keeps 10%.',
      'To try: another fix.',
    ]);
    expect(verdict(score(0.95, 0.15), { collapse }).join(' ')).not.toContain('collapse');
    const healthy = { ...collapse, verdict: { kind: 'healthy', text: 'Healthy: all is well.' } } as const;
    expect(verdict(score(0.93, 0.2), { collapse: healthy }).slice(-2)).toEqual([
      'Healthy: all is well.',
      'To try: bring the activations back to what they are in the models: --renormalise repair, or rescale.',
    ]);
  });

  it('says when a loss is not finite, and when there was nothing to merge', () => {
    const broken = verdict(score(0.1, Number.NaN, Number.NaN));
    expect(broken[1]).toMatch(/^Its loss is not finite, /);
    expect(broken.at(-1)).toMatch(/^To try: /);
    const models = [score(0.11, 2.3), score(0.12, 2.3)];
    const scores = { models, merged: score(0.1, 2.3), ensemble: score(0.12, 2.3) };
    expect(verdict(score(0.1, 2.3), { scores })[2]).toMatch(/hardly do better than chance/);
  });
});
