/** Jobs of a study in processes of their own, several at once: `rebasin study NAME --job ID` each, over one cache. */
import { spawn } from 'node:child_process';
import { RebasinError } from '../base/errors.ts';
import type { StagedJob } from '../studies/run-job.ts';

/** A job's process ended badly. */
class JobError extends RebasinError {
  override name = 'JobError';
}

export interface ProcessesOptions {
  readonly processes: number;
  /** Each process has one of these, in turn. Default: every process what it finds. */
  readonly adapters?: readonly string[] | undefined;
  /** Arguments of one job, but for its identity and adapter. */
  readonly args: readonly string[];
  readonly signal: AbortSignal;
  readonly onDone: (job: StagedJob) => void;
}

/**
 * Runs networks first, then what is measured about them. The first failure stops all processes.
 * @throws JobError with what the failing process said.
 */
export async function runInProcesses(jobs: readonly StagedJob[], options: ProcessesOptions): Promise<void> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  for (const stage of [0, 1]) {
    const waiting = jobs.filter((job) => job.stage === stage);
    const work = async (worker: number) => {
      for (let job = waiting.shift(); job; job = waiting.shift()) {
        await runProcess(job, worker, { ...options, signal });
        options.onDone(job);
      }
    };
    const workers = Array.from({ length: options.processes }, (_, worker) =>
      work(worker).catch((error) => {
        failed.abort(error); // the others stop; theirs is not the error to tell
        throw failed.signal.reason;
      }),
    );
    await Promise.all(workers);
  }
}

function runProcess(job: StagedJob, worker: number, options: ProcessesOptions): Promise<void> {
  const { adapters, args, signal } = options;
  signal.throwIfAborted();
  const adapter = adapters ? ['--adapter', adapters[worker % adapters.length]!] : [];
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [...process.execArgv, process.argv[1]!, ...args, '--job', job.id, ...adapter],
      { stdio: ['ignore', 'ignore', 'pipe'], signal, killSignal: 'SIGTERM' },
    );
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4000);
    });
    child.on('error', reject);
    child.on('close', (code, by) => {
      if (code === 0) resolve();
      else
        reject(new JobError(`study: job ${job.id} ended with ${by ?? `exit code ${code}`}: ${said.trim()}`));
    });
  });
}
