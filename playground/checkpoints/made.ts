/** Networks that analyses made, kept in the worker: the match, which most analyses start from, and what the reader may save. */
import { type matchResult, OptionError, permutedCheckpoint } from 'rebasin';
import type { Kept, Session } from '../worker/session.ts';
import type { Task } from '../worker/task.ts';
import { type NetworkFiles, openPair } from './networks.ts';

export type Found = Awaited<ReturnType<typeof matchResult>>;

const KEPT_MATCH = 'checkpoints: match';
const KEPT_MERGED = 'checkpoints: merged';

class KeptMatch implements Kept {
  readonly madeFrom: string;
  found: Found | undefined;

  constructor(madeFrom: string, found: Found) {
    this.madeFrom = madeFrom;
    this.found = found;
  }

  destroy(): void {
    this.found = undefined;
  }
}

class KeptFile implements Kept {
  bytes: Uint8Array | undefined;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  destroy(): void {
    this.bytes = undefined;
  }
}

/** The last match, if it was made from this. */
export function keptMatch(session: Session, madeFrom: string): Found | undefined {
  const kept = session.kept(KEPT_MATCH);
  return kept instanceof KeptMatch && kept.madeFrom === madeFrom ? kept.found : undefined;
}

export function keepMatch(session: Session, madeFrom: string, found: Found): void {
  session.keep(KEPT_MATCH, new KeptMatch(madeFrom, found));
}

/** @param bytes of a safetensors file. */
export function keepMerged(session: Session, bytes: Uint8Array): void {
  session.keep(KEPT_MERGED, new KeptFile(bytes));
}

/** Task `savedCheckpoint`: the network that the last merge made, or B as it was matched last, as a safetensors file. */
export const savedCheckpoint: Task<
  { readonly which: 'merged' | 'permuted'; readonly networks: NetworkFiles },
  never,
  Uint8Array
> = async ({ which, networks }, { session }) => {
  const merged = session.kept(KEPT_MERGED);
  if (which === 'merged' && merged instanceof KeptFile && merged.bytes) return merged.bytes;
  const match = session.kept(KEPT_MATCH);
  if (which === 'permuted' && match instanceof KeptMatch && match.found) {
    const { model, b } = await openPair(session, networks);
    return permutedCheckpoint(model, match.found.match.aligned, b);
  }
  throw new OptionError('The network is no longer there: run the analysis again, then save it.');
};
