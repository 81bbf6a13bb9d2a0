/** Training by minibatches: the loop that everything else is there for. */
import { DataError, OptionError } from '../../base/errors.ts';
import { hashResult } from '../../base/hash.ts';
import { RandomStream } from '../../base/random.ts';
import { assertFinite } from '../../io/safetensors.ts';
import { type Augmentation, augmentationStream } from '../../kernels/augment/gather-augmented.ts';
import type { Arena, HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { type Initialiser, initialiseParameters } from '../initialise.ts';
import { type Model, stateEntries } from '../models/model.ts';
import type { GpuDataset } from './gpu-dataset.ts';
import type { OptimizerOptions } from './optimizer.ts';
import { constantSchedule, type Schedule } from './schedule.ts';
import { type EpochPace, SamplePacer, type SelfPacedResult, type SelfPacing } from './self-paced.ts';
import { Trainer } from './trainer.ts';
import type { TrainingState } from './training-state.ts';

/** How far training is. */
export interface FitProgress {
  /** Counted from 1. */
  readonly epoch: number;
  /** How many there will be. */
  readonly epochs: number;
  /** Steps done since the start. */
  readonly step: number;
  /** How many there will be. */
  readonly steps: number;
  /** Mean training loss since the last report. */
  readonly loss: number;
  /** Of the last step. */
  readonly learningRate: number;
  /** Of self-paced training: the weights of this epoch. */
  readonly pace?: EpochPace;
}

/** Of `fit`. */
export interface FitOptions {
  /** The architecture. */
  readonly model: Model;
  /** What to train on; stays the caller's. */
  readonly data: GpuDataset;
  /** Its kind and constants. */
  readonly optimizer: OptimizerOptions;
  /** Before `schedule`; not negative. */
  readonly learningRate: number;
  /** Factor of the learning rate at each step. Default: 1 throughout. */
  readonly schedule?: Schedule;
  /** Times that every sample is seen, a positive integer. */
  readonly epochs: number;
  /** Samples a step; the last batch of an epoch may be smaller. Default: 128. */
  readonly batchSize?: number;
  /** Parts that each batch is computed in, for batches larger than memory. Default: 1. */
  readonly accumulate?: number;
  /** Share of a label's probability that is spread over all classes, 0 to 1; the losses told are of these. Default: 0. */
  readonly labelSmoothing?: number;
  /** What happens to the images of each epoch. Default: nothing. */
  readonly augmentation?: Augmentation;
  /** Weighs each sample by its own loss of the epoch before (self-paced.ts). Default: every sample counts alike. */
  readonly selfPaced?: SelfPacing;
  /** Of the initial values, the order of samples and the augmentation. */
  readonly seed: number;
  /** Default: `pytorch`. */
  readonly initialiser?: Initialiser;
  /** f32 by name, every entry of the model: values to start from, in place of those that the seed would give. */
  readonly initial?: HostTensors;
  /** Called about `reportsPerEpoch` times an epoch, with losses read back then. */
  readonly onProgress?: (progress: FitProgress) => void;
  /** Default: 10. */
  readonly reportsPerEpoch?: number;
  /**
   * Looks at the network after every so many steps, on the GPU; the next step waits for it. The arenas, of the parameters and of the
   * buffers, are the same each time and to be read only: looking does not change the trained bits.
   */
  readonly observe?: {
    readonly everySteps: number;
    /** Looks at the arenas, on the GPU; awaited. */
    look(arenas: readonly Arena[], step: number): Promise<void>;
  };
  /** Called with the state every so many steps; the next step waits until it has been saved. */
  readonly checkpoint?: {
    readonly everySteps: number;
    /** Keeps a state; awaited. */
    save(state: TrainingState): Promise<void>;
  };
  /** A state to go on from, made by `checkpoint` under the same options; the result has the same bits as an unbroken run. */
  readonly resume?: TrainingState;
  /** Looked at at each step: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal;
}

/** What training left. */
export interface FitResult {
  /** Trained parameters and buffers by name. */
  readonly state: Map<string, Float32Array>;
  /** Mean training loss of each epoch over its samples, each counted alike, taken while training. */
  readonly epochLoss: readonly number[];
  /** Of self-paced training. */
  readonly selfPaced?: SelfPacedResult;
}

/**
 * Trains a model from its initial values.
 * @throws OptionError for options out of range or a state of another recipe; DataError when the loss stops being a finite number; the
 * signal's reason when aborted.
 */
export async function fit(context: Context, options: FitOptions): Promise<FitResult> {
  const { model, data, epochs, seed, resume, signal } = options;
  const { accumulate = 1, labelSmoothing, schedule = constantSchedule() } = options;
  const batchSize = Math.min(options.batchSize ?? 128, data.count);
  for (const [name, value] of Object.entries({ epochs, batchSize, accumulate })) {
    if (!Number.isInteger(value) || value < 1)
      throw new OptionError(`fit: ${name} must be a positive integer, got ${value}`);
  }
  const stepsPerEpoch = Math.ceil(data.count / batchSize);
  const steps = epochs * stepsPerEpoch;
  const reportEvery = Math.max(1, Math.ceil(stepsPerEpoch / (options.reportsPerEpoch ?? 10)));
  // Hashes the data, so only where a state is written or read.
  const pacer = options.selfPaced && new SamplePacer(options.selfPaced, epochs);
  const recipe = options.checkpoint || resume ? recipeOf(context, options, batchSize, steps, pacer) : '';
  if (resume && resume.recipe !== recipe) {
    throw new OptionError(
      'fit: the state to resume was made with other options or data; give the same, or start anew',
    );
  }

  const trainer = new Trainer(context, {
    model,
    optimizer: options.optimizer,
    batchSize,
    accumulate,
    labelSmoothing,
    weighted: pacer !== undefined,
  });
  const order = context.tensor([data.count], 'u32', { label: 'order of samples' });
  const losses = context.tensor([data.count], 'f32', { label: 'losses of an epoch' });
  const weights = pacer && context.tensor([data.count], 'f32', { label: 'weights of samples' });
  const lossesOf = async (from: number, to: number) => {
    const view = { buffer: losses.buffer, offset: 4 * from, shape: [to - from], dtype: 'f32' as const };
    return await context.read(view);
  };
  try {
    if (resume) trainer.load(resume.values, resume.optimizer, resume.step);
    else {
      trainer.load(options.initial ?? initialiseParameters(stateEntries(model), seed, options.initialiser));
    }
    if (resume) context.write(losses, resume.losses);
    if (pacer && resume?.selfPaced) pacer.state = resume.selfPaced;
    let permutation = new Uint32Array(0);
    const random = new RandomStream(seed, 'order of samples');
    const epochLoss = [...(resume?.epochLoss ?? [])];
    for (let done = resume?.step ?? 0; done < steps; done++) {
      const [epoch, step] = [Math.floor(done / stepsPerEpoch) + 1, done % stepsPerEpoch];
      if (step === 0 || done === resume?.step) {
        permutation = random.derive(epoch).permutation(data.count);
        context.write(order, permutation);
        if (pacer && weights) {
          const bySample = pacer.begin(epoch, data.count);
          context.write(
            weights,
            Float32Array.from(permutation, (sample) => bySample[sample]!),
          );
        }
      }
      const start = step * batchSize;
      const end = Math.min(start + batchSize, data.count);
      const learningRate = options.learningRate * schedule(done, steps);
      const augment = options.augmentation && {
        augmentation: options.augmentation,
        stream: augmentationStream(seed, epoch),
      };
      trainer.step({ data, order, start, count: end - start, learningRate, losses, weights, augment });
      await context.throttle();
      signal?.throwIfAborted();
      if (options.onProgress && (step + 1) % reportEvery === 0) {
        const loss = averageFinite(await lossesOf((step + 1 - reportEvery) * batchSize, end), epoch);
        const pace = pacer && { pace: pacer.pace };
        options.onProgress({ epoch, epochs, step: done + 1, steps, loss, learningRate, ...pace });
      }
      if (step + 1 === stepsPerEpoch) {
        const ofEpoch = await lossesOf(0, data.count);
        epochLoss.push(averageFinite(ofEpoch, epoch));
        pacer?.finish(ofEpoch, permutation);
      }
      if (options.observe && (done + 1) % options.observe.everySteps === 0) {
        await options.observe.look(trainer.arenas, done + 1);
      }
      if (options.checkpoint && (done + 1) % options.checkpoint.everySteps === 0) {
        const [values, optimizer] = [await trainer.values(), await trainer.optimizerState()];
        const inEpoch = await lossesOf(0, step + 1 === stepsPerEpoch ? 0 : end);
        await options.checkpoint.save({
          step: done + 1,
          values,
          optimizer,
          losses: inEpoch,
          epochLoss: [...epochLoss],
          recipe,
          ...(pacer ? { selfPaced: pacer.state } : {}),
        });
      }
    }
    const state = await trainer.values();
    // The losses were those before each step: the last step may have been the one too many.
    for (const [name, values] of state) assertFinite(`fit: trained ${name}`, values);
    return { state, epochLoss, ...(pacer ? { selfPaced: pacer.result } : {}) };
  } finally {
    trainer.destroy();
    order.destroy();
    losses.destroy();
    weights?.destroy();
  }
}

/** What decides the result, as a hash: the schedule by its values. */
function recipeOf(
  context: Context,
  options: FitOptions,
  batchSize: number,
  steps: number,
  pacer: SamplePacer | undefined,
): string {
  const { model, data, optimizer, learningRate, accumulate = 1, seed, initialiser = 'pytorch' } = options;
  const schedule = options.schedule ?? constantSchedule();
  return hashResult({
    model: model.name,
    data: data.digest,
    optimizer,
    rates: Float64Array.from({ length: steps }, (_, step) => learningRate * schedule(step, steps)),
    batchSize,
    accumulate,
    seed,
    initialiser,
    augmentation: options.augmentation ?? null,
    ...(options.initial ? { initial: [...options.initial] } : {}),
    ...(options.labelSmoothing ? { labelSmoothing: options.labelSmoothing } : {}),
    ...(pacer ? { selfPaced: pacer.settings } : {}),
    ...(context.numerics === 'f32' ? {} : { numerics: context.numerics }),
  });
}

/** Mean in float64. @throws DataError when a loss is not finite. */
function averageFinite(losses: Float32Array, epoch: number): number {
  let total = 0;
  for (const loss of losses) total += loss;
  if (!Number.isFinite(total)) {
    throw new DataError(`fit: the training loss is ${total} in epoch ${epoch}; use a smaller learning rate`);
  }
  return total / losses.length;
}
