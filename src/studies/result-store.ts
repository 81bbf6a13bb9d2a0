/** Where results of jobs are kept, by content: what was measured once is never measured again. */
import { DataError } from '../base/errors.ts';
import { hashBytes, hashResult } from '../base/hash.ts';
import { type JobSpec, jobId, type TrainSpec } from './job-spec.ts';

/** Plain data, as JSON has it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** What a job found. */
export interface JobRecord {
  readonly id: string;
  readonly spec: JobSpec;
  readonly adapter: string;
  readonly seconds: number;
  /** Of what was found; not of times. */
  readonly hash: string;
  readonly found: Readonly<Record<string, Json>>;
}

/**
 * Bytes by name, written whole or not at all: two processes may write one name at once, and a reader sees all of one of them. The same
 * name always has the same content, so it does not matter whose.
 */
export interface ResultStore {
  /** Undefined where there is none. */
  read(name: string): Promise<Uint8Array | undefined>;
  write(name: string, bytes: Uint8Array): Promise<void>;
}

/** Where a trained network is kept. */
export function checkpointName(spec: TrainSpec): string {
  return `${jobId(spec)}.safetensors`;
}

/** @returns a job's record; undefined where it has not been run, or where what is there is not whole: a network belongs to its training. */
export async function readRecord(store: ResultStore, spec: JobSpec): Promise<JobRecord | undefined> {
  const id = jobId(spec);
  const bytes = await store.read(`${id}.json`);
  if (!bytes) return undefined;
  try {
    const record = JSON.parse(new TextDecoder().decode(bytes)) as JobRecord;
    const isWhole = record.id === id && record.hash === hashResult(record.found);
    return isWhole && (await hasNetwork(store, spec, record)) ? record : undefined;
  } catch {
    return undefined; // cut off, by whatever does not rename: it is done again
  }
}

/** Whether the network that a training made is there, the very same: not cut off, and not another adapter's. */
async function hasNetwork(store: ResultStore, spec: JobSpec, { found }: JobRecord): Promise<boolean> {
  if (spec.kind !== 'train') return true;
  const bytes = await store.read(checkpointName(spec));
  return bytes !== undefined && hashBytes(bytes) === found.checkpoint;
}

/** @throws DataError when something found is not finite: JSON has no word for it. */
export async function writeRecord(
  store: ResultStore,
  spec: JobSpec,
  { found, adapter, seconds }: Pick<JobRecord, 'found' | 'adapter' | 'seconds'>,
): Promise<JobRecord> {
  const id = jobId(spec);
  expectFinite(found, `${spec.kind} ${id}`);
  const kept: JobRecord['found'] = JSON.parse(JSON.stringify(found)); // as it will be read: JSON knows no -0
  const record = { id, spec, adapter, seconds, hash: hashResult(kept), found: kept };
  await store.write(`${id}.json`, new TextEncoder().encode(`${JSON.stringify(record)}\n`));
  return record;
}

function expectFinite(value: Json, path: string): void {
  if (typeof value === 'number' && !Number.isFinite(value))
    throw new DataError(`study: ${path} is ${value}; nothing is kept. Look at that network by itself.`);
  if (value !== null && typeof value === 'object')
    for (const [name, member] of Object.entries(value)) expectFinite(member as Json, `${path}.${name}`);
}
