/**
 * The demo: two networks from different seeds on the built-in digits, matched, and both straight lines between them. The same function
 * runs in Node and in a browser, and gives the same bits there.
 */
import { hashResult } from '../base/hash.ts';
import { limitDataset } from '../io/dataset.ts';
import { DIGITS_NORMALISATION, digits } from '../io/digits.ts';
import { mlp } from '../nn/models/mlp.ts';
import { type Model, stateEntries } from '../nn/models/model.ts';
import { resnetOfDepth } from '../nn/models/resnet.ts';
import { type StateDict, stateDictOf } from '../nn/state-dict.ts';
import { Evaluator } from '../nn/train/evaluate.ts';
import { fit } from '../nn/train/fit.ts';
import { GpuDataset, type Normalisation } from '../nn/train/gpu-dataset.ts';
import { cosineSchedule } from '../nn/train/schedule.ts';
import type { DemoResult, SweepCurves, TrainingFields } from '../report/results.ts';
import { Arena, ArenaLayout } from '../runtime/arena.ts';
import type { Context } from '../runtime/context.ts';
import { equallySpaced } from './interpolation/barrier.ts';
import { sweep } from './interpolation/sweep.ts';
import { matchModels } from './matching/match.ts';
import { BatchNormReset } from './renormalise/reset.ts';

/** `mlp`: an MLP. `resnet`: a small residual network with batch norm, with RESET. */
export type DemoNetwork = 'mlp' | 'resnet';

export interface DemoOptions {
  /** Default: `mlp`. */
  readonly network?: DemoNetwork;
  /** The two networks have this seed and the next. Default: 0. */
  readonly seed?: number;
  /** `mlp`: widths of the hidden layers. Default: 256, 256, 256. */
  readonly hidden?: readonly number[];
  readonly epochs?: number;
  /** Images to train on. */
  readonly trainCount?: number;
  readonly testCount?: number;
  /** Points of lambda. Default: 25, of the residual network 11. */
  readonly points?: number;
  readonly onProgress?: (progress: DemoProgress) => void;
  readonly signal?: AbortSignal;
}

/**
 * What the two demos differ in. Sizes that two CPU cores train in about a minute; SGD with a high rate, because it finds networks that
 * lie in one basin once aligned (Adam's do so less).
 */
const RECIPES = {
  mlp: { epochs: 6, trainCount: 6000, testCount: 2000, points: 25, batchSize: 128 },
  resnet: { epochs: 6, trainCount: 1200, testCount: 250, points: 11, batchSize: 50 },
} as const;

const OPTIMIZER = { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 } as const;
const LEARNING_RATE = 0.1;

/** Training images that RESET estimates statistics on, and that the residual networks' sweeps are evaluated on. */
const RESET_COUNT = 250;

export interface DemoProgress {
  readonly stage: 'train A' | 'train B' | 'match' | 'sweep naive' | 'sweep aligned';
  readonly done: number;
  readonly total: number;
  readonly note: string;
}

export interface Demo {
  /** Everything but what the command adds: version, adapter, time. */
  readonly fields: Omit<DemoResult, 'command' | 'version' | 'adapter' | 'seed' | 'seconds' | 'hash'>;
  /** SHA-256 of options and results. */
  readonly hash: string;
  readonly checkpoints: { readonly a: StateDict; readonly b: StateDict; readonly aligned: StateDict };
  readonly normalisation: Normalisation;
}

/** The sizes that were given: an absent or undefined one leaves the recipe's. */
function given({
  epochs,
  trainCount,
  testCount,
  points,
}: DemoOptions): Partial<Record<keyof typeof RECIPES.mlp, number>> {
  const sizes = Object.entries({ epochs, trainCount, testCount, points });
  return Object.fromEntries(sizes.filter(([, value]) => value !== undefined));
}

function modelOf({ network = 'mlp', hidden = [256, 256, 256] }: DemoOptions): Model {
  if (network === 'mlp') return mlp({ widths: [784, ...hidden, 10] });
  return resnetOfDepth(8, { width: 0.5, input: [1, 28, 28] });
}

