import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatBarrier,
  formatColumn,
  formatNumber,
  formatPercent,
  formatPoints,
  formatSeconds,
  plural,
} from '../../../src/report/format.ts';

const missing = null as unknown as number; // what JSON makes of NaN and Infinity

describe('formatNumber', () => {
  test.each([
    [2.3021, '2.302'],
    [0.0493573909, '0.04936'],
    [256.097493, '256.1'],
    [12345.6, '12,346'],
    [0, '0'],
    [-0.00001, '0'],
    [0.000123456, '0.0001235'],
    [-1.5, '-1.500'],
    [3.2e7, '3.2e+7'],
  ])('%f is %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  test('three digits for a barrier', () => {
    expect(formatBarrier(2.1096)).toBe('2.11');
    expect(formatBarrier(0.0052961)).toBe('0.00530');
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, missing])('%s is said to be not finite', (value) => {
    for (const format of [formatNumber, formatBarrier, formatPercent, formatPoints, formatSeconds])
      expect(format(value)).toBe('not finite');
    expect(formatColumn([1, value])[1]).toBe('not finite');
  });

  test('nothing is ever shown as minus zero', () => {
    fc.assert(
      fc.property(fc.double({ min: -1, max: 1, noNaN: true }), (value) => {
        for (const format of [formatNumber, formatBarrier, formatPercent, formatPoints])
          expect(format(value)).not.toMatch(/^-[0.]*($|[^\d.])/);
        expect(formatColumn([value, 5])[0]).not.toMatch(/^-[0.]*$/);
      }),
    );
  });
});

describe('formatColumn', () => {
  test('gives every number the same decimals, four digits to the smallest', () => {
    expect(formatColumn([0.0493573909, 1.39970312, 0])).toEqual(['0.04936', '1.39970', '0.00000']);
    expect(formatColumn([1.5, 22.25])).toEqual(['1.500', '22.250']);
    expect(formatColumn([0.5])).toEqual(['0.5000']);
  });

  test('an empty column and one without a finite number are no trouble', () => {
    expect(formatColumn([])).toEqual([]);
    expect(formatColumn([Number.NaN])).toEqual(['not finite']);
  });
});

test('percentages, points, times and counts', () => {
  expect(formatPercent(0.98524)).toBe('98.52%');
  expect(formatPoints(0.0567)).toBe('5.67 points');
  expect([8.43, 9.97, 75.4, 119.6, 725].map(formatSeconds)).toEqual([
    '8.4 s',
    '10 s',
    '75 s',
    '2 min 0 s',
    '12 min 5 s',
  ]);
  expect([plural(1, 'unit'), plural(1536, 'unit')]).toEqual(['1 unit', '1,536 units']);
});
