/**
 * The demo: two networks from different seeds, trained side by side, matched, and both straight lines between them. The same function
 * runs in Node and in a browser, and gives the same bits there.
 */
import { hashResult } from '../base/hash.ts';
import { concatDatasets } from '../io/dataset.ts';
import { randomParts } from '../io/split.ts';
import { stateEntries } from '../nn/models/model.ts';
import { type StateDict, stateDictOf } from '../nn/state-dict.ts';
import { Evaluator } from '../nn/train/evaluate.ts';
import { fit } from '../nn/train/fit.ts';
import { GpuDataset, type Normalisation } from '../nn/train/gpu-dataset.ts';
import { cosineSchedule } from '../nn/train/schedule.ts';
import type { DemoResult, MatchFields, SweepCurves, TrainingFields } from '../report/results.ts';
import { Arena, ArenaLayout, type HostTensors } from '../runtime/arena.ts';
import type { Context } from '../runtime/context.ts';
import { type DemoChoices, type DemoPlan, planDemo } from './demo-options.ts';
import { equallySpaced } from './interpolation/barrier.ts';
import { sweep } from './interpolation/sweep.ts';
import { matchModels, type StraightThroughSettings } from './matching/match.ts';
import { uploadEndpoints } from './renormalise/endpoints.ts';
import { hasBatchNorm } from './renormalise/layers.ts';
import type { Permutations } from './spec/axis-index.ts';

