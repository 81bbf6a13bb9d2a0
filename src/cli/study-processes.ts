/** Jobs of a study in processes of their own, several at once: `rebasin study NAME --job ID` each, over one cache. */
import { spawn } from 'node:child_process';
import type { StagedJob } from '../studies/run-job.ts';
import { JobFailures } from './study-failures.ts';

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
 * Runs networks first, then what is measured about them. A job that fails does not keep the others from being done.
 * @throws JobError, at the end, with what failing processes said; the signal's reason when aborted.
 */
export async function runInProcesses(jobs: readonly StagedJob[], options: ProcessesOptions): Promise<void> {
  const failures = new JobFailures();
  for (const stage of [0, 1]) {
    const waiting = jobs.filter((job) => job.stage === stage);
    const work = async (worker: number) => {
      for (let job = waiting.shift(); job; job = waiting.shift()) {
        const current = job;
        if (!failures.blocks(current)) {
          await runProcess(current, worker, options).catch((error) =>
            failures.add(current, error, options.signal),
          );
        }
        options.onDone(current);
      }
    };
    await Promise.all(Array.from({ length: options.processes }, (_, worker) => work(worker)));
  }
  failures.throwIfAny(jobs.length);
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
      else reject(new Error(`its process ended with ${by ?? `exit code ${code}`}: ${said.trim()}`));
    });
  });
}
