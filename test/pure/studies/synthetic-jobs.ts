/** Jobs for tests of what only looks at their descriptions. */
import { DEFAULT_RECIPE } from '../../../src/nn/train/recipe.ts';
import type { JobSpec, PairSpec, TrainSpec } from '../../../src/studies/job-spec.ts';
import { jobId } from '../../../src/studies/job-spec.ts';
import { type JobRecord, type ResultStore, writeRecord } from '../../../src/studies/result-store.ts';

export function train(seed = 0, overrides: Partial<TrainSpec> = {}): TrainSpec {
  return {
    ...{ kind: 'train', model: 'mlp:784-4-10', data: { name: 'digits', train: 40, test: 20 } },
    ...{ recipe: { ...DEFAULT_RECIPE, epochs: 1 }, seed },
    ...overrides,
  };
}

export function pair(first = 0, overrides: Partial<PairSpec> = {}): PairSpec {
  return {
    ...{ kind: 'pair', networks: [train(first), train(first + 1)], match: { method: 'weight' } },
    ...{ renormalisations: ['none'], points: 3, data: { name: 'digits', train: 1, test: 20 } },
    ...overrides,
  };
}

/** A store in memory, and what is in it. */
export function memoryStore(): ResultStore & { readonly files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>();
  return {
    files,
    read: async (name) => files.get(name),
    write: async (name, bytes) => {
      files.set(name, bytes);
    },
  };
}

/** What jobs would have left, by id. */
export async function recordsOf(
  jobs: readonly (readonly [JobSpec, Pick<JobRecord, 'found'> & Partial<JobRecord>])[],
): Promise<Map<string, JobRecord>> {
  const records = new Map<string, JobRecord>();
  for (const [spec, { found, adapter = 'test', seconds = 1 }] of jobs) {
    records.set(jobId(spec), await writeRecord(memoryStore(), spec, { found, adapter, seconds }));
  }
  return records;
}
