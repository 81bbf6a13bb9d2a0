import { describe, expect, test } from 'vitest';
import { mergeColumns, mergeSentence } from '../../../src/report/merge-summary.ts';
import { headline, textTables } from '../../../src/report/summary.ts';
import { syntheticMerge } from './synthetic-merges.ts';

describe('a merge', () => {
  test('has the first sentence of its verdict as headline', () => {
    expect(headline(syntheticMerge())).toBe(syntheticMerge().verdict[0]);
    expect(headline(syntheticMerge({ verdict: [] }))).toBe('A merge of networks.');
  });

  test('has a table of the models with their shares, the ensemble, and the merged network last', () => {
    const columns = Object.fromEntries(
      mergeColumns(syntheticMerge()).map(({ heading, cells }) => [heading, cells]),
    );
    expect(columns.network).toEqual([
      'runs/a.safetensors',
      'runs/b.safetensors',
      'runs/c.safetensors',
      'mean of their logits',
      'merged',
    ]);
    expect(columns.share).toEqual(['33.3%', '33.3%', '33.3%', '', '']);
    expect(columns['test accuracy']).toEqual(['96.72%', '96.61%', '96.84%', '97.43%', '95.10%']);
    expect(columns['calibrated loss']!.at(-1)).toBe('0.1634');
    expect(columns.temperature!.at(-1)).toBe('0.480');
    expect(textTables(syntheticMerge())).toMatch(/\nmerged +95\.10% +0\.2412 +0\.1634 +0\.480$/);
  });

  test('says that a loss is not finite', () => {
    const broken = {
      loss: Number.NaN,
      accuracy: 0.1,
      calibrated: { loss: Number.NaN, temperature: Number.NaN },
    };
    expect(textTables(syntheticMerge({ test: broken }))).toMatch(/merged +10\.00% +not finite +not finite/);
  });

  test('says how the units were brought into one order', () => {
    expect(mergeSentence(syntheticMerge())).toBe(
      'Matched by weight matching, strategy cycle-consistent, in 4 rounds: the distance of the 3 networks from their mean went from 27.31 to 23.88. ' +
        'Going from one network to another, to a third and back brings every unit back to where it was. The mean was then corrected: repair.',
    );
    const { merging } = syntheticMerge();
    const inconsistent = syntheticMerge({
      merging: { ...merging, cycleError: 0.123, converged: false },
      renormalise: 'none',
    });
    expect(mergeSentence(inconsistent)).toMatch(
      /in 4 rounds, the most there may be: .* leaves 12\.3% of the units in another place\.$/,
    );
    const two = syntheticMerge({ models: syntheticMerge().models.slice(0, 2), renormalise: 'none' });
    expect(mergeSentence(two)).toMatch(/2 networks from their mean went from 27\.31 to 23\.88\.$/);
    for (const nothing of [{ strategy: 'none' }, { align: 'none' }] as const) {
      expect(mergeSentence(syntheticMerge(nothing))).toBe(
        'Nothing was matched: the distance of the 3 networks from their mean is 23.88. The mean was then corrected: repair.',
      );
    }
  });
});
