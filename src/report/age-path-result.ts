/** What `rebasin agepath` writes as JSON. Field names are a contract: scripts read them, and the report draws them. */
import type { CommonResult } from './results.ts';

/** An error at ages that were evaluated. */
export interface ErrorCurve {
  /** Ascending. */
  readonly age: readonly number[];
  /** At each age. */
  readonly error: readonly number[];
}

/** A change of sets along an age path. */
export interface AgePathEvent {
  /** `set`: a sample or coefficient changed its set. The others end a branch of solutions: `fold`, `unstable`, `weight jump`. */
  readonly kind: string;
  /** Where it happens. */
  readonly age: number;
  /** Which sample changed, from 0. */
  readonly sample?: number;
  /** Which coefficient changed, from 0. */
  readonly coefficient?: number;
  /** The set it was in. */
  readonly before?: string;
  /** The set it is in from here on. */
  readonly after?: string;
  /** Largest change of an element of the solution, where the branch ends. */
  readonly jump?: number;
}

/** What an alternating search cost. */
export interface SearchWork {
  /** Factorisations of dense symmetric matrices. */
  readonly linearSolves: number;
  /** Wall time in seconds. */
  readonly seconds: number;
}

/** What `rebasin agepath` writes. */
export interface AgePathResult extends CommonResult {
  /** What was fitted. */
  readonly problem: 'svm' | 'lasso' | 'logistic';
  /** How weights follow from losses. */
  readonly regulariser: string;
  /** Penalties, kernel and the like. */
  readonly settings: Readonly<Record<string, number | string>>;
  /** Samples trained on and held out, and columns. */
  readonly data: {
    readonly name: string;
    readonly train: number;
    readonly heldOut: number;
    readonly features: number;
  };
  /** The age that the path starts at. */
  readonly from: number;
  /** The age that it ends at. */
  readonly to: number;
  /** In the direction of travel. */
  readonly events: readonly AgePathEvent[];
  /** Coefficients of a linear model, or margins of training samples, against the age; curves break after each of `breaks`. */
  readonly curves: {
    readonly quantity: 'coefficient' | 'margin';
    readonly age: readonly number[];
    readonly breaks: readonly number[];
    readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
  };
  /** Sum of the weights of the training samples, at the ages of `curves`. */
  readonly weight: readonly number[];
  /** On held-out samples: of ordinary training, along the path, and at the ages of the grid. Absent without such samples. */
  readonly heldOut?: {
    readonly measure: 'error rate' | 'mean absolute error';
    readonly plain: number;
    /** What following the path took. */
    readonly path: ErrorCurve;
    readonly grid: ErrorCurve;
  };
  /** What following it took. */
  readonly path: SearchWork & {
    readonly steps: number;
    readonly segments: number;
    readonly jumps: number;
    /** Largest violation of the conditions of optimality at a stored point. */
    readonly residual: number;
  };
  /** Alternating search at a grid of ages, each from the solution of the one before. */
  readonly grid: SearchWork & { readonly ages: number; readonly rounds: number; readonly converged: number };
}
