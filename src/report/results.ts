/**
 * What commands write as JSON. Field names are a contract: scripts read them, and the report draws them.
 * Losses are mean cross-entropies in nats, accuracies fractions from 0 to 1.
 */

export interface LossAndAccuracy {
  readonly loss: number;
  readonly accuracy: number;
}

export interface CommonResult {
  readonly command: string;
  /** Version of rebasin. */
  readonly version: string;
  readonly adapter: string;
  readonly seed: number;
  /** Wall time of the command. */
  readonly seconds: number;
  /** SHA-256 of inputs and results, not of times. */
  readonly hash: string;
}

/** One curve along lambda. */
export interface CurveResult {
  readonly loss: readonly number[];
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

export interface SweepCurves {
  readonly lambda: readonly number[];
  readonly train?: CurveResult;
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
  readonly method: MatchingMethod;
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
  readonly objectivePerSweep?: readonly number[];
  /** Of activation matching: the similarity of matched units in each group, of the identity and of what was found. */
  readonly groups?: Readonly<Record<string, { readonly identity: number; readonly matched: number }>>;
  /** Of straight-through matching: the network half-way with each set of permutations met, on the images to choose on. */
  readonly candidates?: readonly (LossAndAccuracy & { readonly step: number })[];
  readonly equivalence: { readonly maxDifference: number; readonly passed: boolean };
  /** Unit i of the permuted B is unit p[i] of B. */
  readonly permutations: Readonly<Record<string, readonly number[]>>;
}

export interface MatchResult extends CommonResult, MatchFields {}

export interface SweepResult extends CommonResult, SweepCurves {
  readonly model: string;
  readonly align: MatchingMethod;
  /** What was done to the network at each point. */
  readonly renormalise: string;
  readonly match?: MatchFields;
}

/** One trained network. */
export interface TrainingFields {
  readonly model: string;
  readonly seed: number;
  /** Mean training loss of each epoch, while training. */
  readonly epochLoss: readonly number[];
  readonly train?: LossAndAccuracy;
  readonly test?: LossAndAccuracy;
  /** File the parameters were written to. */
  readonly checkpoint?: string;
}

export interface TrainResult extends CommonResult, TrainingFields {}

export interface DemoResult extends CommonResult {
  readonly model: string;
  readonly data: { readonly name: string; readonly train: number; readonly test: number };
  readonly networks: readonly TrainingFields[];
  readonly match: MatchFields;
  readonly naive: SweepCurves;
  readonly aligned: SweepCurves;
}

/** What was found on a plane through three models, on one data set. */
export interface PlaneValues {
  /** [y][x]: a row for each y of the grid. */
  readonly loss: readonly (readonly number[])[];
  readonly accuracy: readonly (readonly number[])[];
  /** At the three models themselves. */
  readonly models: readonly LossAndAccuracy[];
  /** Half-way between the first and the second, the first and the third, the second and the third. */
  readonly midpoints: readonly LossAndAccuracy[];
}

export interface PlaneResult extends CommonResult {
  readonly model: string;
  readonly align: string;
  /** What was done to the weights of each point. */
  readonly renormalise: string;
  /** The three models, such as `A`, `B` and `pi(B)`, and where they lie: L2 distances over everything that is interpolated. */
  readonly models: readonly { readonly name: string; readonly x: number; readonly y: number }[];
  /** Coordinates of the points, ascending. */
  readonly grid: { readonly x: readonly number[]; readonly y: readonly number[] };
  readonly train?: PlaneValues;
  readonly test?: PlaneValues;
  /** How each permuted checkpoint was matched to A, by its name, `B` or `C`. */
  readonly matches: Readonly<Record<string, MatchFields>>;
}

/** One place of a network: what its activations are like, over channels, images and positions. */
export interface LayerSummary {
  readonly layer: string;
  /** The result of a linear layer or convolution, of a norm, or of the activation function after either, which has the same name. */
  readonly kind: 'weighted' | 'normalised' | 'activation';
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
  readonly layer: string;
  /** Mean over channels of the merged variance / mean over channels of the ends' average variance. */
  readonly varianceRatio: number;
  /** The same of the scale. */
  readonly scaleRatio: number;
  /** Of the activation function after it, where there is one. */
  readonly zeroRatio?: { readonly ends: number; readonly merged: number };
  /** E of the vanishing feature: how far it moves with the input, beside the ends. And without its ups and downs. */
  readonly feature?: number;
  readonly smoothFeature?: number;
}

export type CollapseKind =
  | 'healthy'
  | 'not-aligned'
  | 'stale-statistics'
  | 'variance-collapse'
  | 'vanishing-feature'
  | 'dying-units'
  | 'blow-up'
  | 'units-differ';

export interface CollapseFields {
  /** Hidden layers in the network's order: norms where the network has batch norm, else linear layers and convolutions. */
  readonly layers: readonly LayerCollapse[];
  readonly logits: LayerCollapse;
  /** What it is, in words with the numbers that say so, and what to try. */
  readonly verdict: { readonly kind: CollapseKind; readonly text: string; readonly fix?: string };
}

/** Statistics of the activations of one network, or of two and of the one half-way between them. */
export interface StatsResult extends CommonResult {
  readonly model: string;
  /** What the statistics were taken over. */
  readonly data: { readonly name: string; readonly split: 'train' | 'test'; readonly images: number };
  /** `A`, or `A`, `B` (`pi(B)` where it was permuted) and `merged`. */
  readonly networks: readonly (LossAndAccuracy & {
    readonly name: string;
    readonly layers: readonly LayerSummary[];
  })[];
  /** Of two networks. */
  readonly align?: MatchingMethod;
  readonly renormalise?: string;
  readonly match?: MatchFields;
  readonly collapse?: CollapseFields;
}

/** Results with curves along lambda. */
export type CurveReport = SweepResult | DemoResult;

/** Results that the report can show. */
export type ReportResult = CurveReport | PlaneResult;
