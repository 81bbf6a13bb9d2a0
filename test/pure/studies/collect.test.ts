import { describe, expect, test } from 'vitest';
import { DataError } from '../../../src/base/errors.ts';
import { collectStudy } from '../../../src/studies/collect.ts';
import type { JobRecord, Json } from '../../../src/studies/result-store.ts';
import { grid, type Study } from '../../../src/studies/study.ts';
import { pair, recordsOf, train } from './synthetic-jobs.ts';

const study: Study = {
  name: 'small',
  title: 'A small study',
  question: 'Is it?',
  budget: { small: 'nothing', large: 'all' },
  points: () =>
    grid({ width: [8, 16], how: ['none', 'weight'] as const, repeat: [0, 1] }, ({ width, how, repeat }) =>
      pair(2 * repeat, { points: width, match: { method: how } }),
    ),
  figures: () => [
    {
      title: 'Barrier',
      x: { label: 'width', isLogarithmic: true },
      y: { label: 'barrier' },
      lines: [
        { name: 'over a factor', over: 'width', quantity: { path: 'barrier|loss', at: { how: 'weight' } } },
        {
          name: 'by name',
          points: [
            { x: 'first', quantity: { path: 'curve|0', at: { how: 'none', width: 8 } } },
            { x: 'last', quantity: { path: 'curve|1', at: { how: 'none', width: 8 } } },
          ],
        },
      ],
    },
  ],
  claims: () => [
    {
      text: 'Wider is lower.',
      source: 'somewhere',
      holds: [
        {
          larger: { path: 'barrier|loss', at: { how: 'weight', width: 8 } },
          smaller: { path: 'barrier|loss', at: { how: 'weight', width: 16 } },
          atLeastTimes: 1.5,
        },
        { larger: { path: 'curve|0', at: { how: 'none', width: 8 } }, smaller: 0.5, by: 0.25 },
      ],
    },
  ],
};

/** Records of all of the study's jobs; `change` makes some of them others. */
function records(change: (at: object) => Partial<JobRecord> = () => ({})): Promise<Map<string, JobRecord>> {
  const networks = [0, 1, 2, 3].map((seed) => [train(seed), { found: { seed }, seconds: 10 }] as const);
  const measures = study.points('small').map(({ at, job }) => {
    const { width, repeat } = at as { width: number; repeat: number };
    const found: Record<string, Json> = {
      barrier: { loss: 8 / width + 0.01 * repeat },
      curve: [1 + repeat, 3],
    };
    return [job, { found, ...change(at) }] as const;
  });
  return recordsOf([...networks, ...measures]);
}

describe('a collected study', () => {
  test('says how much was measured, for how long, and on what', async () => {
    const found = collectStudy(
      study,
      'small',
      await records(({ repeat }: { repeat?: number }) => (repeat === 1 ? { adapter: 'other' } : {})),
    );
    expect(found).toMatchObject({
      ...{ name: 'small', title: 'A small study', question: 'Is it?', size: 'small', budget: 'nothing' },
      ...{ jobs: 12, jobSeconds: 48, measurements: 8, adapters: ['test', 'other'] },
    });
  });

  test('has a point wherever something was measured, with every repetition', async () => {
    const [figure] = collectStudy(study, 'small', await records()).figures;
    expect(figure).toMatchObject({ title: 'Barrier', x: { label: 'width', isLogarithmic: true } });
    const [over, byName] = figure!.lines;
    expect(over!.points.map(({ x, values }) => [x, values])).toEqual([
      [8, [1, 1.01]],
      [16, [0.5, 0.51]],
    ]);
    // Two values: one degree of freedom, 6.314 standard errors of half their distance.
    expect(over!.points[0]!.mean).toBeCloseTo(1.005, 12);
    expect(over!.points[0]!.margin).toBeCloseTo(6.314 * 0.005, 12);
    expect(byName!.points.map(({ x, values }) => [x, values])).toEqual([
      ['first', [1, 2]],
      ['last', [3, 3]],
    ]);
  });

  test('tells verdicts with the names of both sides and what was asked', async () => {
    const [claim] = collectStudy(study, 'small', await records()).claims;
    expect(claim).toMatchObject({ text: 'Wider is lower.', source: 'somewhere', verdict: 'not decided' });
    expect(claim!.comparisons[0]).toMatchObject({
      ...{ verdict: 'held', atLeastTimes: 1.5, by: 0, repetitions: 2, larger: 1.005 },
      largerName: 'barrier loss, how weight, width 8',
      smallerName: 'barrier loss, how weight, width 16',
    });
    expect(claim!.comparisons[1]).toMatchObject({
      ...{
        verdict: 'not decided',
        atLeastTimes: 1,
        by: 0.25,
        smaller: 0.5,
        excess: 0.75,
      },
    });
  });

  test('has a hash of what jobs found, not of when and where', async () => {
    const hashOf = async (change?: (at: object) => Partial<JobRecord>) =>
      collectStudy(study, 'small', await records(change)).hash;
    const hash = await hashOf();
    expect(await hashOf(() => ({ seconds: 99, adapter: 'other' }))).toBe(hash);
    const changed = ({ width, repeat, how }: { width?: number; repeat?: number; how?: string }) =>
      width === 16 && repeat === 1 && how === 'none'
        ? { found: { barrier: { loss: 0.7 }, curve: [1, 1] } }
        : {};
    expect(await hashOf(changed)).not.toBe(hash);
  });

  test('refuses records without what it looks at', async () => {
    const without = await records(() => ({ found: { barrier: {} } }));
    expect(() => collectStudy(study, 'small', without)).toThrow(DataError);
  });
});
