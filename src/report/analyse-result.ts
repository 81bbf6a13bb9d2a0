/** What `rebasin analyse` writes as JSON. Field names are a contract: scripts read them, and the report draws them. */
import type { CommonResult, CurveResult, LossAndAccuracy, MatchFields, MatchingMethod } from './results.ts';

/** What the barrier from A to B would be if the loss were quadratic about both. */
export interface TaylorFields {
  /** Largest estimated excess of the loss over the straight line between the ends. */
  readonly barrier: number;
  /** Estimated loss at each lambda. */
  readonly loss: readonly number[];
  /** At A and at B, with g the gradient, H the Hessian and delta = B - A: <g, delta> and <delta, H delta>. */
  readonly ends: readonly { readonly loss: number; readonly slope: number; readonly curvature: number }[];
}

/** Two of three networks, and what lies between them. */
export interface AnalysedPair {
  /** Such as `A` and `pi(B)`. */
  readonly networks: readonly [string, string];
  /** L2 distance over scored entries. */
  readonly distance: number;
  readonly barrier: LossAndAccuracy;
  readonly midpoint: LossAndAccuracy;
}

/** B as one method matches it to A. */
export interface AnalysedMatching {
  readonly align: MatchingMethod;
  /** L2 distance of A and B, permuted, over scored entries. */
  readonly distance: number;
  /** The part of the distance that matching took away: (before - after) / before. */
  readonly reduction: number;
  /** From A to B. */
  readonly curve: CurveResult;
  /** The barrier without re-normalisation, of which `taylor` is an estimate; absent where `curve` has none either. */
  readonly plainBarrier?: LossAndAccuracy;
  readonly taylor: TaylorFields;
  /** Of three networks: A and B, A and C, B and C, the latter two matched to A. */
  readonly pairs?: readonly AnalysedPair[];
  /** How B, and C, were matched, by these names. */
  readonly matches: Readonly<Record<string, MatchFields>>;
}

export interface AnalyseResult extends CommonResult {
  readonly model: string;
  /** What was assumed about the model, one line each. */
  readonly assumptions: readonly string[];
  /** What losses are means over. */
  readonly data: { readonly name: string; readonly split: 'train' | 'test'; readonly images: number };
  /** What was done to the networks between the ends. */
  readonly renormalise: string;
  readonly lambda: readonly number[];
  /** `none` first. */
  readonly matchings: readonly AnalysedMatching[];
}
