/** What every re-normalisation is to whoever merges: a correction of merged weights, in place. */
import type { Arena } from '../../runtime/arena.ts';

/** Corrects merged weights in place, in an arena. */
export interface Renormaliser {
  /**
   * Corrects the merged model in the arena that the re-normaliser was made for. Records work; awaits little more than back-pressure.
   * @param coefficients the share of each model in the merge; they add up to 1. The arena holds their weighted mean.
   */
  correct(coefficients: readonly number[], signal?: AbortSignal): Promise<void>;
  /** Frees what it made. */
  destroy(): void;
}

/** Makes a re-normaliser for an arena that will hold one merged model after another. */
export type RenormaliserFactory = (merged: Arena) => Renormaliser;