/** Runs the demo. */
export async function runDemo(context: Context, options: DemoOptions = {}): Promise<Demo> {
  const { network = 'mlp', seed = 0, signal } = options;
  const { epochs, trainCount, testCount, points, batchSize } = {
    ...RECIPES[network],
    ...given(options),
  };
  const report = (stage: DemoProgress['stage'], done: number, total: number, note = '') =>
    options.onProgress?.({ stage, done, total, note });
  const model = modelOf(options);
  const layout = new ArenaLayout(stateEntries(model));
  const splits = {
    train: digits({ count: trainCount, seed: 0, split: 'train' }),
    test: digits({ count: testCount, seed: 0, split: 'test' }),
  };
  const train = new GpuDataset(context, splits.train, DIGITS_NORMALISATION);
  const test = new GpuDataset(context, splits.test, DIGITS_NORMALISATION);
  const reset =
    network === 'resnet'
      ? new GpuDataset(context, limitDataset(splits.train, RESET_COUNT), DIGITS_NORMALISATION)
      : undefined;
  const [arenaA, arenaB] = [new Arena(context, layout, 'A'), new Arena(context, layout, 'B')];
  const evaluator = new Evaluator(context, model, [arenaA], test);
  try {
    const networks: TrainingFields[] = [];
    const values: Map<string, Float32Array>[] = [];
    for (const [index, stage] of (['train A', 'train B'] as const).entries()) {
      const trained = await fit(context, {
        model,
        data: train,
        optimizer: OPTIMIZER,
        learningRate: LEARNING_RATE,
        schedule: cosineSchedule(),
        batchSize,
        epochs,
        seed: seed + index,
        onProgress: ({ step, steps, loss }) => report(stage, step, steps, `loss ${loss.toFixed(3)}`),
        ...(signal ? { signal } : {}),
      });
      arenaA.write(trained.state);
      const { loss, accuracy } = await evaluator.evaluate({ signal });
      networks.push({
        model: model.name,
        seed: seed + index,
        epochLoss: trained.epochLoss,
        test: { loss, accuracy },
      });
      values.push(trained.state);
    }
    const [a, b] = [values[0]!, values[1]!];
    const match = await matchModels(context, {
      model,
      a,
      b,
      seed,
      onProgress: ({ done, total, note }) => report('match', done, total, note),
      ...(signal ? { signal } : {}),
    });
    report('match', 1, 1, `${match.fields.sweeps} sweeps`);

    const lambda = equallySpaced(points);
    const curves = async (
      stage: DemoProgress['stage'],
      end: Map<string, Float32Array>,
    ): Promise<SweepCurves> => {
      arenaA.write(a);
      arenaB.write(end);
      const onProgress = ({ done, total }: { done: number; total: number }) => report(stage, done, total);
      const swept = await sweep(context, {
        model,
        a: arenaA,
        b: arenaB,
        lambda,
        data: { train: reset ?? train, test },
        renormalise: reset && ((merged) => new BatchNormReset(context, model, merged, reset)),
        onProgress,
        ...(signal ? { signal } : {}),
      });
      return { lambda, train: swept.train!, test: swept.test! };
    };
    const naive = await curves('sweep naive', b);
    const aligned = await curves('sweep aligned', match.aligned);

    const fields = {
      model: model.name,
      data: { name: splits.train.name, train: trainCount, test: testCount },
      networks,
      match: match.fields,
      naive,
      aligned,
    };
    const entries = stateEntries(model);
    return {
      fields,
      hash: hashResult({ network, seed, epochs, batchSize, fields }),
      checkpoints: {
        a: stateDictOf(entries, a),
        b: stateDictOf(entries, b),
        aligned: stateDictOf(entries, match.aligned),
      },
      normalisation: DIGITS_NORMALISATION,
    };
  } finally {
    for (const owned of [evaluator, train, test, arenaA, arenaB, reset]) owned?.destroy();
  }
}
