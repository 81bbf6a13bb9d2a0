/** `rebasin study`: the papers' claims, measured. */
import { type Command, InvalidArgumentError } from 'commander';
import { OptionError } from '../base/errors.ts';
import { completeResult } from '../commands/complete-result.ts';
import { plural } from '../report/format.ts';
import type { StudyFields, StudyResult } from '../report/study-result.ts';
import { studyHeadline, studyText } from '../report/study-summary.ts';
import { collectStudy } from '../studies/collect.ts';
import { describeJob } from '../studies/job-spec.ts';
import { STUDIES } from '../studies/library/index.ts';
import { openResultFolder } from '../studies/node-result-store.ts';
import { type JobRecord, type ResultStore, readRecord } from '../studies/result-store.ts';
import { runJob, type StagedJob } from '../studies/run-job.ts';
import type { Study } from '../studies/study.ts';
import { Workbench } from '../studies/workbench.ts';
import { positiveInteger, withAdapterOptions } from './options.ts';
import { prepareReport, printResult, writeReport } from './output.ts';
import { startProgress } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';
import { JobFailures } from './study-failures.ts';
import { imageSource } from './study-images.ts';
import {
  checkStudyOptions,
  jobsOfStudies,
  type StudyOptions,
  sizeOf,
  studiesNamed,
} from './study-options.ts';
import { runInProcesses } from './study-processes.ts';

export function registerStudy(program: Command): void {
  const command = program
    .command('study')
    .description(
      'Claims of the papers, measured: each held, not held or not decided, with the numbers. Without a name, says which there are.',
    )
    .argument('[name]', 'a study, or all')
    .option('--small', 'embedded data, minutes on two cores (the default)')
    .option('--large', 'the data and shapes of the papers, for a GPU; needs --data')
    .option('--cache <folder>', 'where results of jobs are kept, by content; may be shared', '.cache/rebasin')
    .option('--data <folder>', 'holds a folder for each data set, such as mnist')
    .option('--list', 'print the jobs as JSON and run none')
    .option('--job <id>', 'run one job, and what it needs')
    .option('--collect', 'judge from the cache alone')
    .option('--processes <n>', 'jobs at once, each in a process of its own', positiveInteger, 1)
    .option('--adapters <names>', 'adapters of these processes, in turn, separated by commas', adapterList)
    .option('--out <path>', 'a folder for result.json and index.html, or a .json file');
  withAdapterOptions(command).action(async (name: string | undefined, options: StudyOptions) => {
    checkStudyOptions(options);
    if (name === undefined) return printStudies(options);
    const studies = studiesNamed(name);
    const jobs = jobsOfStudies(studies, sizeOf(options));
    if (options.list) return await printJobs(jobs, options);
    if (options.job !== undefined) return await runOne(jobs, options.job, options);
    await runStudies(name, studies, jobs, options);
  });
}

function adapterList(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.includes('')) throw new InvalidArgumentError('expected adapters separated by commas');
  return names;
}

function printStudies(options: StudyOptions): void {
  const size = sizeOf(options);
  const studies = STUDIES.map((study) => ({
    ...{ name: study.name, title: study.title, budget: study.budget[size] },
    ...{ question: study.question, claims: study.claims(size).map(({ text }) => text) },
  }));
  const lines = studies.flatMap(({ name, title, budget, claims }) => [
    `${name.padEnd(17)} ${title} (${budget})`,
    ...claims.map((claim) => `${' '.repeat(18)}- ${claim}`),
  ]);
  printResult(options.json, { command: 'study', size, studies }, [
    ...lines,
    '',
    `Run one with: rebasin study NAME --${size}, or all of them: rebasin study all --${size}`,
  ]);
}

/** Always JSON: a job engine reads it. */
async function printJobs(jobs: readonly StagedJob[], options: StudyOptions): Promise<void> {
  const store = await openResultFolder(options.cache);
  const listed = [];
  for (const { id, stage, spec } of jobs) {
    const done = (await readRecord(store, spec)) !== undefined;
    listed.push({ id, stage, done, job: describeJob(spec), spec });
  }
  printResult(true, { command: 'study', size: sizeOf(options), jobs: listed }, []);
}

async function runOne(jobs: readonly StagedJob[], id: string, options: StudyOptions): Promise<void> {
  const job = jobs.find((each) => each.id === id);
  if (!job) throw new OptionError(`--job: "${id}" is none of the jobs that --list gives`);
  const store = await openResultFolder(options.cache);
  const known = await readRecord(store, job.spec);
  const record = known ?? (await runAlone(store, job, options));
  printResult(options.json, record, [`${describeJob(job.spec)}: done, hash ${record.hash}`]);
}

