/** Analyses in words and tables. */
import { expect, test } from 'vitest';
import { analyseHeadline, analyseTables } from '../../../src/report/analyse-summary.ts';
import { syntheticAnalysis, syntheticTrio } from './synthetic-analysis.ts';

test('says how much closer matching brings two networks, what barrier it leaves, and what curvature would make of it', () => {
  const result = syntheticAnalysis();
  expect(analyseHeadline(result)).toBe(
    'Weight matching brings the networks 14.6% closer and takes the test loss barrier from 1.38 to 0.00480. ' +
      'Curvature at the ends alone would make it 0.0197.',
  );
  const [asTheyAre, matched] = result.matchings;
  expect(analyseHeadline({ ...result, matchings: [asTheyAre!] })).toBe(
    'Straight between the two networks the test loss barrier is 1.38. Curvature at the ends alone would make it 0.147.',
  );
  const farther = { ...matched!, reduction: -0.021 };
  expect(analyseHeadline({ ...result, matchings: [asTheyAre!, farther] })).toMatch(
    /takes the networks 2\.1% farther apart and takes/,
  );
  // What was not finite is null once it was JSON.
  const broken = JSON.parse(
    JSON.stringify({ ...result, matchings: [asTheyAre, { ...matched, reduction: Number.NaN }] }),
  );
  broken.matchings[1].taylor.barrier = null;
  expect(analyseHeadline(broken)).toMatch(/^Weight matching moves the networks .* make it not finite\.$/);
});

test('tables: a row a matching, a row a gamma, a row a layer', () => {
  const [matchings, scores, layers, ...none] = analyseTables(syntheticAnalysis()).split('\n\n');
  expect(none).toEqual([]);
  expect(matchings!.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    [
      ...['matching', 'distance', 'closer by', 'test loss barrier', 'Taylor estimate'],
      ...['accuracy barrier, points', 'accuracy half-way'],
    ],
    ['none', '42.94', '–', '1.38', '0.147', '34.50', '64.01%'],
    ['weight', '36.67', '14.6%', '0.00480', '0.0197', '0.12', '98.39%'],
  ]);
  expect(scores!.split('\n')).toHaveLength(1 + 10);
  expect(scores!.split('\n')[0]).toMatch(/^gamma +pairs +R as they are +R, weight$/);
  expect(scores!.split('\n')[4]).toMatch(/^ +0\.3 +210 +0\.013 +0\.325$/);
  expect(layers!.split('\n')[0]).toMatch(
    /^layer +matrix +largest of A +of B +changed by permuting +R\(0\.3\) as they are +R\(0\.3\), weight +residual +not orthogonal by$/,
  );
  expect(layers!.split('\n')[1]).toMatch(
    /^fc1 +512 x 784 +4\.100 +4\.300 +2\.4e-7 +0\.011 +0\.287 +8\.0e-7 +3\.0e-6$/,
  );
});

test('three networks: every two of them for each matching; without singular vectors nothing of these', () => {
  const { singular: _, ...result } = syntheticTrio();
  const [matchings, pairs, ...none] = analyseTables(result).split('\n\n');
  expect(none).toEqual([]);
  expect(matchings!.split('\n')).toHaveLength(1 + 3);
  const rows = pairs!.split('\n').map((line) => line.trim().split(/ {2,}/));
  expect(rows.map(([first, second]) => `${first}: ${second}`).slice(1, 5)).toEqual([
    'none: A and B',
    'A and C: 40.00',
    'B and C: 40.00',
    'weight: A and pi(B)',
  ]);
  expect(rows[9]).toEqual(['pi(B) and pi(C)', '40.00', '0.190', '4.75', '93.25%']);
});

test('a re-normalised barrier stands beside the one that was estimated', () => {
  const result = syntheticAnalysis();
  const matchings = result.matchings.map((each) => ({ ...each, plainBarrier: { loss: 2.5, accuracy: 0.5 } }));
  expect(analyseTables({ ...result, renormalise: 'reset', matchings })).toMatch(
    /loss barrier +not re-normalised +Taylor estimate.*\nnone .* 1\.38 +2\.50 +0\.147/,
  );
});
