import { describe, expect, test } from 'vitest';
import {
  bestRow,
  comparedColumns,
  compareSplits,
  matchingColumns,
  refusals,
} from '../../../src/report/compare-summary.ts';
import type { ComparedRow } from '../../../src/report/results.ts';
import { headline, textTables } from '../../../src/report/summary.ts';
import { syntheticCompare } from './synthetic-merges.ts';

const { rows } = syntheticCompare();
const only = (keep: (row: ComparedRow) => boolean) => syntheticCompare({ rows: rows.filter(keep) });

describe('the best row', () => {
  test('is most often right half-way', () => {
    expect(bestRow(rows, 'test')).toMatchObject({ align: 'weight', renormalise: 'repair' });
    expect(bestRow(rows, 'train')).toBeUndefined();
  });

  test('of rows that are equally often right has the least loss, and is finite', () => {
    const [row] = rows;
    const scores = row!.test!;
    const withLoss = (loss: number, accuracy = 0.9): ComparedRow => {
      const at = (value: number) => ({ mean: value, min: value, max: value });
      return { ...row!, test: { ...scores, midpoint: { loss: at(loss), accuracy: at(accuracy) } } };
    };
    const all = [withLoss(2), withLoss(1), withLoss(1.5), withLoss(0, Number.NaN)];
    expect(bestRow(all, 'test')).toBe(all[1]);
  });
});

describe('headline of a comparison', () => {
  test('says what serves best, and what is half-way without', () => {
    expect(headline(syntheticCompare())).toBe(
      'Weight matching with repair does best: 94.60% test accuracy half-way between the networks, where as they are it is 39.97%.',
    );
  });

  test('of whatever is best', () => {
    expect(headline(only(({ align }) => align === 'none'))).toMatch(/^Repair without matching does best: /);
    expect(headline(only(({ align, renormalise }) => align === 'random' && renormalise === 'none'))).toMatch(
      /^Random permutations do best: .* between the networks\.$/,
    );
    expect(headline(only(({ align, renormalise }) => align === 'none' && renormalise === 'none'))).toMatch(
      /^The networks as they are do best: .* between the networks\.$/,
    );
    expect(headline(syntheticCompare({ rows: [] }))).toContain('nothing to compare');
  });
});

describe('tables of a comparison', () => {
  test('have a row for each matching and re-normalisation; several seeds show their range', () => {
    const [matching, renormalisation, accuracy] = comparedColumns(syntheticCompare(), 'test');
    expect(matching!.cells).toEqual(['none', '', '', 'random', '', '', 'weight', '', '']);
    expect(renormalisation!.cells.slice(0, 3)).toEqual(['none', 'repair', 'bias']);
    expect(accuracy!.cells[0]).toBe('39.97%');
    expect(accuracy!.cells[3]).toBe('30.84% (27.1–34.6)');
    expect(compareSplits(syntheticCompare())).toEqual(['test']);
  });

  test('say how each matching went, with the seed where there are several', () => {
    const columns = (seeds: number[]) =>
      Object.fromEntries(
        matchingColumns(syntheticCompare({ seeds })).map(({ heading, cells }) => [heading, cells]),
      );
    expect(columns([0, 1, 2])).toEqual({
      matching: ['none', 'random', 'random', 'random', 'weight'],
      seed: ['0', '0', '1', '2', '0'],
      objective: ['6.486', '6.100', '6.300', '6.500', '256.1'],
      'distance (before: 42.94)': ['42.94', '42.90', '42.90', '42.90', '36.21'],
      seconds: ['0.02', '0.02', '0.02', '0.02', '2.31'],
    });
    expect(columns([0])).not.toHaveProperty('seed');
  });

  test('tell what does not apply, and why', () => {
    const refused = [
      ...syntheticCompare().refused,
      { renormalise: 'repair', reason: 'repair: resnet8 has batch norm; use reset' },
      { align: 'straight-through', reason: 'straightThroughMatching: no units' } as const,
      { renormalise: 'rescale', reason: 'repair: resnet8 has batch norm; use reset' },
    ];
    expect(refusals(syntheticCompare({ refused }))).toEqual([
      'reset: mlp:784-256-256-10 has no batch norm',
      'repair, rescale: resnet8 has batch norm; use reset',
      'straight-through: no units',
    ]);
    const text = textTables(syntheticCompare());
    expect(text).toMatch(/\nmean of their logits +97\.43% +0\.0991/);
    expect(text).toMatch(/does not apply: reset: mlp:784-256-256-10 has no batch norm$/);
    expect(textTables(syntheticCompare({ refused: [] }))).not.toContain('does not apply');
  });
});
