import type { AgePathResult } from './age-path-result.ts';
import type { AnalyseResult } from './analyse-result.ts';
import type { PruneResult } from './prune-result.ts';
import type { StudyResult } from './study-result.ts';

/**
 * What commands write as JSON. Field names are a contract: scripts read them, and the report draws them.
 * Losses are mean cross-entropies in nats, accuracies fractions from 0 to 1.
 */

/** Mean cross-entropy in nats, and the fraction of samples whose largest logit is the label's. */
export interface LossAndAccuracy {
  /** Mean cross-entropy, natural logarithm. */
  readonly loss: number;
  /** From 0 to 1. */
  readonly accuracy: number;
}

/** What every result says. */
export interface CommonResult {
  /** Which command, such as `sweep`. */
  readonly command: string;
  /** Version of rebasin. */
  readonly version: string;
  /** What computed it. */
  readonly adapter: string;
  /** The numerics class, where it is not f32 throughout: `f16` rounds the operands of matrix products and convolutions. */
  readonly numerics?: 'f16';
  /** Of everything random. */
  readonly seed: number;
  /** Wall time of the command. */
  readonly seconds: number;
  /** SHA-256 of inputs and results, not of times. */
  readonly hash: string;
}

/** One curve along lambda. */
export interface CurveResult {
  /** At each lambda. */
  readonly loss: readonly number[];
  /** At each lambda. */
  readonly accuracy: readonly number[];
  /** Largest excess of the loss (shortfall of the accuracy) over the straight line between the ends. */
  readonly barrier: LossAndAccuracy;
  /** The same against the mean of the ends. */
  readonly barrierFromMean: LossAndAccuracy;
  /** At lambda 0.5. */
  readonly midpoint: LossAndAccuracy;
  /** Excess and shortfall at lambda 0.5. */
  readonly midpointBarrier: LossAndAccuracy;
}

/** Curves along a line between two networks, by data set. */
export interface SweepCurves {
  /** The points, 0 (A) to 1 (B). */
  readonly lambda: readonly number[];
  /** On the training images, where they were swept. */
  readonly train?: CurveResult;
  /** On the test images, where there are some. */
  readonly test?: CurveResult;
}

/** How permutations were found. */
export type MatchingMethod =
  | 'none'
  | 'random'
  | 'weight'
  | 'activation'
  | 'activation-greedy'
  | 'straight-through';

/** How matching went. */
export interface MatchFields {
  /** Which method. */
  readonly method: MatchingMethod;
  /** The architecture, as `--model` takes it. */
  readonly model: string;
  /** What was assumed about the model, one line each. */
  readonly assumptions: readonly string[];
  /** Sum over scored entries of <A, B> and <A, pi(B)>. */
  readonly objective: { readonly before: number; readonly after: number };
  /** L2 distance over scored entries. */
  readonly distance: { readonly before: number; readonly after: number };
  /** Of weight matching: how many sweeps it took. */
  readonly sweeps?: number;
  /** Whether it ended by itself, before the largest number of sweeps. */
  readonly converged?: boolean;
  /** Of weight matching: the objective after each sweep. */
  readonly objectivePerSweep?: readonly number[];
  /** Of activation matching: the similarity of matched units in each group, of the identity and of what was found. */
  readonly groups?: Readonly<Record<string, { readonly identity: number; readonly matched: number }>>;
  /** Of straight-through matching: the network half-way with each set of permutations met, on the images to choose on. */
  readonly candidates?: readonly (LossAndAccuracy & { readonly step: number })[];
  /** Of the check that a random permutation leaves the outputs unchanged: the largest difference, of the largest output. */
  readonly equivalence: { readonly maxDifference: number; readonly passed: boolean };
  /** Unit i of the permuted B is unit p[i] of B. */
  readonly permutations: Readonly<Record<string, readonly number[]>>;
}

/** What `rebasin match` writes. */
export interface MatchResult extends CommonResult, MatchFields {}

/** A curve at the softmax temperature that fits each point best, on the images that statistics are taken on. */
export interface CalibratedCurve extends CurveResult {
  /** At each lambda. */
  readonly temperature: readonly number[];
}

