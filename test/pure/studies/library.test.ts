/** Every study in both sizes, before anything is run: what it looks at is measured somewhere, and its repetitions are independent. */
import { describe, expect, test } from 'vitest';
import { parseModel } from '../../../src/nn/models/parse-model.ts';
import { collectStudy } from '../../../src/studies/collect.ts';
import { inputsOf, jobId } from '../../../src/studies/job-spec.ts';
import { judgeClaim, measuredAt } from '../../../src/studies/judge.ts';
import { STUDIES } from '../../../src/studies/library/index.ts';
import type { Json } from '../../../src/studies/result-store.ts';
import { jobsOf } from '../../../src/studies/run-job.ts';
import { type Quantity, STUDY_SIZES, type Study, type StudySize } from '../../../src/studies/study.ts';
import { recordsOf } from './synthetic-jobs.ts';

const cases = STUDIES.flatMap((study) => STUDY_SIZES.map((size) => [study.name, size, study] as const));

/** All that a study looks at. */
function quantitiesOf(study: Study, size: StudySize): Quantity[] {
  const claimed = study
    .claims(size)
    .flatMap(({ holds }) => holds.flatMap(({ larger, smaller }) => [larger, smaller]));
  const drawn = study
    .figures(size)
    .flatMap(({ lines }) => lines)
    .flatMap((line) => ('points' in line ? line.points.map(({ quantity }) => quantity) : [line.quantity]));
  return [...claimed.filter((each) => typeof each !== 'number'), ...drawn];
}

/** Something found at each of these paths: numbers that differ from place to place. */
function madeUp(paths: readonly string[], seed: number): Record<string, Json> {
  // biome-ignore lint/suspicious/noExplicitAny: objects within objects, made on the way
  const found: any = {};
  for (const [i, path] of paths.entries()) {
    const names = path.split('|');
    const last = names.pop()!;
    let at = found;
    for (const name of names) {
      at[name] ??= {};
      at = at[name];
    }
    at[last] = Math.sin(1 + seed * paths.length + i);
  }
  return found;
}

test('studies have names of their own that a command line takes as they are', () => {
  const names = STUDIES.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
  expect(names).not.toContain('all');
});

describe.each(cases)('%s, %s', (_, size, study) => {
  const points = study.points(size);
  const paths = [...new Set(quantitiesOf(study, size).map(({ path }) => path))];
  const measured = points.map(({ at }, i) => ({ at, found: madeUp(paths, i) }));

  test('measures each place once', () => {
    const places = points.map(({ at }) => JSON.stringify(Object.entries(at).sort()));
    expect(places.length).toBeGreaterThan(0);
    expect(new Set(places).size).toBe(places.length);
    // What varies the same factors varies the job: none of them is forgotten.
    const jobs = points.map(({ at, job }) => `${Object.keys(at)}: ${jobId(job)}`);
    expect(new Set(jobs).size).toBe(jobs.length);
  });

  test('has networks of one model in each job, all different, and none in two repetitions', () => {
    const repetitionOf = new Map<string, Json>();
    for (const { at, job } of points) {
      const networks = inputsOf(job);
      expect(new Set(networks.map(jobId)).size).toBe(networks.length);
      expect(new Set(networks.map(({ model }) => model)).size).toBeLessThanOrEqual(1);
      for (const network of networks) {
        parseModel(network.model);
        const id = jobId(network);
        expect(repetitionOf.get(id) ?? at.repeat).toBe(at.repeat);
        repetitionOf.set(id, at.repeat!);
      }
    }
  });

  test('looks only at places that it has', () => {
    for (const quantity of quantitiesOf(study, size)) {
      expect(measuredAt(quantity, measured).length, JSON.stringify(quantity)).toBeGreaterThan(0);
    }
  });

  test('has claims that its measurements decide, each with its words', () => {
    const claims = study.claims(size);
    expect(claims.length).toBeGreaterThan(0);
    expect(new Set(claims.map(({ text }) => text)).size).toBe(claims.length);
    const repeats = new Set(points.map(({ at }) => at.repeat)).size;
    for (const claim of claims) {
      expect(claim.text).toMatch(/^[A-Z].*\.$/);
      expect(claim.source).not.toBe('');
      const { comparisons } = judgeClaim(claim, measured);
      expect(comparisons.map(({ repetitions }) => repetitions)).toEqual(claim.holds.map(() => repeats));
      if (repeats === 1) expect(claim.holds.every(({ isExact }) => isExact)).toBe(true);
    }
    for (const text of [study.title, study.question, study.budget[size]]) expect(text).not.toBe('');
  });

  test('has figures with every repetition at every point of every line', async () => {
    const jobs = jobsOf(points.map(({ job }) => job));
    const byId = new Map(points.map(({ job }, i) => [jobId(job), measured[i]!.found]));
    const found = await recordsOf(jobs.map(({ id, spec }) => [spec, { found: byId.get(id) ?? {} }]));
    const collected = collectStudy(study, size, found);
    const repeats = new Set(points.map(({ at }) => at.repeat)).size;
    for (const { title, lines } of collected.figures) {
      for (const { name, points: drawn } of lines) {
        expect(drawn.length, `${title}, ${name}`).toBeGreaterThan(0);
        expect(drawn.map(({ values }) => values.length)).toEqual(drawn.map(() => repeats));
      }
      expect(new Set(lines.map(({ name }) => name)).size).toBe(lines.length);
    }
    expect(collected.measurements).toBe(points.length);
  });
});
