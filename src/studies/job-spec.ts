/**
 * Jobs: the units of work of a study, said as plain data. A job's identity is the hash of that data, so that whatever two studies, two
 * processes or two days ask for in the same words is done once.
 */
import { hashResult } from '../base/hash.ts';
import type { Recipe } from '../nn/train/recipe.ts';
import type { ActivationSimilarity } from '../rebasin/matching/activation-matching.ts';
import type { PruningSettings } from '../rebasin/pruning/pruning-options.ts';
import type { Renormalisation } from '../rebasin/renormalise/renormalisations.ts';
import type { MatchingMethod } from '../report/results.ts';
import { VERSION } from '../version.ts';

/** Images by name: `digits` and `colours` are built in, others are folders that the user has. */
export interface DataSpec {
  readonly name: string;
  /** The first so many images of each. Default: all. */
  readonly train?: number;
  readonly test?: number;
}

/** One network, trained from a seed. */
export interface TrainSpec {
  readonly kind: 'train';
  readonly model: string;
  readonly data: DataSpec;
  /** A class-biased half of the training images (ALGORITHMS 2.6). Default: all of them. */
  readonly half?: 1 | 2;
  readonly recipe: Recipe;
  readonly seed: number;
}

/** How the second network, and each after it, is matched to the first. */
export interface MatchSpec {
  readonly method: MatchingMethod;
  /** Of the activation methods. */
  readonly similarity?: ActivationSimilarity;
  /** Of `straight-through`. */
  readonly steps?: number;
  readonly learningRate?: number;
}

/** Barriers between two networks, with each correction. */
export interface PairSpec {
  readonly kind: 'pair';
  readonly networks: readonly [TrainSpec, TrainSpec];
  readonly match: MatchSpec;
  readonly renormalisations: readonly Renormalisation[];
  /** Of lambda, ends included. */
  readonly points: number;
  /** Where networks are evaluated and activations looked at. */
  readonly data: DataSpec;
  /** Also the ensemble, and the loss at the best softmax temperature. Default: false. */
  readonly calibrate?: boolean;
  /** Also the Taylor estimate of the barrier. Default: false. */
  readonly taylor?: boolean;
}

/** Singular vectors of two networks: how well they are aligned. */
export interface SpectrumSpec {
  readonly kind: 'spectrum';
  readonly networks: readonly [TrainSpec, TrainSpec];
  readonly match: MatchSpec;
  readonly gammas: readonly number[];
}

/** Three networks: the second and the third matched to the first, and what lies between those two. */
export interface TrioSpec {
  readonly kind: 'trio';
  readonly networks: readonly [TrainSpec, TrainSpec, TrainSpec];
  readonly match: MatchSpec;
  readonly points: number;
  readonly data: DataSpec;
}

/** Accuracy against sparsity, with and without a correction. */
export interface PruneSpec {
  readonly kind: 'prune';
  readonly networks: readonly [TrainSpec];
  /** With the correction. */
  readonly pruning: PruningSettings;
  readonly sparsities: readonly number[];
  readonly data: DataSpec;
}

/** Training goes on from a network half-way: how many steps until it is as good as asked. */
export interface RecoverySpec {
  readonly kind: 'recovery';
  readonly networks: readonly [TrainSpec, TrainSpec];
  /** `scratch` starts from new random values instead. */
  readonly from: MatchSpec | 'scratch';
  readonly recipe: Recipe;
  /** Accuracy on the training images that counts as recovered. */
  readonly accuracy: number;
  /** Steps between two looks. */
  readonly everySteps: number;
  readonly seed: number;
}

/** The counterexample to one basin for all: two networks 2-2-2-1 and every permutation of one of them. */
export interface CounterexampleSpec {
  readonly kind: 'counterexample';
  readonly networks: readonly [];
  readonly samples: number;
  readonly points: number;
}

/** Jobs that measure something about trained networks. */
export type MeasureSpec = PairSpec | SpectrumSpec | TrioSpec | PruneSpec | RecoverySpec | CounterexampleSpec;

export type JobSpec = TrainSpec | MeasureSpec;

/** To be raised whenever what jobs find changes without the version: results of before are then done again. */
const REVISION = 2;

/** 32 hexadecimal digits that any change of the job, or of the version of rebasin, changes. Images count by their name alone. */
export function jobId(spec: JobSpec): string {
  return hashResult({ version: VERSION, revision: REVISION, spec }).slice(0, 32);
}

/** Jobs whose results a job needs. */
export function inputsOf(spec: JobSpec): readonly TrainSpec[] {
  if (spec.kind === 'train' || (spec.kind === 'recovery' && spec.from === 'scratch')) return [];
  return spec.networks;
}

/** A job in a few words, for people. */
export function describeJob(spec: JobSpec): string {
  switch (spec.kind) {
    case 'train':
      return `train ${spec.model} seed ${spec.seed}${spec.half ? ` half ${spec.half}` : ''}`;
    case 'counterexample':
      return 'the counterexample';
    case 'prune':
      return `prune ${spec.networks[0].model} by ${spec.pruning.method ?? 'magnitude'}`;
    case 'recovery':
      return `retrain from ${spec.from === 'scratch' ? 'scratch' : `half-way, ${spec.from.method}`}`;
    default:
      return `${spec.kind} ${spec.networks[0].model} ${spec.match.method}`;
  }
}