/** A curve, and what was asked for beside it. */
export interface SweptCurve extends CurveResult {
  /** The mean of both ends' logits, weighted as the weights are: two networks kept apart. */
  readonly ensemble?: CurveResult;
  /** At the softmax temperature that fits best. */
  readonly calibrated?: CalibratedCurve;
}

/** What `rebasin sweep` writes. */
export interface SweepResult extends CommonResult, SweepCurves {
  /** On the training images, where they were swept. */
  readonly train?: SweptCurve;
  /** On the test images. */
  readonly test?: SweptCurve;
  /** The architecture. */
  readonly model: string;
  /** How B was matched to A. */
  readonly align: MatchingMethod;
  /** What was done to the network at each point. */
  readonly renormalise: string;
  /** What matching found; absent for `none`. */
  readonly match?: MatchFields;
}

/** One trained network. */
export interface TrainingFields {
  /** The architecture. */
  readonly model: string;
  /** Of initial values, order of samples and augmentation. */
  readonly seed: number;
  /** Mean training loss of each epoch, while training. */
  readonly epochLoss: readonly number[];
  /**
   * Of self-paced training, each epoch's weights: the age (none where all counted alike), the share of the training images with a weight above 0,
   * and the mean weight.
   */
  readonly selfPaced?: readonly {
    readonly age?: number;
    readonly share: number;
    readonly meanWeight: number;
  }[];
  /** On the training images, at the end. */
  readonly train?: LossAndAccuracy;
  /** On the test images, at the end. */
  readonly test?: LossAndAccuracy;
  /** File the parameters were written to. */
  readonly checkpoint?: string;
}

/** What `rebasin train` writes. */
export interface TrainResult extends CommonResult, TrainingFields {}

/** What `rebasin demo` writes. */
export interface DemoResult extends CommonResult {
  /** The architecture. */
  readonly model: string;
  /** What was trained and tested on, and how many images. */
  readonly data: { readonly name: string; readonly train: number; readonly test: number };
  /** A and B. */
  readonly networks: readonly TrainingFields[];
  /** How B was matched to A. */
  readonly match: MatchFields;
  /** From A to B as it is. */
  readonly naive: SweepCurves;
  /** From A to B, permuted. */
  readonly aligned: SweepCurves;
}

/** What was found on a plane through three models, on one data set. */
export interface PlaneValues {
  /** [y][x]: a row for each y of the grid. */
  readonly loss: readonly (readonly number[])[];
  /** The same way. */
  readonly accuracy: readonly (readonly number[])[];
  /** At the three models themselves. */
  readonly models: readonly LossAndAccuracy[];
  /** Half-way between the first and the second, the first and the third, the second and the third. */
  readonly midpoints: readonly LossAndAccuracy[];
}

/** What `rebasin plane` writes. */
export interface PlaneResult extends CommonResult {
  /** The architecture. */
  readonly model: string;
  /** How B, and C, were matched to A. */
  readonly align: string;
  /** What was done to the weights of each point. */
  readonly renormalise: string;
  /** The three models, such as `A`, `B` and `pi(B)`, and where they lie: L2 distances over everything that is interpolated. */
  readonly models: readonly { readonly name: string; readonly x: number; readonly y: number }[];
  /** Coordinates of the points, ascending. */
  readonly grid: { readonly x: readonly number[]; readonly y: readonly number[] };
  /** On the training images, where they were swept. */
  readonly train?: PlaneValues;
  /** On the test images. */
  readonly test?: PlaneValues;
  /** How each permuted checkpoint was matched to A, by its name, `B` or `C`. */
  readonly matches: Readonly<Record<string, MatchFields>>;
}

/** One place of a network: what its activations are like, over channels, images and positions. */
export interface LayerSummary {
  /** Name of the module. */
  readonly layer: string;
  /** The result of a linear layer or convolution, of a norm, or of the activation function after either, which has the same name. */
  readonly kind: 'weighted' | 'normalised' | 'activation';
  /** Units. */
  readonly channels: number;
  /** Mean over channels of |mean|. */
  readonly mean: number;
  /** Mean over channels of the standard deviation. */
  readonly deviation: number;
  /** Mean over channels of the variance. */
  readonly variance: number;
  /** Mean of |x|. */
  readonly scale: number;
  /** Share of values that are exactly 0, from 0 to 1. */
  readonly zeroRatio: number;
  /** Channels that are 0 for every image. */
  readonly dead: number;
  /** Mean distance from the activations for an input of zeros, over the root of their number: m of the vanishing feature. */
  readonly featureDistance?: number;
  /** Each channel's own numbers. */
  readonly perChannel?: Readonly<Record<'mean' | 'variance' | 'scale' | 'zeroRatio', readonly number[]>>;
}

