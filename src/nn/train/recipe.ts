/** How a network is trained, as plain data: what a command line says, a study declares, and a result hashes. */
import type { Augmentation } from '../../kernels/augment/gather-augmented.ts';
import type { Initialiser } from '../initialise.ts';
import type { FitOptions } from './fit.ts';
import type { OptimizerOptions } from './optimizer.ts';
import {
  constantSchedule,
  cosineSchedule,
  linearSchedule,
  type Schedule,
  stepSchedule,
  warmupSchedule,
} from './schedule.ts';
import type { SelfPacing } from './self-paced.ts';

/** Learning-rate schedules by name. `cosine` and `linear` fall to 0; `step` divides by 10 at half and at three quarters. */
export const SCHEDULES = ['constant', 'cosine', 'linear', 'step'] as const;

export interface Recipe {
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimizer: OptimizerOptions['type'];
  readonly learningRate: number;
  /** Of sgd. */
  readonly momentum: number;
  readonly weightDecay: number;
  readonly schedule: (typeof SCHEDULES)[number];
  /** Of a linear warm-up before the schedule. */
  readonly warmupSteps: number;
  readonly initialiser: Initialiser;
  readonly accumulate: number;
  readonly labelSmoothing: number;
  readonly augment: Augmentation | null;
  /** Left out where every sample counts alike. */
  readonly selfPaced?: SelfPacing;
}

/** Adam, rate 0.001 that falls by half a cosine over 5 epochs of batches of 128; nothing else. */
export const DEFAULT_RECIPE: Recipe = {
  epochs: 5,
  batchSize: 128,
  optimizer: 'adam',
  learningRate: 1e-3,
  momentum: 0.9,
  weightDecay: 0,
  schedule: 'cosine',
  warmupSteps: 0,
  initialiser: 'pytorch',
  accumulate: 1,
  labelSmoothing: 0,
  augment: null,
};

/** What `fit` takes for a recipe. */
export function fitOptionsOf(recipe: Recipe) {
  const { epochs, batchSize, learningRate, initialiser, accumulate, labelSmoothing, augment, selfPaced } =
    recipe;
  return {
    ...{ epochs, batchSize, learningRate, initialiser, accumulate, labelSmoothing },
    optimizer: optimizerOf(recipe),
    schedule: scheduleOf(recipe),
    ...(augment ? { augmentation: augment } : {}),
    ...(selfPaced ? { selfPaced } : {}),
  } satisfies Partial<FitOptions>;
}

function optimizerOf({ optimizer, momentum, weightDecay }: Recipe): OptimizerOptions {
  return optimizer === 'sgd' ? { type: 'sgd', momentum, weightDecay } : { type: optimizer, weightDecay };
}

function scheduleOf({ schedule, warmupSteps }: Recipe): Schedule {
  const base = {
    constant: constantSchedule,
    cosine: cosineSchedule,
    linear: linearSchedule,
    step: () => stepSchedule([0.5, 0.75]),
  }[schedule]();
  return warmupSteps > 0 ? warmupSchedule(warmupSteps, base) : base;
}
