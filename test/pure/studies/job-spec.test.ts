import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeJob, inputsOf, type JobSpec, jobId } from '../../../src/studies/job-spec.ts';
import { STUDIES } from '../../../src/studies/library/index.ts';
import { jobsOf } from '../../../src/studies/run-job.ts';
import { pair, train } from './synthetic-jobs.ts';

/** One job of every kind and of every study. */
const specs: JobSpec[] = [
  train(),
  train(0, { half: 1 }),
  ...STUDIES.map((study) => study.points('small')[0]!.job),
];

/** A copy of plain data with one leaf changed, for each leaf and for each entry left out; `name` says where. */
function variations(value: unknown, path = ''): { name: string; changed: unknown }[] {
  if (typeof value === 'number') return [{ name: path, changed: value + 1 }];
  if (typeof value === 'string') return [{ name: path, changed: `${value}x` }];
  if (typeof value === 'boolean') return [{ name: path, changed: !value }];
  if (value === null || typeof value !== 'object') return [];
  if (Array.isArray(value)) {
    return [
      ...value.flatMap((member, i) =>
        variations(member, `${path}.${i}`).map(({ name, changed }) => ({
          name,
          changed: value.map((each, j) => (i === j ? changed : each)),
        })),
      ),
      ...(value.length > 0 ? [{ name: `${path} shorter`, changed: value.slice(1) }] : []),
      { name: `${path} longer`, changed: [...value, 0] },
    ];
  }
  return Object.entries(value).flatMap(([key, member]) => {
    const { [key]: _, ...rest } = value as Record<string, unknown>;
    return [
      { name: `${path}.${key} left out`, changed: rest },
      ...variations(member, `${path}.${key}`).map(({ name, changed }) => ({
        name,
        changed: { ...value, [key]: changed },
      })),
    ];
  });
}

/** The same data, keys of every object in another order. */
function shuffled(value: unknown, order: (count: number) => number[]): unknown {
  if (Array.isArray(value)) return value.map((member) => shuffled(member, order));
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value);
  return Object.fromEntries(
    order(entries.length).map((i) => [entries[i]![0], shuffled(entries[i]![1], order)]),
  );
}

describe('the identity of a job', () => {
  test.each(specs.map((spec, i) => [`${i}: ${describeJob(spec)}`, spec] as const))(
    'changes with whatever changes in it (%s)',
    (_, spec) => {
      const id = jobId(spec);
      expect(id).toMatch(/^[0-9a-f]{32}$/);
      const all = variations(spec);
      expect(all.length).toBeGreaterThan(5);
      const same = all.filter(({ changed }) => jobId(changed as JobSpec) === id).map(({ name }) => name);
      expect(same).toEqual([]);
      expect(new Set(all.map(({ changed }) => jobId(changed as JobSpec))).size).toBe(
        new Set(all.map(({ changed }) => JSON.stringify(changed))).size,
      );
    },
  );

  test('is the same for equal data in any order of keys, before and after JSON', () => {
    fc.assert(
      fc.property(fc.constantFrom(...specs), fc.infiniteStream(fc.nat()), (spec, keys) => {
        const order = (count: number) => {
          const sorted = Array.from({ length: count }, (_, i) => ({ i, key: keys.next().value as number }));
          return sorted.sort((a, b) => a.key - b.key).map(({ i }) => i);
        };
        const other = shuffled(spec, order) as JobSpec;
        expect(jobId(other)).toBe(jobId(spec));
        expect(jobId(JSON.parse(JSON.stringify(other)))).toBe(jobId(spec));
      }),
      { numRuns: 50 },
    );
  });
});

describe('jobs of measurements', () => {
  test('come each once, networks first', () => {
    const jobs = jobsOf([pair(0), pair(1), pair(0), pair(1, { points: 5 })]);
    expect(jobs.map(({ stage }) => stage)).toEqual([0, 0, 0, 1, 1, 1]);
    expect(jobs.slice(0, 3).map(({ spec }) => spec)).toEqual([train(0), train(1), train(2)]);
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(6);
    for (const { id, spec } of jobs) expect(id).toBe(jobId(spec));
  });

  test('need the networks that they name; a network needs nothing', () => {
    expect(inputsOf(pair(3))).toEqual([train(3), train(4)]);
    expect(inputsOf(train())).toEqual([]);
  });

  test('say what they are in a few words', () => {
    expect(describeJob(train(3))).toBe('train mlp:784-4-10 seed 3');
    expect(describeJob(train(3, { half: 2 }))).toBe('train mlp:784-4-10 seed 3 half 2');
    expect(describeJob(pair())).toBe('pair mlp:784-4-10 weight');
  });
});
