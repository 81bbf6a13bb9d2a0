/**
 * The demo: two networks from different seeds on the built-in digits, matched, and both straight lines between them. The same function
 * runs in Node and in a browser, and gives the same bits there.
 */
import { hashResult } from '../base/hash.ts';
import { DIGITS_NORMALISATION, digits } from '../io/digits.ts';
import { mlp } from '../nn/models/mlp.ts';
import { stateEntries } from '../nn/models/model.ts';
import { type StateDict, stateDictOf } from '../nn/state-dict.ts';
import { Evaluator } from '../nn/train/evaluate.ts';
import { fit } from '../nn/train/fit.ts';
import { GpuDataset, type Normalisation } from '../nn/train/gpu-dataset.ts';
import type { DemoResult, SweepCurves, TrainingFields } from '../report/results.ts';
import { Arena, ArenaLayout } from '../runtime/arena.ts';
import type { Context } from '../runtime/context.ts';
import { equallySpaced } from './barrier.ts';
import { matchModels } from './match.ts';
import { sweep } from './sweep.ts';

export interface DemoOptions {
  /** The two networks have this seed and the next. Default: 0. */
  readonly seed?: number;
  /** Widths of the hidden layers. Default: 128, 128, 128. */
  readonly hidden?: readonly number[];
  /** Default: 6. */
  readonly epochs?: number;
  /** Images to train on. Default: 8000. */
  readonly trainCount?: number;
  /** Default: 2000. */
  readonly testCount?: number;
  /** Points of lambda. Default: 25. */
  readonly points?: number;
  readonly onProgress?: (progress: DemoProgress) => void;
  readonly signal?: AbortSignal;
}

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

/** Runs the demo. */
export async function runDemo(context: Context, options: DemoOptions = {}): Promise<Demo> {
  const {
    seed = 0,
    hidden = [128, 128, 128],
    epochs = 6,
    trainCount = 8000,
    testCount = 2000,
    points = 25,
    signal,
  } = options;
  const report = (stage: DemoProgress['stage'], done: number, total: number, note = '') =>
    options.onProgress?.({ stage, done, total, note });
  const model = mlp({ widths: [784, ...hidden, 10] });
  const layout = new ArenaLayout(stateEntries(model));
  const splits = {
    train: digits({ count: trainCount, seed: 0, split: 'train' }),
    test: digits({ count: testCount, seed: 0, split: 'test' }),
  };
  const train = new GpuDataset(context, splits.train, DIGITS_NORMALISATION);
  const test = new GpuDataset(context, splits.test, DIGITS_NORMALISATION);
  const [arenaA, arenaB] = [new Arena(context, layout, 'A'), new Arena(context, layout, 'B')];
  const evaluator = new Evaluator(context, model, [arenaA], test);
  try {
    const networks: TrainingFields[] = [];
    const values: Map<string, Float32Array>[] = [];
    for (const [index, stage] of (['train A', 'train B'] as const).entries()) {
      const trained = await fit(context, {
        model,
        data: train,
        optimizer: { type: 'adam' },
        learningRate: 1e-3,
        epochs,
        seed: seed + index,
        onProgress: ({ step, steps, loss }) => report(stage, step, steps, `loss ${loss.toFixed(3)}`),
        ...(signal ? { signal } : {}),
      });
      arenaA.write(trained.state);
      const { loss, accuracy } = await evaluator.evaluate(signal);
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
      onProgress: ({ sweep, maxSweeps, objective }) =>
        report('match', sweep, maxSweeps, `objective ${objective.toFixed(2)}`),
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
        data: { train, test },
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
      hash: hashResult({ seed, hidden, epochs, points, fields }),
      checkpoints: {
        a: stateDictOf(entries, a),
        b: stateDictOf(entries, b),
        aligned: stateDictOf(entries, match.aligned),
      },
      normalisation: DIGITS_NORMALISATION,
    };
  } finally {
    for (const owned of [evaluator, train, test, arenaA, arenaB]) owned.destroy();
  }
}
