/** What the project wants of its speed, as data, and how a run's lines compare. */
import { isOurs, type ResultLine } from './result-line.ts';

export interface Target {
  /** For people. */
  readonly what: string;
  /** Cases that it is about; each must reach it. */
  readonly cases: RegExp;
  /** Where it holds. */
  readonly where: 'SwiftShader in Node' | 'SwiftShader in a browser' | 'GPU' | 'anywhere';
  /** The number of the line of engine `rebasin`. */
  readonly of: (line: ResultLine) => number | undefined;
  readonly atLeast?: number;
  readonly atMost?: number;
  /** A further goal than what is asked. */
  readonly wanted?: number;
}

const RATIOS: readonly (readonly [what: string, cases: RegExp, atLeast: number, wanted?: number])[] = [
  ['matmul 256, 512, 1024', /^matmul\/NN\/(256x256x256|512x512x512|1024x1024x1024)$/, 3, 4],
  ['conv forward at the ResNet shapes', /^conv\/forward\/32x(16x32x32-to-16|64x8x8-to-64)-3x3-s1-p1$/, 4],
  ['conv backward at the ResNet shapes', /^conv\/backward\/32x(16x32x32-to-16|64x8x8-to-64)-3x3-s1-p1$/, 4],
  ['batch-norm statistics', /^norm\/statistics\/32x(16x32x32|64x8x8)$/, 3],
  ['MLP training step', /^training\/mlp-784-512-512-10\/batch128$/, 5],
  ['sweeps', /^sweep\/(mlp-784-512-512-10\/1000x11|resnet20\/100x11)$/, 5],
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
    ...{ what: 'microseconds of run() a dispatch', cases: /^host\/step\/(mlp-784-512-512-10|resnet20)$/ },
    ...{ where: 'anywhere', of: figure('runMicrosecondsPerDispatch'), atMost: 5 },
  },
  {
    ...{ what: 'GPU objects made by steady steps', cases: /^host\/(step|soak)\// },
    ...{ where: 'anywhere', of: figure('gpuObjectsMade'), atMost: 0 },
  },
  {
    ...{ what: 'kB, gzipped: the core', cases: /^size\/core$/, where: 'anywhere', atMost: 80 },
    of: (line) => kilobytes(line),
  },
  {
    ...{
      what: 'kB, gzipped: an application that only multiplies matrices',
      cases: /^size\/matrix-products$/,
    },
    ...{ where: 'anywhere', atMost: 15 },
    of: (line) => kilobytes(line),
  },
  {
    ...{ what: 'matmul 2048 and 4096, share of the roof', cases: /^matmul\/NN\/(2048|4096)x/ },
    ...{ where: 'GPU', of: (line) => line.roofShare, atLeast: 0.5, wanted: 0.7 },
  },
  {
    ...{
      what: 'conv, share of the roof',
      cases: /^conv\/(forward|input-gradient|weight-gradient)\/(128|32)x(64|256)x/,
    },
    ...{ where: 'GPU', of: (line) => line.roofShare, atLeast: 0.35 },
  },
];

function kilobytes({ figures }: ResultLine): number | undefined {
  return figures?.gzipBytes === undefined ? undefined : figures.gzipBytes / 1000;
}

export interface Judgement {
  readonly target: Target;
  readonly verdict: 'met' | 'missed' | 'not measured';
  /** Each case that was measured, with its number. */
  readonly numbers: readonly { readonly case: string; readonly value: number }[];
}

/** Judges targets by the lines of this library as it chooses its kernels. Targets of other surroundings than the lines' are left out. */
export function judgeTargets(lines: readonly ResultLine[]): Judgement[] {
  return TARGETS.filter(({ where }) => lines.some((line) => holdsFor(where, line))).map((target) => {
    const of = lines.filter((line) => target.cases.test(line.case) && holdsFor(target.where, line));
    const ours = of.filter(({ engine }) => isOurs(engine) && engine === 'rebasin');
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
    const verdict = failed ? 'missed' : numbers.length === 0 ? 'not measured' : reached ? 'met' : 'missed';
    return { target, verdict, numbers };
  });
}

function holdsFor(where: Target['where'], { adapter, platform, software }: ResultLine): boolean {
  if (where === 'anywhere') return true;
  if (where === 'GPU') return !software;
  return /swiftshader/i.test(adapter) && platform.startsWith('node') === (where === 'SwiftShader in Node');
}
