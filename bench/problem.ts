/**
 * The problems of the suite as plain data, for engines of all kinds. Tensors are NCHW and row by row, float32; what comes back has the
 * layout that is said here, whatever an engine prefers inside.
 */
import type { ConvSizes } from '../test/reference/kernels/conv.ts';

/** `relu(a b + bias)`. Result: the product [M, N]. */
export interface MatmulProblem {
  readonly kind: 'matmul';
  /** NN: a is [M, K], b [K, N]. NT: b is [N, K]. TN: a is [K, M]. */
  readonly layout: 'NN' | 'NT' | 'TN';
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
  /** [N], with relu after it. Default: neither. */
  readonly bias?: Float32Array<ArrayBuffer>;
}

/** Results: the output; the input gradient; the weight gradient; of `backward` the last two. */
export interface ConvProblem {
  readonly kind: 'conv';
  readonly task: 'forward' | 'input-gradient' | 'weight-gradient' | 'backward';
  readonly sizes: ConvSizes;
  readonly input: Float32Array<ArrayBuffer>;
  readonly weight: Float32Array<ArrayBuffer>;
  /** Of the output. */
  readonly gradient: Float32Array<ArrayBuffer>;
}

/** Mean and biased variance of each channel of [N, C, H, W]. Result: means, then variances [2, C]. */
export interface StatisticsProblem {
  readonly kind: 'statistics';
  readonly shape: readonly [N: number, C: number, H: number, W: number];
  readonly values: Float32Array<ArrayBuffer>;
}

/**
 * Sums over samples and positions of (a - shiftA)(b - shiftB) for each pair of channels. a: [samples, channels, positions], b likewise; of
 * one activation with itself they are the same array. Result: [channels, channels].
 */
export interface CrossMomentsProblem {
  readonly kind: 'cross-moments';
  readonly self: boolean;
  readonly samples: number;
  readonly channels: number;
  readonly positions: number;
  readonly a: Float32Array<ArrayBuffer>;
  readonly b: Float32Array<ArrayBuffer>;
  /** [channels] */
  readonly shiftA: Float32Array<ArrayBuffer>;
  readonly shiftB: Float32Array<ArrayBuffer>;
}

/** Result: softmax, or its logarithm, of each row [rows, classes]. */
export interface SoftmaxProblem {
  readonly kind: 'softmax';
  readonly log: boolean;
  readonly rows: number;
  readonly classes: number;
  readonly logits: Float32Array<ArrayBuffer>;
}

/** Result: rows of a table [rows, length] by index [taken]. */
export interface GatherProblem {
  readonly kind: 'gather';
  readonly rows: number;
  readonly length: number;
  readonly table: Float32Array<ArrayBuffer>;
  readonly index: Uint32Array<ArrayBuffer>;
}

/** A network that every engine can build: see `networks.ts`. */
export interface Network {
  readonly kind: 'mlp' | 'resnet20';
  /** Of an MLP: features of input, hidden layers, output. */
  readonly widths: readonly number[];
  /** Without the batch axis. */
  readonly inputShape: readonly number[];
  readonly classes: number;
}

/** Parameters and buffers by PyTorch's names. */
export type NetworkState = ReadonlyMap<string, Float32Array>;
export type NetworkShapes = ReadonlyMap<string, readonly number[]>;

/** Images as bytes, fed to the network as byte / 255. */
export interface Images {
  readonly count: number;
  /** [count, ...inputShape] */
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
}

/**
 * One training step after another on the same batch: mean cross-entropy, batch norm by the batch's statistics, SGD with momentum 0.9.
 * Result: the samples' mean loss in the last step [1]; parameters after it, one after another in the order of the state.
 */
export interface TrainingProblem {
  readonly kind: 'training';
  readonly network: Network;
  readonly state: NetworkState;
  readonly shapes: NetworkShapes;
  /** Names of the state that are trained. */
  readonly parameters: readonly string[];
  readonly images: Images;
  readonly learningRate: number;
  readonly momentum: number;
}

/** Mean cross-entropy of (1 - lambda) A + lambda B at each lambda, in evaluation mode. Result: [points]. */
export interface SweepProblem {
  readonly kind: 'sweep';
  readonly network: Network;
  readonly a: NetworkState;
  readonly b: NetworkState;
  readonly shapes: NetworkShapes;
  readonly images: Images;
  readonly lambda: readonly number[];
}

/** The assignment of rows to columns with the largest sum. Result: the column of each row [n]. */
export interface AssignmentProblem {
  readonly kind: 'assignment';
  readonly n: number;
  /** [n, n] */
  readonly matrix: Float64Array;
}

export type Problem =
  | MatmulProblem
  | ConvProblem
  | StatisticsProblem
  | CrossMomentsProblem
  | SoftmaxProblem
  | GatherProblem
  | TrainingProblem
  | SweepProblem
  | AssignmentProblem;
