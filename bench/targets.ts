/** What the project wants of its speed, as data, and how a run's lines compare. */
import type { ResultLine, Surroundings } from './result-line.ts';

export interface Target {
  /** For people. */
  readonly what: string;
  /** Names of the cases that it is about; each must reach it. */
  readonly cases: readonly string[];
  /** Where it holds. */
  readonly where: 'SwiftShader in Node' | 'SwiftShader in a browser' | 'GPU' | 'anywhere';
  /** The number of the line of engine `rebasin`. */
  readonly of: (line: ResultLine) => number | undefined;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** A further goal than what is asked. */
  readonly wanted?: number;
}

const RESNET_LAYERS = ['32x16x32x32-to-16-3x3-s1-p1', '32x64x8x8-to-64-3x3-s1-p1'];

/** Layers of VGG and ResNets that keep a GPU busy, and smaller ones with as many channels. */
const WIDE_LAYERS = [
  ...['32x64x8x8-to-64-3x3-s1-p1', '32x64x16x16-to-64-1x1-s1-p0', '128x64x32x32-to-64-3x3-s1-p1'],
  ...['128x256x8x8-to-256-3x3-s1-p1', '32x64x56x56-to-64-3x3-s1-p1', '32x256x14x14-to-256-3x3-s1-p1'],
];

const STEPS = ['mlp-784-512-512-10', 'resnet20', 'mlp-16-8-4'].map((network) => `host/step/${network}`);

const RATIOS: readonly (readonly [
  what: string,
  cases: readonly string[],
  atLeast: number,
  wanted?: number,
])[] = [
  ['matmul 256, 512, 1024', [256, 512, 1024].map((n) => `matmul/NN/${n}x${n}x${n}`), 3, 4],
  ['conv forward at the ResNet shapes', RESNET_LAYERS.map((layer) => `conv/forward/${layer}`), 4],
  ['conv backward at the ResNet shapes', RESNET_LAYERS.map((layer) => `conv/backward/${layer}`), 4],
  ['batch-norm statistics', ['norm/statistics/32x16x32x32', 'norm/statistics/32x64x8x8'], 3],
  ['MLP training step', ['training/mlp-784-512-512-10/batch128'], 5],
  ['sweeps', ['sweep/mlp-784-512-512-10/1000x11', 'sweep/resnet20/100x11'], 5],
];

const ratio = (line: ResultLine) => line.ratioToBestPeer;
const figure = (name: string) => (line: ResultLine) => line.figures?.[name];

export const TARGETS: readonly Target[] = [
  ...RATIOS.map(([what, cases, atLeast, wanted]): Target => {
    const further = wanted === undefined ? {} : { wanted };
    return {
      what: `${what}, against the best peer`,
      cases,
      where: 'SwiftShader in Node',
      of: ratio,
      atLeast,
      ...further,
    };
  }),
  ...RATIOS.map(
    ([what, cases]): Target => ({
      what: `${what}, in a browser`,
      cases,
      where: 'SwiftShader in a browser',
      of: ratio,
      atLeast: 2,
    }),
  ),
  {
    ...{ what: 'microseconds of run() a dispatch', cases: STEPS.slice(0, 2) },
    ...{ where: 'anywhere', of: figure('runMicrosecondsPerDispatch'), atMost: 5 },
  },
  {
    what: 'GPU objects made by steady steps',
    cases: [...STEPS.flatMap((name) => [name, `${name}-on-adapter`]), 'host/soak/mlp-16-8-4'],
    ...{ where: 'anywhere', of: figure('gpuObjectsMade'), atMost: 0 },
  },
  {
    ...{ what: 'kB, gzipped: the core', cases: ['size/core'], where: 'anywhere', atMost: 80 },
    of: (line) => kilobytes(line),
  },
  {
    ...{
      what: 'kB, gzipped: an application that only multiplies matrices',
      cases: ['size/matrix-products'],
    },
    ...{ where: 'anywhere', atMost: 15 },
    of: (line) => kilobytes(line),
  },
  {
    what: 'matmul 2048 and 4096, share of the roof',
    cases: [2048, 4096].map((n) => `matmul/NN/${n}x${n}x${n}`),
    ...{ where: 'GPU', of: (line) => line.roofShare, atLeast: 0.5, wanted: 0.7 },
  },
  {
    ...{
      what: 'conv, share of the roof',
      cases: ['forward', 'input-gradient', 'weight-gradient'].flatMap((task) =>
        WIDE_LAYERS.map((layer) => `conv/${task}/${layer}`),
      ),
    },
    ...{ where: 'GPU', of: (line) => line.roofShare, atLeast: 0.35 },
  },
];

function kilobytes({ figures }: ResultLine): number | undefined {
  return figures?.gzipBytes === undefined ? undefined : figures.gzipBytes / 1000;
}

export interface Judgement {
  readonly target: Target;
  /** `missed` when one case does not reach it, else `not measured` when there is no number of one, else `met`. */
  readonly verdict: 'met' | 'missed' | 'not measured';
  /** Each case that was measured, with its number. */
  readonly numbers: readonly { readonly case: string; readonly value: number }[];
}

/** Judges targets by the lines of this library as it chooses its kernels. Targets of other surroundings than the lines' are left out. */
export function judgeTargets(lines: readonly ResultLine[]): Judgement[] {
  return TARGETS.filter(({ where }) => lines.some((line) => holdsFor(where, line))).map((target) => {
    const ours = lines.filter(
      (line) => line.engine === 'rebasin' && target.cases.includes(line.case) && holdsFor(target.where, line),
    );
    const numbers = ours.flatMap((line) => {
      const value = target.of(line);
      return value === undefined ? [] : [{ case: line.case, value }];
    });
    const failed = ours.some(({ failed }) => failed);
    const reached = numbers.every(
      ({ value }) =>
        value >= (target.atLeast ?? Number.NEGATIVE_INFINITY) &&
        value <= (target.atMost ?? Number.POSITIVE_INFINITY),
    );
    const measured = new Set(numbers.map((number) => number.case));
    const complete = target.cases.every((name) => measured.has(name));
    const verdict = failed || !reached ? 'missed' : complete ? 'met' : 'not measured';
    return { target, verdict, numbers };
  });
}

/** Names of the cases that targets of these surroundings are about. */
export function targetCases(surroundings: Surroundings): Set<string> {
  return new Set(TARGETS.filter(({ where }) => holdsFor(where, surroundings)).flatMap(({ cases }) => cases));
}

function holdsFor(where: Target['where'], { adapter, platform, software }: Surroundings): boolean {
  if (where === 'anywhere') return true;
  if (where === 'GPU') return !software;
  return /swiftshader/i.test(adapter) && platform.startsWith('node') === (where === 'SwiftShader in Node');
}
