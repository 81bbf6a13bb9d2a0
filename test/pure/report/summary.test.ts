import { describe, expect, test } from 'vitest';
import { largestExcess } from '../../../src/report/interpolation-figure.ts';
import { objectiveHistory } from '../../../src/report/lines.ts';
import type { DemoResult, SweepResult } from '../../../src/report/results.ts';
import {
  barrierRows,
  barrierTable,
  curveTable,
  fixedUnits,
  headline,
  matchSentence,
  pointColumns,
} from '../../../src/report/summary.ts';
import {
  syntheticCalibratedSweep,
  syntheticCurve,
  syntheticDemo,
  syntheticMatch,
  syntheticSweep,
} from './synthetic-result.ts';

const ends = { loss: [0.1, 0.1] as [number, number], accuracy: [0.97, 0.97] as [number, number] };
const flat = syntheticCurve(ends, 0, 0);

describe('headline', () => {
  test('says what a demo found', () => {
    expect(headline(syntheticDemo())).toBe(
      'Two networks trained from different seeds. Straight between them the test loss rises by 2.11; ' +
        'after permuting 512 hidden units of the second, by 0.0214.',
    );
  });

  test('says that a loss does not rise instead of showing a zero', () => {
    const aligned = { lambda: syntheticDemo().aligned.lambda, test: flat };
    const { test: naive, lambda } = syntheticDemo().naive;
    const demo = syntheticDemo({ naive: { lambda, test: naive! }, aligned });
    expect(headline(demo)).toMatch(/rises by 2\.11; after permuting .* second, it does not rise\.$/);
    expect(headline({ ...demo, naive: aligned })).toMatch(
      /the test loss does not rise; after .* it does not/,
    );
  });

  test('says that a loss is not finite', () => {
    const { train: _, ...sweep } = syntheticSweep();
    const broken = { ...flat, barrier: { loss: Number.NaN, accuracy: 0 } };
    expect(headline({ ...sweep, test: broken })).toBe(
      'Straight between the two networks the test loss is not finite everywhere.',
    );
  });

  test('of a sweep depends on what was aligned and evaluated', () => {
    const { test: _, ...trainOnly } = syntheticSweep({ align: 'weight', match: syntheticMatch });
    expect(headline(syntheticSweep())).toBe('Straight between the two networks the test loss rises by 1.35.');
    expect(headline(trainOnly)).toBe(
      'After permuting 512 hidden units of the second network, the train loss rises by 1.39 between the two.',
    );
    const { train: __, ...neither } = trainOnly;
    expect(headline(neither)).toContain('no data');
  });
});

test('matchSentence says whether the check passed', () => {
  expect(matchSentence(syntheticMatch)).toContain('from 6.486 to 256.1');
  expect(matchSentence(syntheticMatch)).toContain('passed: largest difference 9.5e-7');
  const failed = { ...syntheticMatch, equivalence: { maxDifference: 0.3, passed: false } };
  expect(matchSentence(failed)).toContain('failed: largest difference 3.0e-1');
});

describe('tables', () => {
  test('a demo has lambda and two lines of four quantities', () => {
    const columns = pointColumns(syntheticDemo());
    expect(columns.map(({ quantity, line }) => `${quantity} ${line}`)).toEqual([
      ' lambda',
      ...['test loss', 'test accuracy', 'train loss', 'train accuracy'].flatMap((quantity) => [
        `${quantity} naive`,
        `${quantity} aligned`,
      ]),
    ]);
    expect(columns.map(({ cells }) => cells.length)).toEqual(Array(9).fill(25));
    expect(columns[0]!.cells[12]).toBe('0.500');
  });

  test('the text has two heading lines and one a point, none with trailing space, columns aligned', () => {
    const rows = curveTable(syntheticDemo()).split('\n');
    expect(rows).toHaveLength(27);
    expect(rows.every((row) => row === row.trimEnd())).toBe(true);
    expect(new Set(rows.slice(1).map((row) => row.length)).size).toBe(1);
    expect(rows[2]).toMatch(/^ 0\.000 +0\.1213 +0\.1213 +96\.72% +96\.72%/);
  });

  test('barriers come under both conventions, accuracies in points', () => {
    expect(barrierRows(syntheticDemo()).map((row) => `${row.quantity} ${row.line} ${row.overChord}`)).toEqual(
      [
        'test loss naive 2.11',
        'test loss aligned 0.0214',
        'test accuracy, points naive 52.00',
        'test accuracy, points aligned 0.61',
        'train loss naive 2.17',
        'train loss aligned 0.0220',
        'train accuracy, points naive 50.96',
        'train accuracy, points aligned 0.60',
      ],
    );
    const tilted = syntheticCurve({ ...ends, loss: [0.1, 0.5] }, 0, 0);
    const { train: _, ...sweep } = syntheticSweep();
    expect(barrierRows({ ...sweep, test: tilted })[0]).toMatchObject({ overChord: '0', overMean: '0.200' });
  });

  test('the barriers as text begin with a heading', () => {
    const [heading, first] = barrierTable(syntheticSweep()).split('\n');
    expect(heading).toMatch(/^barrier +over the line +over the mean +at lambda 0\.5$/);
    expect(first).toMatch(/^test loss +naive +1\.35/);
  });
});

