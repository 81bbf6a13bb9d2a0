import { describe, expect, test } from 'vitest';
import { JobFailures } from '../../../src/cli/study-failures.ts';
import { jobsOf } from '../../../src/studies/run-job.ts';
import { pair } from './synthetic-jobs.ts';

const jobs = jobsOf([pair(0), pair(2)]);
const [network, , , , ofNetwork, other] = jobs;

describe('failures of jobs', () => {
  test('block what needs them and nothing else, and are told at the end', () => {
    const failures = new JobFailures();
    failures.throwIfAny(jobs.length);
    expect(jobs.map((job) => failures.blocks(job))).not.toContain(true);
    failures.add(network!, new Error('training diverged'), new AbortController().signal);
    expect([ofNetwork, other].map((job) => failures.blocks(job!))).toEqual([true, false]);
    expect(() => failures.throwIfAny(jobs.length)).toThrow(
      new RegExp(`1 of 6 jobs failed and 1 that need them; .*${network!.id} .*training diverged`, 's'),
    );
  });

  test('end the work at once when the user stopped it', () => {
    const controller = new AbortController();
    controller.abort();
    const error = new Error('stopped');
    expect(() => new JobFailures().add(network!, error, controller.signal)).toThrow(error);
  });
});