export interface DemoOptions extends DemoChoices {
  /**
   * Networks of an earlier demo that differs in nothing that they were trained by: they are not trained again. Default: they are trained.
   */
  readonly trained?: DemoNetworks | undefined;
  /** Called as the work goes on. Default: nobody is told. */
  readonly onProgress?: (progress: DemoProgress) => void;
  /** Called as parts of the result are there. */
  readonly onPart?: (part: DemoPart) => void;
  /** Stops the work: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

const OPTIMIZER = { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 } as const;

/** The two networks are trained side by side: their stages take turns. */
export interface DemoProgress {
  /** What is under way. */
  readonly stage: 'train A' | 'train B' | 'match' | 'sweep naive' | 'sweep aligned';
  /** Parts done. */
  readonly done: number;
  /** Parts there are. */
  readonly total: number;
  /** A word on how it goes. */
  readonly note: string;
  /** While training: mean loss of the steps since the last report. */
  readonly loss?: number;
  /** Of weight matching, after this sweep: the objective, and the permutations, whose arrays are never written to. */
  readonly objective?: number;
  /** While matching: those found so far. */
  readonly permutations?: Permutations;
}

/** A part of the result. */
export type DemoPart =
  | { readonly part: 'networks'; readonly networks: readonly TrainingFields[] }
  | { readonly part: 'match'; readonly match: MatchFields }
  | { readonly part: 'naive' | 'aligned'; readonly curves: SweepCurves };

/** The two networks, trained. */
export interface DemoNetworks {
  /** What results say of them. */
  readonly fields: readonly [TrainingFields, TrainingFields];
  /** f32 by name, every entry of the model. */
  readonly values: readonly [HostTensors, HostTensors];
}

/** What the demo leaves. */
export interface Demo {
  /** Everything but what the command adds: version, adapter, time. */
  readonly fields: Omit<DemoResult, 'command' | 'version' | 'adapter' | 'seed' | 'seconds' | 'hash'>;
  /** SHA-256 of options and results. */
  readonly hash: string;
  /** A, B, and B with its units permuted: f32 by name; fresh arrays, the caller's. */
  readonly checkpoints: { readonly a: StateDict; readonly b: StateDict; readonly aligned: StateDict };
  /** Of the images. */
  readonly normalisation: Normalisation;
  /** For another demo that differs in matching or correction alone. */
  readonly trained: DemoNetworks;
  /** Every choice made, with the images. */
  readonly plan: DemoPlan;
}

/**
 * Runs the demo.
 * @throws OptionError, ShapeError or UnsupportedError where choices do not fit each other, before any work; DataError when training
 * diverges; the signal's reason when aborted.
 */
export async function runDemo(context: Context, options: DemoOptions = {}): Promise<Demo> {
  const plan = planDemo(options);
  const { model, seeds, images, method, renormalise } = plan;
  const { signal, onPart } = options;
  const report = (stage: DemoProgress['stage'], progress: Omit<DemoProgress, 'stage'>) =>
    options.onProgress?.({ stage, ...progress });
  const owned: { destroy(): void }[] = [];
  const own = <T extends { destroy(): void }>(made: T): T => {
    owned.push(made);
    return made;
  };
  const upload = (images: DemoPlan['statistics']) =>
    own(new GpuDataset(context, images, plan.images.normalisation));
  try {
    const train = upload(images.train);
    const test = upload(images.test);
    const statistics = plan.statistics === images.train ? train : upload(plan.statistics);
    const trained = options.trained ?? (await trainBoth(context, plan, train, test, options));
    const [a, b] = trained.values;
    onPart?.({ part: 'networks', networks: trained.fields });

    const match = await matchModels(context, {
      ...{ model, a, b, method, seed: seeds[0], statistics, signal },
      ...(method === 'straight-through'
        ? { straightThrough: straightThrough(plan, statistics, upload) }
        : {}),
      onProgress: (progress) => report('match', progress),
    });
    const { sweeps } = match.fields;
    report('match', { done: 1, total: 1, note: sweeps === undefined ? '' : `${sweeps} sweeps` });
    onPart?.({ part: 'match', match: match.fields });

    const lambda = equallySpaced(plan.points);
    const curves = async (name: 'naive' | 'aligned', end: HostTensors): Promise<SweepCurves> => {
      const ends = uploadEndpoints(context, { model, networks: [a, end], renormalise, data: statistics });
      try {
        const swept = await sweep(context, {
          ...{ model: ends.model, a: ends.arenas[0]!, b: ends.arenas[1]!, lambda },
          data: { train: statistics, test },
          renormalise: ends.renormalise,
          onProgress: ({ done, total }) => report(`sweep ${name}`, { done, total, note: '' }),
          ...(signal ? { signal } : {}),
        });
        const found = { lambda, train: swept.train!, test: swept.test! };
        onPart?.({ part: name, curves: found });
        return found;
      } finally {
        ends.destroy();
      }
    };
    const naive = await curves('naive', b);
    const aligned = await curves('aligned', match.aligned);

    const fields = {
      model: model.name,
      data: { name: images.train.name, train: images.train.count, test: images.test.count },
      networks: trained.fields,
      match: match.fields,
      naive,
      aligned,
    };
    const entries = stateEntries(model);
    // Built-in images follow from their name and number.
    const digests = typeof options.data === 'object' ? { data: [train.digest, test.digest] } : {};
    // Left out where it is f32: what was recorded before there were other classes keeps its hash.
    const numerics = context.numerics === 'f32' ? {} : { numerics: context.numerics };
    return {
      fields,
      hash: hashResult({ ...plan.hashed, ...digests, ...numerics, fields }),
      checkpoints: {
        a: stateDictOf(entries, a),
        b: stateDictOf(entries, b),
        aligned: stateDictOf(entries, match.aligned),
      },
      normalisation: images.normalisation,
      trained,
      plan,
    };
  } finally {
    for (const made of owned) made.destroy();
  }
}

/** Trains both networks side by side, and evaluates them. One's bits do not depend on the other. */
async function trainBoth(
  context: Context,
  plan: DemoPlan,
  train: GpuDataset,
  test: GpuDataset,
  { onProgress, signal }: DemoOptions,
): Promise<DemoNetworks> {
  const { model, epochs, batchSize, learningRate } = plan;
  // Where one network fails, the other stops too.
  const failed = new AbortController();
  const either = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const fits = plan.seeds.map((seed, index) =>
    fit(context, {
      ...{ model, data: train, optimizer: OPTIMIZER, learningRate, batchSize, epochs, seed },
      schedule: cosineSchedule(),
      onProgress: ({ step, steps, loss }) => {
        const stage = index === 0 ? 'train A' : 'train B';
        onProgress?.({ stage, done: step, total: steps, note: `loss ${loss.toFixed(3)}`, loss });
      },
      signal: either,
    }).catch((error: unknown) => {
      if (!failed.signal.aborted) failed.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(fits);
  failed.signal.throwIfAborted();
  const [first, second] = (await Promise.all(fits)) as [Awaited<(typeof fits)[0]>, Awaited<(typeof fits)[0]>];

  const arena = new Arena(context, new ArenaLayout(stateEntries(model)));
  let evaluator: Evaluator | undefined;
  try {
    evaluator = new Evaluator(context, model, [arena], test);
    const evaluate = async ({ state, epochLoss }: typeof first, seed: number): Promise<TrainingFields> => {
      arena.write(state);
      const { loss, accuracy } = await evaluator!.evaluate({ signal });
      return { model: model.name, seed, epochLoss, test: { loss, accuracy } };
    };
    const fields = [await evaluate(first, plan.seeds[0]), await evaluate(second, plan.seeds[1])] as const;
    return { fields, values: [first.state, second.state] };
  } finally {
    evaluator?.destroy();
    arena.destroy();
  }
}

/** Straight-through matching trains on four fifths of the training images and compares its candidates on the last. */
function straightThrough(
  { images, model, seeds, steps, stepRate }: DemoPlan,
  statistics: GpuDataset,
  upload: (images: DemoPlan['statistics']) => GpuDataset,
): StraightThroughSettings {
  const [chosenOn, ...rest] = randomParts(images.train, 5, seeds[0]);
  return {
    data: upload(concatDatasets(rest)),
    evaluation: upload(chosenOn!),
    reset: hasBatchNorm(model) ? statistics : undefined,
    ...{ steps, learningRate: stepRate },
  };
}
