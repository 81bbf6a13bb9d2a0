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

/** How alike the singular vectors of two networks are: R(gamma), at each of the gammas. */
export interface AlignmentFields {
  /** 1 for the same vectors in the same order, about 0 for networks that have nothing to do with each other. */
  readonly score: readonly number[];
  /** Singular pairs that count: those with a singular value of at least gamma times their layer's largest. */
  readonly kept: readonly number[];
}

/** Two networks, and how alike their singular vectors are. */
export interface AlignedNetworks extends AlignmentFields {
  /** Such as `A` and `pi(B)`; a mean of two networks is called `(A + B) / 2`. */
  readonly networks: readonly [string, string];
}

/** One weight as a matrix, a convolution's as (C_out, C_in KH KW). */
export interface SingularLayer {
  /** Name of the module. */
  readonly layer: string;
  /** Name of the tensor. */
  readonly weight: string;
  /** Of the matrix. */
  readonly shape: readonly [rows: number, columns: number];
  /** Descending. */
  readonly singularValues: {
    readonly a: readonly number[];
    readonly b: readonly number[];
    readonly aligned: readonly number[];
  };
  /** Largest change of a singular value of B by its permutation, over B's largest singular value. */
  readonly invariance: number;
  /** Of this layer alone. */
  readonly alignment: readonly AlignedNetworks[];
  /** Mean of |v . z| / |z| over the layer's inputs z, for each right singular vector v; and what random inputs would have. */
  readonly inputDirections?: {
    readonly a: readonly number[];
    readonly b: readonly number[];
    readonly random: number;
  };
  /** The worst of the layer's decompositions: |W - U S V^T| / |W|, and the largest element of |U^T U - I| and |V^T V - I|. */
  readonly decomposition: {
    readonly residual: number;
    readonly orthogonality: number;
    readonly sweeps: number;
    readonly converged: boolean;
  };
}

/** Singular values and vectors of A, B and B as the first of the methods matches it. */
export interface SingularFields {
  /** Shares of a layer's largest singular value from which on pairs count. */
  readonly gammas: readonly number[];
  /** Over all layers: A and B, A and pi(B), then the means of both with each of their parents. */
  readonly alignment: readonly AlignedNetworks[];
  /** The largest of the layers'. */
  readonly invariance: number;
  /** In the network's own order. */
  readonly layers: readonly SingularLayer[];
}

/** Two of three networks, and what lies between them. */
export interface AnalysedPair {
  /** Such as `A` and `pi(B)`. */
  readonly networks: readonly [string, string];
  /** L2 distance over scored entries. */
  readonly distance: number;
  /** On the line between them. */
  readonly barrier: LossAndAccuracy;
  /** Half-way. */
  readonly midpoint: LossAndAccuracy;
}

/** B as one method matches it to A. */
export interface AnalysedMatching {
  /** The matching. */
  readonly align: MatchingMethod;
  /** L2 distance of A and B, permuted, over scored entries. */
  readonly distance: number;
  /** The part of the distance that matching took away: (before - after) / before. */
  readonly reduction: number;
  /** From A to B. */
  readonly curve: CurveResult;
  /** The barrier without re-normalisation, of which `taylor` is an estimate; absent where `curve` has none either. */
  readonly plainBarrier?: LossAndAccuracy;
  /** What the barrier would be if slope and curvature at both ends said all. */
  readonly taylor: TaylorFields;
  /** Of A and B over all layers, at the gammas of `singular`; absent where that is. */
  readonly alignment?: AlignmentFields;
  /** Of three networks: A and B, A and C, B and C, the latter two matched to A. */
  readonly pairs?: readonly AnalysedPair[];
  /** How B, and C, were matched, by these names. */
  readonly matches: Readonly<Record<string, MatchFields>>;
}

/** Singular vectors by themselves, of two networks as they are (`none`, first) and as matched: what there is without images. */
export interface SingularResult {
  /** `none` first. */
  readonly matchings: readonly Pick<AnalysedMatching, 'align' | 'alignment'>[];
  /** Of the first matching. */
  readonly singular?: SingularFields;
}

/** What `rebasin analyse` writes. */
export interface AnalyseResult extends CommonResult {
  /** The architecture. */
  readonly model: string;
  /** What was assumed about the model, one line each. */
  readonly assumptions: readonly string[];
  /** What losses are means over. */
  readonly data: { readonly name: string; readonly split: 'train' | 'test'; readonly images: number };
  /** What was done to the networks between the ends. */
  readonly renormalise: string;
  /** The points, 0 (A) to 1 (B). */
  readonly lambda: readonly number[];
  /** `none` first. */
  readonly matchings: readonly AnalysedMatching[];
  /** Singular values and vectors. */
  readonly singular?: SingularFields;
}
