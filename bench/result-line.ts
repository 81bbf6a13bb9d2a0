/**
 * What every benchmark writes: one line of JSON for each case and engine, whoever measured it (this suite in Node or a browser, the
 * PyTorch script). Tables, the page and the targets read nothing else.
 *
 * Names of cases, sizes in the order of the tensors' axes:
 *
 *     roof/copy, roof/multiply-add                                        what the adapter can do at most
 *     matmul/NN/512x512x512, matmul/NT+bias+relu/128x512x784              M x N x K; NT: b is stored [N, K], TN: a is stored [K, M]
 *     conv/forward/32x16x32x32-to-16-3x3-s1-p1                            N x C x H x W, outputs, kernel, stride, padding
 *     conv/input-gradient/..., conv/weight-gradient/..., conv/backward/...    backward: both gradients, one after the other
 *     norm/statistics/32x16x32x32                                         mean and biased variance of each channel
 *     norm/forward/..., norm/forward+backward/...                         batch norm in training mode, running statistics stored
 *     cross-moments/pair/500x512x1, cross-moments/self/...                samples x channels x positions
 *     softmax/rows/4096x1000, softmax/log/...                             rows x classes
 *     optimizer/sgd/669706, optimizer/adam/...                            parameters; sgd has momentum 0.9 and weight decay
 *     gather/rows/512x784, gather/axis/...                                rows taken x length
 *     training/mlp-784-512-512-10/batch128, training/resnet20/batch32     one step: batch gathered, forward, backward, SGD with momentum
 *     sweep/mlp-784-512-512-10/1000x11, sweep/resnet20/100x11             images x points of a line between two networks: all losses
 *     matching/mlp-784-512-512-10, assignment/planted/1024, host/..., size/...
 */

/** How the engine was waited for: asleep between looks (as this library waits for software adapters in Node), or as it waits itself. */
export type Wait = 'sleeping' | 'own';

/** Where the numbers come from; the same for all lines of a run. */
export interface Surroundings {
  /** Vendor, architecture and name, such as `google swiftshader SwiftShader driver 5.0.0`. */
  readonly adapter: string;
  /** What drives it, as far as it says: `Dawn webgpu 0.6.2, SwiftShader of ...`, `CUDA 12.8`. */
  readonly driver: string;
  /** The adapter computes on the CPU: its times say nothing about GPUs. */
  readonly software: boolean;
  /** `node 20.20.0`, `chromium 147.0.7727.0`, `python 3.12.3`. */
  readonly platform: string;
  /** Of this library and of the packages that took part: `{ rebasin: '0.1.0', '@jax-js/jax': '0.1.25' }`. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface ResultLine extends Surroundings {
  readonly case: string;
  /**
   * `rebasin`; other numerics classes and forced variants with their name after it (`rebasin f16`, `rebasin naive`); `jax-js`,
   * `tfjs-webgpu`, `onnxruntime-web`, `linear-sum-assignment`; `pytorch f32`, `pytorch tf32`, `pytorch f16`; `adapter` for roofs.
   */
  readonly engine: string;
  readonly wait: Wait;
  /** Why there are no times: the engine cannot do this, or its result was wrong. Other figures are left out then. */
  readonly error?: string;
  /** The result was wrong (or the engine ours, and it failed): the run as a whole fails. */
  readonly failed?: boolean;
  /** Times from recording to completion, all operations of the case; 1 also where a budget allowed the first run only. */
  readonly repeats?: number;
  readonly medianMs?: number;
  readonly minMs?: number;
  /** (Third quartile - first quartile) / median. */
  readonly spread?: number;
  /** The first use, compilation included. */
  readonly firstMs?: number;
  /** What timestamps say of one repeat, all dispatches added up; the median. */
  readonly gpuMs?: number;
  /** Arithmetic of the case (a multiply-add counts 2) over `minMs`. */
  readonly gflops?: number;
  /** Least bytes that must be read and written over `minMs`. */
  readonly gigabytesPerSecond?: number;
  /**
   * How near to what binds this case: the larger of arithmetic and bytes over time as fractions of the roofs of the same run; both by `gpuMs`
   * on GPUs with timestamps (where nobody else is timed so), by `minMs` elsewhere.
   */
  readonly roofShare?: number;
  /**
   * The least `minMs` of all engines of others in the same run on the same case, by whichever wait, over this `minMs`: above 1 is faster.
   * Where a budget allowed that engine its first run only, both are `firstMs`. Left out of what is no fair comparison: class f16, an assignment that is given the optimum's duals.
   */
  readonly ratioToBestPeer?: number;
  /** What is not a time of the whole case: bytes, microseconds a dispatch, GPU objects made. The unit is in the name. */
  readonly figures?: Readonly<Record<string, number>>;
}

/** The family of a case: what stands before its first slash. */
export function familyOf(name: string): string {
  return name.slice(0, name.indexOf('/'));
}

/** Whether an engine is this library, in whichever variant. */
export function isOurs(engine: string): boolean {
  return engine === 'rebasin' || engine.startsWith('rebasin ');
}

/** Reads lines back. @throws Error that names the line which is none. */
export function parseResultLines(text: string): ResultLine[] {
  return text.split('\n').flatMap((line, i) => (line.trim() === '' ? [] : [parseResultLine(line, i + 1)]));
}

const SURROUNDINGS: Readonly<Record<string, string>> = {
  ...{ adapter: 'string', driver: 'string', software: 'boolean', platform: 'string', versions: 'object' },
};
const REQUIRED: Readonly<Record<string, string>> = { case: 'string', engine: 'string', wait: 'string' };
const OPTIONAL: Readonly<Record<string, string>> = {
  ...{ error: 'string', failed: 'boolean', figures: 'object', repeats: 'number' },
  ...{ medianMs: 'number', minMs: 'number', spread: 'number', firstMs: 'number', gpuMs: 'number' },
  ...{ gflops: 'number', gigabytesPerSecond: 'number', roofShare: 'number', ratioToBestPeer: 'number' },
};

function parseResultLine(line: string, number: number): ResultLine {
  const wrong = (what: string) => new Error(`parseResultLines: line ${number} ${what}`);
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw wrong('is not JSON');
  }
  if (typeof value !== 'object' || value === null) throw wrong('is not an object');
  const fields = value as Record<string, unknown>;
  for (const [name, type] of Object.entries({ ...REQUIRED, ...SURROUNDINGS })) {
    if (typeof fields[name] !== type) throw wrong(`has no ${name} of type ${type}`);
  }
  for (const [name, given] of Object.entries(fields)) {
    const type = REQUIRED[name] ?? SURROUNDINGS[name] ?? OPTIONAL[name];
    if (type === undefined) throw wrong(`has a field ${name}, which no result has`);
    if (typeof given !== type) throw wrong(`has ${name} that is no ${type}`);
  }
  if (!['sleeping', 'own'].includes(fields.wait as string)) throw wrong(`has wait "${fields.wait}"`);
  if (fields.error === undefined && fields.medianMs === undefined && fields.figures === undefined)
    throw wrong('has neither times nor figures nor an error');
  return fields as unknown as ResultLine;
}
