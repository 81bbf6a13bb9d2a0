import { describe, expect, test } from 'vitest';
import { planeRows, planeTable } from '../../../src/report/plane-summary.ts';
import { headline, textTables } from '../../../src/report/summary.ts';
import { syntheticMatch, syntheticPlane } from './synthetic-result.ts';

const values = syntheticPlane().test!;
const [first, second, third] = ['A', 'pi(B)', 'pi(C)'].map((name, i) => ({
  name,
  x: 10 * i,
  y: 7 * (i % 2),
}));
const three = [first!, second!, third!];
/** Loss 0.1 at the models, and the given losses half-way between them. */
const withMidpoints = (...losses: number[]) => ({
  ...values,
  models: values.models.map(() => ({ loss: 0.1, accuracy: 0.9 })),
  midpoints: losses.map((loss) => ({ loss, accuracy: 0.8 })),
});

describe('headline of a plane', () => {
  test('through A, B and the permuted B compares the two ways', () => {
    expect(headline(syntheticPlane({ test: withMidpoints(2.34, 0.1312, 2) }))).toBe(
      'Half-way between A and B the test loss rises by 2.24; after permuting 512 hidden units of B, half-way between A and pi(B), by 0.0312.',
    );
    expect(headline(syntheticPlane({ test: withMidpoints(2.34, 0.1, 2) }))).toMatch(
      /pi\(B\), it does not rise\.$/,
    );
    expect(headline(syntheticPlane({ test: withMidpoints(0.1, 0.05, 2) }))).toMatch(
      /B the test loss does not rise; .* pi\(B\), it falls by 0\.0500\.$/,
    );
  });

  test('through three networks names each pair', () => {
    const matches = { B: syntheticMatch, C: syntheticMatch };
    const test = withMidpoints(0.2, 0.3, 0.05);
    expect(headline(syntheticPlane({ models: three, matches, test }))).toBe(
      'After permuting 512 hidden units of B and 512 hidden units of C, the test loss half-way between A and pi(B) rises by 0.100, between A and pi(C) by 0.200, and between pi(B) and pi(C) it falls by 0.0500.',
    );
    expect(headline(syntheticPlane({ models: three, matches: {}, test }))).toMatch(/^The test loss half-way/);
  });

  test('says where a loss is not finite, and that there was no data', () => {
    const broken = JSON.parse(JSON.stringify(syntheticPlane({ test: withMidpoints(Number.NaN, 0.2, 1) })));
    expect(headline(broken)).toContain('the test loss is not finite; after permuting');
    const { test: _, ...empty } = syntheticPlane();
    expect(headline(empty)).toMatch(/no data/);
  });
});

describe('tables of a plane', () => {
  test('have the models, then half-way between each two, with what the loss rises there', () => {
    const rows = planeRows(syntheticPlane({ test: withMidpoints(2.34, 0.1312, 2) }), 'test');
    expect(rows.map(({ place }) => place)).toEqual([
      'A',
      'B',
      'pi(B)',
      'half-way between A and B',
      'half-way between A and pi(B)',
      'half-way between B and pi(B)',
    ]);
    expect(rows[1]).toEqual({
      place: 'B',
      loss: '0.1000',
      accuracy: '90.00%',
      lossRise: '',
      accuracyFall: '',
    });
    expect(rows[4]).toMatchObject({ loss: '0.1312', lossRise: '0.0312', accuracyFall: '10.00' });
  });

  test('as text come one for each data set', () => {
    const text = planeTable(syntheticPlane({ train: values }));
    expect(text.split('\n\n')).toHaveLength(2);
    expect(text.split('\n')[0]).toMatch(/^ +test loss +test accuracy +loss rise +accuracy fall, points$/);
    expect(textTables(syntheticPlane())).toBe(planeTable(syntheticPlane()));
  });
});
