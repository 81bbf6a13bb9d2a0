/** What `rebasin prune` writes as JSON. Field names are a contract: scripts read them, and the report draws them. */
import type { CommonResult, LossAndAccuracy } from './results.ts';

/** One sparsity, on the test images. */
export interface PrunedPoint {
  /** Share of the weights that were to be removed, from 0 to 1. */
  readonly sparsity: number;
  /** Share that is exactly 0 in the network that came out, and how many they are. */
  readonly achieved: number;
  /** Weights that are exactly 0. */
  readonly zeros: number;
  /** Before the correction. */
  readonly pruned: LossAndAccuracy;
  /** After the correction; absent where there was none. */
  readonly renormalised?: LossAndAccuracy;
}

/** What `rebasin prune` writes. */
export interface PruneResult extends CommonResult {
  /** The architecture. */
  readonly model: string;
  /** What was assumed about the model, one line each. */
  readonly assumptions: readonly string[];
  /** How weights were judged: `magnitude`, `2:4` and so on. */
  readonly method: string;
  /** Which weights: `without-shortcuts` or `all`. */
  readonly scope: string;
  /** What was done afterwards, `none` or the name of a correction. */
  readonly renormalise: string;
  /** How many images weights were judged on, where the method looks at some. */
  readonly samples?: number;
  /** What the networks were scored on. */
  readonly data: { readonly name: string; readonly split: 'test'; readonly images: number };
  /** How many weights were judged; sparsities are parts of these. */
  readonly weights: number;
  /** The network as it came. */
  readonly dense: LossAndAccuracy;
  /** In the order of the sparsities that were asked for. */
  readonly curve: readonly PrunedPoint[];
  /** The file that one of the networks was written to. */
  readonly saved?: { readonly file: string; readonly sparsity: number };
}
