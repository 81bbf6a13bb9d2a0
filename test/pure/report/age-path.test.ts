import { describe, expect, test } from 'vitest';
import type { AgePathResult } from '../../../src/report/age-path-result.ts';
import {
  agePathHeadline,
  agePathRows,
  agePathTable,
  isAgePath,
} from '../../../src/report/age-path-summary.ts';
import { reportHtml } from '../../../src/report/page.ts';
import { syntheticSweep } from './synthetic-result.ts';

const result: AgePathResult = {
  command: 'agepath',
  version: '0.1.0',
  adapter: 'none',
  seed: 0,
  seconds: 0.4,
  hash: 'ab',
  problem: 'svm',
  regulariser: 'linear',
  settings: { cost: 1 },
  data: { name: '</script>.csv', train: 70, heldOut: 30, features: 2 },
  from: 1.2,
  to: 20,
  events: [
    { kind: 'set', age: 1.5, sample: 3, before: 'dropped', after: 'partial' },
    { kind: 'fold', age: 2.5, jump: 0.25 },
  ],
  curves: { quantity: 'margin', age: [1.2, 20], breaks: [], series: [{ name: 'sample 0', values: [1, 2] }] },
  weight: [10, 60],
  heldOut: {
    measure: 'error rate',
    plain: 0.2,
    path: { age: [1.2, 3, 20], error: [0.3, 0.1, 0.2] },
    grid: { age: [1.2, 20], error: [0.3, 0.2] },
  },
  path: { linearSolves: 1234, seconds: 0.2, steps: 300, segments: 3, jumps: 1, residual: 1e-14 },
  grid: { linearSolves: 2000, seconds: 3, ages: 50, rounds: 400, converged: 50 },
};

describe('an age path in words', () => {
  test('says what happened and where the error is least', () => {
    expect(agePathHeadline(result)).toBe(
      'The support vector machine from age 1.200 to 20.00: 1 change of sets and 1 jump. The held-out error rate is least at age 3.000, 10.00%; on the grid 20.00%, at full age and all samples 20.00%.',
    );
  });

  test('sets path and grid side by side', () => {
    expect(agePathRows(result)).toEqual([
      ['', 'whole path', 'grid of 50'],
      ['linear solves', '1,234', '2,000'],
      ['time', '200 ms', '3.0 s'],
      ['least held-out error rate', '10.00%', '20.00%'],
      ['at age', '3.000', '20.00'],
    ]);
    expect(agePathTable(result)).toMatch(/2\.5000\s+fold\s+0\.250/);
  });

  test('leaves out what was not evaluated', () => {
    const { heldOut: _, ...bare } = result;
    expect(agePathHeadline(bare)).toBe(
      'The support vector machine from age 1.200 to 20.00: 1 change of sets and 1 jump.',
    );
    expect(agePathRows(bare)).toHaveLength(3);
  });

  test('is told from other results', () => {
    expect(isAgePath(result)).toBe(true);
    expect(isAgePath(syntheticSweep())).toBe(false);
  });
});

test('the page holds the path, and no text of it becomes markup', () => {
  const html = reportHtml(result, 'view()');
  expect(html.match(/<\/script/gi)).toHaveLength(2);
  expect(html).toContain('<title>rebasin agepath: The support vector machine');
  expect(html.slice(html.indexOf('<noscript>'))).toContain('whole path');
});
