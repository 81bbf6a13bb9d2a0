import { describe, expect, test } from 'vitest';
import {
  judgedInWords,
  pruneSentence,
  shareText,
  sparsestWithin,
  tellingPoint,
} from '../../../src/report/prune-summary.ts';
import { headline, textTables } from '../../../src/report/summary.ts';
import { syntheticPrune, syntheticRawPrune } from './synthetic-prune.ts';

describe('pruning in words', () => {
  test('the headline tells where the correction gains most', () => {
    expect(headline(syntheticPrune())).toBe(
      'With 90% of the weights removed by magnitude the network gets 60.90% of the test images right after reset, 11.05% without and 71.05% before pruning.',
    );
    expect(headline(syntheticPrune({ method: 'channel' }))).toMatch(
      /^With 90% of the units of each group removed the/,
    );
  });

  test('without a correction, or where it gains nothing, it tells the sparsest', () => {
    expect(headline(syntheticRawPrune())).toBe(
      'With 90% of the weights removed by magnitude the network gets 11.05% of the test images right, 71.05% before pruning.',
    );
    const { curve } = syntheticPrune();
    const harmed = syntheticPrune({
      curve: curve.map((point) => ({ ...point, renormalised: { loss: 9, accuracy: 0 } })),
    });
    expect(tellingPoint(harmed)!.sparsity).toBe(0.9);
    expect(headline(syntheticPrune({ curve: [] }))).toBe('A network, and no sparsity to prune it to.');
  });

  test('says up to where a network is within a point of the dense one', () => {
    expect(sparsestWithin(syntheticPrune(), 'pruned')).toBeUndefined();
    expect(sparsestWithin(syntheticPrune(), 'renormalised')).toBe(0.7); // exactly a point
    expect(sparsestWithin(syntheticPrune(), 'renormalised', 0.009)).toBe(0.5);
    expect(sparsestWithin(syntheticRawPrune(), 'renormalised')).toBeUndefined();
  });

  test('says what was judged and how', () => {
    expect(pruneSentence(syntheticPrune())).toBe(
      'Judged were 270,896 weights of all linear layers and convolutions, by magnitude. Biases and norms stay. What was left was corrected: reset; nothing was trained.',
    );
    expect(
      pruneSentence(syntheticPrune({ method: 'wanda', samples: 256, scope: 'without-shortcuts' })),
    ).toMatch(/those of shortcuts excepted, by WANDA, on 256 images\./);
    expect(pruneSentence({ ...syntheticRawPrune(), method: 'channel' })).toMatch(
      /^Units go by the norm of their incoming weights.* Nothing was corrected; nothing was trained\.$/,
    );
    expect(judgedInWords('2:4')).toBe('2:4 along the inputs');
  });

  test('shares keep the digits that they have', () => {
    expect([0.5, 0.999, 0.07, 1, 0].map(shareText)).toEqual(['50%', '99.9%', '7%', '100%', '0%']);
  });

  test('the table has the dense network first, then the least sparse', () => {
    const rows = textTables(syntheticPrune()).split('\n');
    expect(rows[0]).toMatch(
      /^sparsity +zeros +of all +accuracy, pruned +accuracy, reset +loss, pruned +loss, reset$/,
    );
    expect(rows[1]).toMatch(/^dense +71\.05% +0\.7769$/);
    expect(rows[2]).toMatch(/^50% +135,448 +50\.00% +66\.70% +70\.85% +0\.9226 +0\.7885$/);
    expect(rows[4]).toMatch(/^90% +243,806 +90\.00% +11\.05% +60\.90% +3\.0554 +1\.1624$/);
    expect(textTables(syntheticRawPrune()).split('\n')[0]).toMatch(/accuracy, pruned +loss, pruned$/);
  });

  test('says that a loss is not finite', () => {
    const [point] = syntheticPrune().curve;
    const broken = { ...point!, pruned: { loss: Number.NaN, accuracy: 0.1 } };
    expect(textTables(syntheticPrune({ curve: [broken] }))).toMatch(/10\.00% +60\.90% +not finite/);
  });
});
