/** What `analyseSingularVectors` finds: plain numbers, ready for JSON, one array entry a layer, a singular value or a gamma. */

/** L2 distances of A and B, and of A and pi(B). */
export interface DistanceReduction {
  /** L2 distance of A and B over scored entries. */
  readonly before: number;
  /** The same of A and pi(B). */
  readonly after: number;
  /** (before - after) / before, a share; 0 where before is 0. */
  readonly reduction: number;
}

/** R(gamma) of two networks, at each of the analysis' gammas. */
export interface AlignmentCurve {
  /** Such as `A` and `pi(B)`; a mean of two networks is called `(A + B) / 2`. */
  readonly networks: readonly [string, string];
  /** R(gamma), at each gamma. */
  readonly score: readonly number[];
  /** Singular pairs that count. */
  readonly kept: readonly number[];
}

/** Mean of |v_i . z| / ||z|| over the inputs z of a layer, for each of its right singular vectors v_i; see `inputDirections`. */
export interface LayerInputDirections {
  /** Of A, for each right singular vector. */
  readonly a: readonly number[];
  /** Of B. */
  readonly b: readonly number[];
  /** What inputs in random directions of n dimensions would have, about: sqrt(2 / (pi n)). */
  readonly random: number;
}

/** One weight as a matrix. */
export interface SingularVectorLayer {
  /** Name of the module. */
  readonly layer: string;
  /** Name of the tensor. */
  readonly weight: string;
  /** (C_out, C_in KH KW) of a convolution. */
  readonly shape: readonly [rows: number, columns: number];
  /** Of this layer alone. */
  readonly distance: DistanceReduction;
  /** Descending. */
  readonly singularValues: {
    readonly a: readonly number[];
    readonly b: readonly number[];
    readonly aligned: readonly number[];
  };
  /** max |sigma(B) - sigma(pi(B))| / sigma_1(B): 0 but for rounding, if pi only permutes. */
  readonly invariance: number;
  /** In the order of the analysis' `alignment`. */
  readonly alignment: readonly AlignmentCurve[];
  /** How far its inputs point along its right singular vectors; absent without images. */
  readonly inputDirections?: LayerInputDirections;
  /** The worst of this layer's decompositions; see `SingularValueDecomposition`. */
  readonly decomposition: {
    readonly residual: number;
    readonly orthogonality: number;
    readonly sweeps: number;
    readonly converged: boolean;
  };
}

/** Singular values and vectors of two networks, compared. */
export interface SingularVectorAnalysis {
  /** Over scored entries: weights, biases and norms, as matching counts them. */
  readonly distance: DistanceReduction;
  /** Shares of the largest singular value from which on vectors count. */
  readonly gammas: readonly number[];
  /** Over all layers: A and B, A and pi(B), then each mean with both its parents. */
  readonly alignment: readonly AlignmentCurve[];
  /** The largest of the layers'. */
  readonly invariance: number;
  /** In the network's own order. */
  readonly layers: readonly SingularVectorLayer[];
}
