/** Networks that analyses made, kept in the worker: the match, which most analyses start from, and what the reader may save. */
import { type matchResult, OptionError, permutedCheckpoint } from 'rebasin';
import type { Kept, Session } from '../worker/session.ts';
import type { Task } from '../worker/task.ts';
import type { OpenedPair } from './networks.ts';

export type Found = Awaited<ReturnType<typeof matchResult>>;

const KEPT_MATCH = 'checkpoints: match';
const KEPT_MERGED = 'checkpoints: merged';

interface FoundFor {
  readonly found: Found;
  /** The networks that were matched: others may be chosen by the time B is saved. */
  readonly pair: OpenedPair;
}

class KeptMatch implements Kept {
  readonly madeFrom: string;
  match: FoundFor | undefined;

  constructor(madeFrom: string, match: FoundFor) {
    this.madeFrom = madeFrom;
    this.match = match;
  }

  destroy(): void {
    this.match = undefined;
  }
}

class KeptFile implements Kept {
  readonly hash: string;
  bytes: Uint8Array | undefined;

  constructor(hash: string, bytes: Uint8Array) {
    this.hash = hash;
    this.bytes = bytes;
  }

  destroy(): void {
    this.bytes = undefined;
  }
}

/** The last match, if it was made from this. */
export function keptMatch(session: Session, madeFrom: string): Found | undefined {
  const kept = session.kept(KEPT_MATCH);
  return kept instanceof KeptMatch && kept.madeFrom === madeFrom ? kept.match?.found : undefined;
}

export function keepMatch(session: Session, madeFrom: string, found: Found, pair: OpenedPair): void {
  session.keep(KEPT_MATCH, new KeptMatch(madeFrom, { found, pair }));
}

/** @param bytes of a safetensors file. @param hash of the result that says what it is. */
export function keepMerged(session: Session, bytes: Uint8Array, hash: string): void {
  session.keep(KEPT_MERGED, new KeptFile(hash, bytes));
}

/**
 * Task `savedCheckpoint`: the network of a merge, or B as it was matched, as a safetensors file.
 * @throws OptionError where another has taken its place since: what is saved is what the result with this hash is about, or nothing.
 */
export const savedCheckpoint: Task<
  { readonly which: 'merged' | 'permuted'; readonly hash: string },
  never,
  Uint8Array
> = async ({ which, hash }, { session }) => {
  const merged = session.kept(KEPT_MERGED);
  if (which === 'merged' && merged instanceof KeptFile && merged.bytes && merged.hash === hash) {
    return merged.bytes;
  }
  const kept = session.kept(KEPT_MATCH);
  const match = kept instanceof KeptMatch ? kept.match : undefined;
  if (which === 'permuted' && match?.found.result.hash === hash) {
    return permutedCheckpoint(match.pair.model, match.found.match.aligned, match.pair.b);
  }
  throw new OptionError(
    'This network is no longer there, another was made since: run the analysis again, then save it.',
  );
};
