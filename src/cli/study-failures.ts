/** Jobs of a study that failed, and those that cannot be done because of them. */
import { RebasinError } from '../base/errors.ts';
import { describeJob, inputsOf, jobId } from '../studies/job-spec.ts';
import type { StagedJob } from '../studies/run-job.ts';

/** Some jobs failed; all others are done and kept. */
class JobError extends RebasinError {
  override name = 'JobError';
}

export class JobFailures {
  readonly #reasons = new Map<string, { readonly job: StagedJob; readonly reason: string }>();
  #blocked = 0;

  /** Whether a job needs one that failed: it is then not worth trying. */
  blocks({ spec }: StagedJob): boolean {
    const isBlocked = inputsOf(spec).some((input) => this.#reasons.has(jobId(input)));
    if (isBlocked) this.#blocked++;
    return isBlocked;
  }

  /** Keeps a failure for the end. @throws the error itself when the user stopped the work. */
  add(job: StagedJob, error: unknown, signal: AbortSignal): void {
    if (signal.aborted) throw error;
    this.#reasons.set(job.id, { job, reason: error instanceof Error ? error.message : String(error) });
  }

  /** @throws JobError naming each job that failed, and why. */
  throwIfAny(total: number): void {
    if (this.#reasons.size === 0) return;
    const lines = [...this.#reasons.values()].map(
      ({ job, reason }) => `  ${job.id} (${describeJob(job.spec)}): ${reason}`,
    );
    const others = this.#blocked > 0 ? ` and ${this.#blocked} that need them` : '';
    throw new JobError(
      `study: ${this.#reasons.size} of ${total} jobs failed${others}; the others are kept, and whole studies can be judged by --collect:\n${lines.join('\n')}`,
    );
  }
}