test('a result as it comes back from JSON, with null for NaN, gives words and tables', () => {
  const demo = syntheticDemo();
  const loss = demo.naive.test!.loss.map((value, i) => (i === 12 ? Number.NaN : value));
  const broken = { ...demo.naive.test!, loss, barrier: { loss: Number.NaN, accuracy: 0.5 } };
  const result: DemoResult = JSON.parse(
    JSON.stringify(syntheticDemo({ naive: { ...demo.naive, test: broken } })),
  );
  expect(headline(result)).toContain('the test loss is not finite everywhere; after permuting');
  expect(curveTable(result).split('\n')[14]).toContain('not finite');
});

describe('largestExcess', () => {
  const lambda = [0, 0.25, 0.5, 0.75, 1];

  test('is above the chord for a loss and below it for an accuracy', () => {
    const values = [0.1, 0.9, 0.3, 0.1, 0.5];
    expect(largestExcess(lambda, values, 'loss')).toEqual({ lambda: 0.25, value: 0.9, chord: 0.2 });
    expect(largestExcess(lambda, values, 'accuracy')).toMatchObject({ lambda: 0.75, value: 0.1 });
  });

  test('is nothing where the curve keeps to the good side, or has no ends', () => {
    expect(largestExcess(lambda, [1, 0.5, 0.4, 0.5, 1], 'loss')).toBeUndefined();
    const nothing = null as unknown as number;
    expect(largestExcess(lambda, [nothing, 2, 3, 2, 1], 'loss')).toBeUndefined();
    expect(largestExcess(lambda, [1, 2, nothing, 1.5, 1], 'loss')).toMatchObject({ lambda: 0.25 });
  });
});

test('the history of the objective begins before matching, whether or not the list does', () => {
  expect(objectiveHistory(syntheticMatch)).toEqual(syntheticMatch.objectivePerSweep!);
  const perSweep = syntheticMatch.objectivePerSweep!.slice(1);
  expect(objectiveHistory({ ...syntheticMatch, objectivePerSweep: perSweep })).toEqual(
    syntheticMatch.objectivePerSweep!,
  );
});

test('fixedUnits counts what a permutation leaves in place', () => {
  expect(fixedUnits([0, 2, 1, 3])).toBe('2 of 4');
});

describe('a sweep with lines beside its own', () => {
  const sweep = syntheticCalibratedSweep();

  test('tells in its headline what calibration leaves of the barrier, and what the ensemble has', () => {
    expect(headline(sweep)).toBe(
      "Straight between the two networks the test loss rises by 1.35; at the softmax temperature fitted to each point it rises by 0.135; the ensemble's loss half-way is 0.1033.",
    );
  });

  test('has columns for them, none for the accuracy that calibration leaves alone, and the temperatures', () => {
    const columns = pointColumns(sweep);
    expect(columns.map(({ quantity, line }) => `${quantity} ${line}`.trim())).toEqual([
      'lambda',
      ...['test', 'train'].flatMap((split) => [
        `${split} loss naive`,
        `${split} loss calibrated`,
        `${split} loss ensemble`,
        `${split} accuracy naive`,
        `${split} accuracy ensemble`,
      ]),
      'temperature',
    ]);
    expect(columns[11]!.cells[12]).toBe('0.7000');
    expect(barrierRows(sweep).map(({ quantity, line }) => `${quantity} ${line}`)).toEqual(
      ['test', 'train'].flatMap((split) => [
        `${split} loss naive`,
        `${split} loss calibrated`,
        `${split} loss ensemble`,
        `${split} accuracy, points naive`,
        `${split} accuracy, points ensemble`,
      ]),
    );
  });

  test('is one on one data set as well', () => {
    const { train: _, ...onTest } = sweep;
    expect(pointColumns(onTest)).toHaveLength(7);
  });
});

test('a sweep is no demo', () => {
  const sweep: SweepResult = syntheticSweep({ align: 'weight' });
  expect(pointColumns(sweep).map(({ line }) => line)).toEqual(['lambda', ...Array(4).fill('aligned')]);
});