/** What became of one layer in a merged network, beside the mean of its two ends. */
export interface LayerCollapse {
  /** Name of the module. */
  readonly layer: string;
  /** Mean over channels of the merged variance / mean over channels of the ends' average variance. */
  readonly varianceRatio: number;
  /** The same of the scale. */
  readonly scaleRatio: number;
  /** Of the activation function after it, where there is one. */
  readonly zeroRatio?: { readonly ends: number; readonly merged: number };
  /** E of the vanishing feature: how far it moves with the input, beside the ends. And without its ups and downs. */
  readonly feature?: number;
  /** E, monotone over the layers. */
  readonly smoothFeature?: number;
}

/** What became of a merged network's activations. */
export type CollapseKind =
  | 'healthy'
  | 'not-aligned'
  | 'stale-statistics'
  | 'variance-collapse'
  | 'vanishing-feature'
  | 'dying-units'
  | 'blow-up'
  | 'units-differ';

/** What became of a merged network's activations, layer by layer, with a verdict. */
export interface CollapseFields {
  /** Hidden layers in the network's order: norms where the network has batch norm, else linear layers and convolutions. */
  readonly layers: readonly LayerCollapse[];
  /** The network's output. */
  readonly logits: LayerCollapse;
  /** What it is, in words with the numbers that say so, and what to try. */
  readonly verdict: { readonly kind: CollapseKind; readonly text: string; readonly fix?: string };
}

/** Statistics of the activations of one network, or of two and of the one half-way between them. */
export interface StatsResult extends CommonResult {
  /** The architecture. */
  readonly model: string;
  /** What was assumed about the model, one line each. */
  readonly assumptions: readonly string[];
  /** What the statistics were taken over. */
  readonly data: { readonly name: string; readonly split: 'train' | 'test'; readonly images: number };
  /** `A`, or `A`, `B` (`pi(B)` where it was permuted) and `merged`. */
  readonly networks: readonly (LossAndAccuracy & {
    readonly name: string;
    readonly layers: readonly LayerSummary[];
  })[];
  /** Of two networks. */
  readonly align?: MatchingMethod;
  /** What was done to the network half-way. */
  readonly renormalise?: string;
  /** What matching found. */
  readonly match?: MatchFields;
  /** What became of the activations half-way. */
  readonly collapse?: CollapseFields;
}

/** The loss at the softmax temperature that makes it least, fitted to the very images that are scored. */
export interface CalibratedLoss {
  /** What logits are divided by. */
  readonly temperature: number;
  /** Mean cross-entropy at that temperature. */
  readonly loss: number;
  /** Set where the best temperature lies beyond what is searched. */
  readonly bound?: 'lowest' | 'highest';
}

/** How well a network, or an ensemble, does. */
export interface ScoreFields extends LossAndAccuracy {
  /** At the best softmax temperature. */
  readonly calibrated: CalibratedLoss;
}

/** What `rebasin merge` writes. */
export interface MergeResult extends CommonResult {
  /** The model that came out, such as `resnet20:norm=layer:bias`. */
  readonly model: string;
  /** What was assumed about the models, one line each. */
  readonly assumptions: readonly string[];
  /** Which models were matched to which. */
  readonly strategy: string;
  /** How a pair of models was matched. */
  readonly align: MatchingMethod;
  /** What was done to the mean. */
  readonly renormalise: string;
  /** How many test images were scored. */
  readonly images: number;
  /** The models as they came, the share of each in the mean, and its score on the test images. */
  readonly models: readonly {
    readonly name: string;
    readonly coefficient: number;
    readonly test: ScoreFields;
  }[];
  /** The merged network on the test images. */
  readonly test: ScoreFields;
  /** The mean of the models' logits, with the same shares, on the test images. */
  readonly ensemble: ScoreFields;
  /** How bringing the models into one frame went. */
  readonly merging: {
    readonly rounds: number;
    /** Whether it ended by itself. */
    readonly converged: boolean;
    /** Root mean square over the models of their L2 distance to their mean, over scored entries: at first and after each round. */
    readonly distances: readonly number[];
    /** Sum over pairs of models of their inner product over scored entries. */
    readonly objective: { readonly before: number; readonly after: number };
    /** The part of units that going round three models does not bring back to themselves. */
    readonly cycleError?: number;
  };
  /** Of the check that a random permutation leaves the outputs unchanged. */
  readonly equivalence: MatchFields['equivalence'];
  /** For each model, what brings it into the common order: unit i of the permuted model is unit p[i] of the model. */
  readonly permutations: readonly Readonly<Record<string, readonly number[]>>[];
  /** What became of the activations, layer by layer, beside the models' weighted mean. */
  readonly collapse?: CollapseFields;
  /** How the merged network compares with the models and what to try if it is worse, a sentence or two each; the first compares. */
  readonly verdict: readonly string[];
  /** File the merged network was written to. */
  readonly checkpoint?: string;
}

