/** Training by minibatches: the loop that everything else is there for. */
import { DataError, OptionError } from '../../base/errors.ts';
import { RandomStream } from '../../base/random.ts';
import { Arena, ArenaLayout } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { parameterGradients } from '../gradient.ts';
import { type Initialiser, initialiseParameters } from '../initialise.ts';
import { forwardGraph, type Model, stateEntries } from '../models/model.ts';
import { crossEntropy, input, mean } from '../ops/index.ts';
import { compile, type Program } from '../program.ts';
import type { GpuDataset } from './gpu-dataset.ts';
import { Optimizer, type OptimizerOptions } from './optimizer.ts';
import { constantSchedule, type Schedule } from './schedule.ts';

export interface FitProgress {
  /** Counted from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** Steps done since the start. */
  readonly step: number;
  readonly steps: number;
  /** Mean training loss since the last report. */
  readonly loss: number;
  readonly learningRate: number;
}

export interface FitOptions {
  readonly model: Model;
  readonly data: GpuDataset;
  readonly optimizer: OptimizerOptions;
  readonly learningRate: number;
  /** Factor of the learning rate at each step. Default: 1 throughout. */
  readonly schedule?: Schedule;
  readonly epochs: number;
  /** Samples a step; the last batch of an epoch may be smaller. Default: 128. */
  readonly batchSize?: number;
  /** Of the initial values and of the order of samples. */
  readonly seed: number;
  /** Default: `pytorch`. */
  readonly initialiser?: Initialiser;
  /** Called about `reportsPerEpoch` times an epoch, with losses read back then. */
  readonly onProgress?: (progress: FitProgress) => void;
  /** Default: 10. */
  readonly reportsPerEpoch?: number;
  readonly signal?: AbortSignal;
}

export interface FitResult {
  /** Trained parameters and buffers by name. */
  readonly state: Map<string, Float32Array>;
  /** Mean training loss of each epoch, taken while training. */
  readonly epochLoss: readonly number[];
}

/**
 * Trains a model from its initial values.
 * @throws DataError when the loss stops being a finite number; the signal's reason when aborted.
 */
export async function fit(context: Context, options: FitOptions): Promise<FitResult> {
  const { model, data, epochs, seed, learningRate, signal } = options;
  const batchSize = Math.min(options.batchSize ?? 128, data.count);
  if (!Number.isInteger(epochs) || epochs < 1 || !Number.isInteger(batchSize) || batchSize < 1) {
    throw new OptionError(
      `fit: epochs and batchSize must be positive integers, got ${epochs} and ${options.batchSize}`,
    );
  }
  const stepsPerEpoch = Math.ceil(data.count / batchSize);
  const steps = epochs * stepsPerEpoch;
  const reportEvery = Math.max(1, Math.ceil(stepsPerEpoch / (options.reportsPerEpoch ?? 10)));
  const schedule = options.schedule ?? constantSchedule();

  const entries = stateEntries(model);
  const layoutOf = (kind: 'parameter' | 'buffer') =>
    new ArenaLayout(entries.filter((entry) => entry.kind === kind));
  const parameters = new Arena(context, layoutOf('parameter'), 'parameters');
  const gradients = new Arena(context, layoutOf('parameter'), 'gradients');
  const buffers = new Arena(context, layoutOf('buffer'), 'buffers');
  const optimizer = new Optimizer(context, options.optimizer, parameters, gradients);
  const program = compileTraining(context, model, { parameters, gradients, buffers }, batchSize);
  const order = context.tensor([data.count], 'u32', { label: 'order of samples' });
  const losses = context.tensor([stepsPerEpoch], 'f32', { label: 'losses of an epoch' });
  try {
    const initial = initialiseParameters(entries, seed, options.initialiser);
    parameters.write(initial);
    buffers.write(initial);
    const random = new RandomStream(seed, 'order of samples');
    const epochLoss: number[] = [];
    for (let epoch = 1; epoch <= epochs; epoch++) {
      context.write(order, random.derive(epoch).permutation(data.count));
      let reported = 0;
      for (let step = 0; step < stepsPerEpoch; step++) {
        const start = step * batchSize;
        const count = Math.min(batchSize, data.count - start);
        data.fill(program, order, start, count);
        program.run(count);
        const { buffer, offset } = program.output('loss');
        context.recorder.copy(buffer, offset, losses.buffer, 4 * step, 4);
        const done = (epoch - 1) * stepsPerEpoch + step;
        const rate = learningRate * schedule(done, steps);
        optimizer.step(rate);
        await context.throttle();
        signal?.throwIfAborted();
        if (options.onProgress && (step + 1) % reportEvery === 0) {
          const loss = averageFinite((await losses.read()).subarray(reported, step + 1), epoch);
          options.onProgress({ epoch, epochs, step: done + 1, steps, loss, learningRate: rate });
          reported = step + 1;
        }
      }
      epochLoss.push(averageFinite(await losses.read(), epoch));
    }
    return { state: new Map([...(await parameters.read()), ...(await buffers.read())]), epochLoss };
  } finally {
    program.destroy();
    optimizer.destroy();
    for (const owned of [parameters, gradients, buffers, order, losses]) owned.destroy();
  }
}

interface TrainingArenas {
  readonly parameters: Arena;
  readonly gradients: Arena;
  readonly buffers: Arena;
}

function compileTraining(context: Context, model: Model, arenas: TrainingArenas, batchSize: number): Program {
  const { parameters, gradients, buffers } = arenas;
  const { logits, updates } = forwardGraph(model, { training: true });
  const loss = mean(crossEntropy(logits, input('labels', ['N'], 'u32')), 0);
  const stores = [
    ...[...parameterGradients(loss)].map(([name, node]) => [node, gradients.view(name)] as const),
    ...[...updates].map(([name, node]) => [node, buffers.view(name)] as const),
  ];
  return compile(context, { outputs: { loss }, stores, arenas: [parameters, buffers], batchSize });
}

/** Mean of step losses in float64. @throws DataError when one of them is not finite. */
function averageFinite(losses: Float32Array, epoch: number): number {
  let total = 0;
  for (const loss of losses) total += loss;
  if (!Number.isFinite(total)) {
    throw new DataError(`fit: the training loss is ${total} in epoch ${epoch}; use a smaller learning rate`);
  }
  return total / losses.length;
}