async function runAlone(store: ResultStore, job: StagedJob, options: StudyOptions): Promise<JobRecord> {
  const progress = startProgress(describeJob(job.spec), 100);
  const onPart = (_: StagedJob, part: number) => progress.update(Math.floor(100 * part));
  try {
    return (await inProcess(store, [job], options, () => progress.update(100), onPart)).get(job.id)!;
  } finally {
    progress.stop();
  }
}

async function runStudies(
  name: string,
  studies: readonly Study[],
  jobs: readonly StagedJob[],
  options: StudyOptions,
): Promise<void> {
  const started = performance.now();
  const size = sizeOf(options);
  const store = await openResultFolder(options.cache);
  if (options.out) await prepareReport(options.out);
  const records = new Map<string, JobRecord>();
  const missing: StagedJob[] = [];
  for (const job of jobs) {
    const record = await readRecord(store, job.spec);
    if (record) records.set(job.id, record);
    else missing.push(job);
  }
  if (options.collect && missing.length > 0) {
    throw new OptionError(
      `--collect: ${missing.length} of ${jobs.length} jobs are not done, the first is ${missing[0]!.id} (${describeJob(missing[0]!.spec)}); run them with --job`,
    );
  }
  for (const [id, record] of await runMissing(name, store, missing, options)) records.set(id, record);
  const found: StudyFields[] = studies.map((study) => collectStudy(study, size, records));
  const adapters = [...new Set(found.flatMap((study) => study.adapters))];
  const fields = { studies: found };
  const hashed = { studies: found.map(({ adapters: _, jobSeconds: __, ...study }) => study) };
  const result: StudyResult = {
    ...completeResult({ adapterName: adapters.join(', ') }, 'study', 0, started, { size }, hashed),
    ...fields,
    command: 'study',
  };
  const written = options.out ? await writeReport(options.out, result) : [];
  printResult(options.json, result, [
    studyHeadline(result),
    '',
    ...found.flatMap((study) => [...studyText(study), '']),
    `${plural(jobs.length, 'job')}, ${jobs.length - missing.length} done before, in ${options.cache}`,
    ...written.map((path) => `written ${path}`),
  ]);
}

/** Runs what is not done. A job that fails does not keep the others from being done. @throws JobError telling what failed, at the end. */
async function runMissing(
  name: string,
  store: ResultStore,
  missing: readonly StagedJob[],
  options: StudyOptions,
): Promise<Map<string, JobRecord>> {
  if (missing.length === 0) return new Map();
  const { adapters, processes } = options;
  const progress = startProgress('study', missing.length);
  let done = 0;
  const onDone = ({ spec }: StagedJob) => progress.update(++done, describeJob(spec));
  try {
    const count = Math.max(processes, adapters?.length ?? 1);
    if (count === 1 && !adapters) {
      const onPart = ({ spec }: StagedJob, part: number) =>
        progress.update(done, `${describeJob(spec)}: ${Math.floor(100 * part)}%`);
      return await inProcess(store, missing, options, onDone, onPart);
    }
    const args = ['study', name, ...argumentsOfJobs(options)];
    const signal = interruptSignal();
    await runInProcesses(missing, { processes: count, adapters, args, signal, onDone });
    const records = new Map<string, JobRecord>();
    for (const { id, spec } of missing) records.set(id, (await readRecord(store, spec))!);
    return records;
  } finally {
    progress.stop();
  }
}

/** Options that a job's own process needs as well. */
function argumentsOfJobs(options: StudyOptions): string[] {
  const { cache, data, adapter, backend, variant = {} } = options;
  return [
    ...[`--${sizeOf(options)}`, '--cache', cache],
    ...(data ? ['--data', data] : []),
    ...(adapter ? ['--adapter', adapter] : []),
    ...(backend ? ['--backend', backend] : []),
    ...Object.entries(variant).flatMap(([family, name]) => ['--variant', `${family}=${name}`]),
  ];
}

/** Jobs one after another, in this process. @param onPart called with the part of a job that is done, from 0 to 1. */
async function inProcess(
  store: ResultStore,
  jobs: readonly StagedJob[],
  options: StudyOptions,
  onDone: (job: StagedJob) => void,
  onPart: (job: StagedJob, part: number) => void,
): Promise<Map<string, JobRecord>> {
  const signal = interruptSignal();
  return await withContext(options, async (context) => {
    let current: StagedJob | undefined;
    const bench = new Workbench(context, {
      ...{ store, source: imageSource(options.data), signal },
      onProgress: ({ done, total }) => current && onPart(current, done / total),
    });
    const records = new Map<string, JobRecord>();
    const failures = new JobFailures();
    try {
      for (const job of jobs) {
        if (!failures.blocks(job)) {
          current = job;
          await runJob(bench, store, job.spec).then(
            (record) => records.set(job.id, record),
            (error: unknown) => failures.add(job, error, signal),
          );
        }
        onDone(job);
      }
    } finally {
      bench.destroy();
    }
    failures.throwIfAny(jobs.length);
    return records;
  });
}