/** What a number was over several seeds. */
export interface Spread {
  /** Over the seeds. */
  readonly mean: number;
  /** The least. */
  readonly min: number;
  /** The largest. */
  readonly max: number;
}

/** A curve, and the loss that calibration leaves of the network half-way. */
export interface ComparedCurve extends CurveResult {
  /** Half-way, at the best softmax temperature. */
  readonly calibrated: CalibratedLoss;
}

/** What counts of a curve, over all seeds. */
export interface ComparedScores {
  /** At lambda 0.5. */
  readonly midpoint: { readonly loss: Spread; readonly accuracy: Spread };
  /** The largest excess over the straight line between the ends. */
  readonly barrier: { readonly loss: Spread; readonly accuracy: Spread };
  /** Half-way, at the best softmax temperature. */
  readonly calibratedLoss: Spread;
}

/** One matching with one re-normalisation. */
export interface ComparedRow {
  /** The matching. */
  readonly align: MatchingMethod;
  /** The re-normalisation. */
  readonly renormalise: string;
  /** One for each seed; a matching that does not depend on the seed has one. Seconds are those of the sweep. */
  readonly runs: readonly {
    readonly seed: number;
    readonly seconds: number;
    readonly train?: ComparedCurve;
    readonly test?: ComparedCurve;
  }[];
  /** Over all runs, on the training images. */
  readonly train?: ComparedScores;
  /** Over all runs, on the test images. */
  readonly test?: ComparedScores;
}

/** What `rebasin compare` writes. */
export interface CompareResult extends CommonResult {
  /** The architecture. */
  readonly model: string;
  /** What was assumed about the model, one line each. */
  readonly assumptions: readonly string[];
  /** The points, 0 (A) to 1 (B). */
  readonly lambda: readonly number[];
  /** Of matchings that are random. */
  readonly seeds: readonly number[];
  /** The two networks as they came, and the mean of their logits. */
  readonly ends: readonly {
    readonly name: string;
    readonly train?: ScoreFields;
    readonly test?: ScoreFields;
  }[];
  /** The mean of both networks' logits. */
  readonly ensemble: { readonly train?: ScoreFields; readonly test?: ScoreFields };
  /** Each matching by itself, with each seed. */
  readonly matchings: readonly {
    readonly align: MatchingMethod;
    readonly seed: number;
    readonly objective: MatchFields['objective'];
    readonly distance: MatchFields['distance'];
    readonly seconds: number;
  }[];
  /** Every matching with every re-normalisation that applies. */
  readonly rows: readonly ComparedRow[];
  /** What does not apply to this network, and why. */
  readonly refused: readonly {
    readonly align?: MatchingMethod;
    readonly renormalise?: string;
    readonly reason: string;
  }[];
  /** Of the check that a random permutation leaves the outputs unchanged. */
  readonly equivalence: MatchFields['equivalence'];
}

/** Results with curves along lambda. */
export type CurveReport = SweepResult | DemoResult;

/** What commands say about networks. */
export type NetworkResult =
  | CurveReport
  | PlaneResult
  | MergeResult
  | CompareResult
  | StatsResult
  | PruneResult
  | AnalyseResult;

/** Results that the report can show. */
export type ReportResult = NetworkResult | AgePathResult | StudyResult;
