/** From the records of a study's jobs to what it says: figures with their spread, and a verdict on each claim. */
import { DataError } from '../base/errors.ts';
import { hashResult } from '../base/hash.ts';
import type { StudyFields } from '../report/study-result.ts';
import { jobId } from './job-spec.ts';
import { interval, judgeClaim, type Measured, measuredAt, valueAt } from './judge.ts';
import { quantityWords } from './quantity-words.ts';
import type { JobRecord } from './result-store.ts';
import { jobsOf } from './run-job.ts';
import type { FigureLine, FigureSpec, Study, StudySize } from './study.ts';

/** @param records of all the study's jobs, by id. @throws DataError when they do not hold what the study looks at. */
export function collectStudy(
  study: Study,
  size: StudySize,
  records: ReadonlyMap<string, JobRecord>,
): StudyFields {
  const points = study.points(size);
  const jobs = jobsOf(points.map(({ job }) => job));
  const recordOf = (id: string): JobRecord => {
    const record = records.get(id);
    if (!record) throw new DataError(`study ${study.name}: job ${id} has no record; run it first`);
    return record;
  };
  const measured = points.map(({ at, job }) => ({ at, found: recordOf(jobId(job)).found }));
  const used = jobs.map(({ id }) => recordOf(id));
  const { name, title, question, budget } = study;
  return {
    ...{ name, title, question, size, budget: budget[size] },
    jobs: jobs.length,
    jobSeconds: used.reduce((sum, { seconds }) => sum + seconds, 0),
    adapters: [...new Set(used.map(({ adapter }) => adapter))],
    measurements: measured.length,
    figures: study.figures(size).map((figure) => draw(figure, measured)),
    claims: study.claims(size).map((claim) => {
      const { verdict, comparisons } = judgeClaim(claim, measured);
      const { text, source, holds } = claim;
      return {
        ...{ text, source, verdict },
        comparisons: comparisons.map((judgement, i) => {
          const { larger, smaller, by = 0, atLeastTimes = 1, isExact } = holds[i]!;
          return {
            ...{ ...judgement, by, atLeastTimes, largerName: quantityWords(larger) },
            ...(isExact ? { isExact } : {}),
            ...(typeof smaller === 'number' ? { smaller } : { smallerName: quantityWords(smaller) }),
          };
        }),
      };
    }),
    hash: hashResult(used.map(({ id, hash }) => ({ id, hash }))),
  };
}

function draw(
  { lines, ...figure }: FigureSpec,
  measured: readonly Measured[],
): StudyFields['figures'][number] {
  return {
    ...figure,
    lines: lines.map((line) => ({
      name: line.name,
      points: pointsOf(line, measured).map(({ x, quantity }) => {
        const values = measuredAt(quantity, measured).map(({ found }) => valueAt(quantity.path, found));
        return { x, ...interval(values), values };
      }),
    })),
  };
}

/** Where a line is drawn, and what there. */
function pointsOf(line: FigureLine, measured: readonly Measured[]) {
  if ('points' in line) return line.points;
  const { quantity, over } = line;
  const places = measuredAt(quantity, measured).flatMap(({ at }) => at[over] ?? []);
  return [...new Set(places)].map((x) => ({
    x,
    quantity: { ...quantity, at: { ...quantity.at, [over]: x } },
  }));
}
