/** Runs jobs, each once: what is in the store is taken from there, what a job needs is done before it. */
import { OptionError } from '../base/errors.ts';
import { inputsOf, type JobSpec, jobId, type MeasureSpec, type TrainSpec } from './job-spec.ts';
import { counterexample } from './jobs/counterexample.ts';
import { pair } from './jobs/pair.ts';
import { prune } from './jobs/prune.ts';
import { recovery } from './jobs/recovery.ts';
import { spectrum } from './jobs/spectrum.ts';
import { train } from './jobs/train.ts';
import { trio } from './jobs/trio.ts';
import {
  checkpointName,
  type JobRecord,
  type Json,
  type ResultStore,
  readRecord,
  writeRecord,
} from './result-store.ts';
import type { Workbench } from './workbench.ts';

/** A record, from the store if it is there. Two processes that run the same job at once do it twice and write the same. */
export async function runJob(bench: Workbench, store: ResultStore, spec: JobSpec): Promise<JobRecord> {
  if (bench.context.numerics !== 'f32') {
    throw new OptionError(
      `runJob: a job's identity does not name a numerics class, so its record is one of f32; got a context of ${bench.context.numerics}; leave \`numerics\` out`,
    );
  }
  const known = await readRecord(store, spec);
  if (known) return known;
  for (const input of inputsOf(spec)) await runJob(bench, store, input);
  bench.signal?.throwIfAborted();
  const started = performance.now();
  const { found, checkpoint } = await perform(bench, spec);
  // Somebody else may have been faster, on another adapter: what others have begun to use stays.
  const others = await readRecord(store, spec);
  if (others) return others;
  if (spec.kind === 'train' && checkpoint) await store.write(checkpointName(spec), checkpoint);
  const seconds = Math.round(performance.now() - started) / 1000;
  return await writeRecord(store, spec, { found, adapter: bench.context.adapterName, seconds });
}

interface Performed {
  readonly found: Record<string, Json>;
  /** Of a training: the bytes of the network. */
  readonly checkpoint?: Uint8Array;
}

async function perform(bench: Workbench, spec: JobSpec): Promise<Performed> {
  return spec.kind === 'train' ? await train(bench, spec) : { found: await measure(bench, spec) };
}

function measure(bench: Workbench, spec: MeasureSpec): Promise<Record<string, Json>> {
  switch (spec.kind) {
    case 'pair':
      return pair(bench, spec);
    case 'spectrum':
      return spectrum(bench, spec);
    case 'trio':
      return trio(bench, spec);
    case 'prune':
      return prune(bench, spec);
    case 'recovery':
      return recovery(bench, spec);
    case 'counterexample':
      return counterexample(bench, spec);
  }
}

/** A job of a study, and after how many others it can begin: 0 needs nothing, 1 needs networks of stage 0. */
export interface StagedJob {
  readonly id: string;
  readonly stage: 0 | 1;
  readonly spec: JobSpec;
}

/** All jobs that measurements need, each once: first the networks, then what is measured about them. */
export function jobsOf(specs: readonly JobSpec[]): StagedJob[] {
  const networks = new Map<string, TrainSpec>();
  const measures = new Map<string, JobSpec>();
  for (const spec of specs) {
    measures.set(jobId(spec), spec);
    for (const input of inputsOf(spec)) networks.set(jobId(input), input);
  }
  return [
    ...[...networks].map(([id, spec]): StagedJob => ({ id, stage: 0, spec })),
    ...[...measures].map(([id, spec]): StagedJob => ({ id, stage: 1, spec })),
  ];
}
