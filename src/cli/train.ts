/** `rebasin train`: trains a model from a seed and writes its checkpoint. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { DataError, OptionError } from '../base/errors.ts';
import { completeResult } from '../commands/complete-result.ts';
import { expectWritable, readBytes, writeBytes } from '../io/node-files.ts';
import type { Augmentation } from '../kernels/augment/gather-augmented.ts';
import { checkpointMetadata } from '../nn/checkpoint-metadata.ts';
import { stateEntries } from '../nn/models/model.ts';
import { parseModel } from '../nn/models/parse-model.ts';
import { stateDictOf, writeStateDict } from '../nn/state-dict.ts';
import { Evaluator } from '../nn/train/evaluate.ts';
import { fit } from '../nn/train/fit.ts';
import { checkDatasetFits, GpuDataset } from '../nn/train/gpu-dataset.ts';
import { DEFAULT_RECIPE, fitOptionsOf, type Recipe, SCHEDULES } from '../nn/train/recipe.ts';
import { readTrainingState, type TrainingState, writeTrainingState } from '../nn/train/training-state.ts';
import type { TrainResult } from '../report/results.ts';
import { Arena, ArenaLayout } from '../runtime/arena.ts';
import { describeData, loadData, type SplitOptionValues, splitOf, withSplitOptions } from './data.ts';
import { MetricsFile } from './metrics.ts';
import {
  type AdapterOptionValues,
  type DataOptionValues,
  nonNegative,
  positiveInteger,
  positiveNumber,
  unitInterval,
  wholeNumber,
  withAdapterOptions,
  withDataOptions,
  withSeedOption,
} from './options.ts';
import { formatAccuracy, formatLoss, printResult } from './output.ts';
import { startProgress } from './progress.ts';
import {
  describePace,
  type SelfPacedOptionValues,
  selfPacingOf,
  withSelfPacedOptions,
} from './self-paced-options.ts';
import { interruptSignal, withContext } from './session.ts';

interface TrainOptions
  extends AdapterOptionValues,
    DataOptionValues,
    SplitOptionValues,
    SelfPacedOptionValues,
    Omit<Recipe, 'augment' | 'selfPaced'> {
  readonly model: string;
  readonly seed: number;
  readonly augment?: Augmentation;
  readonly out?: string;
  readonly checkpointEvery?: number;
  readonly resume?: boolean;
  readonly metrics?: string;
}

export function registerTrain(program: Command): void {
  const command = program
    .command('train')
    .description('Train a model from a seed; write its checkpoint.')
    .requiredOption('--model <name>', 'such as mlp:784-512-512-512-10 or mlp:784-64-10:tanh:no-bias')
    .option('--epochs <n>', 'passes over the training images', positiveInteger, DEFAULT_RECIPE.epochs)
    .option('--batch-size <n>', 'images a step', positiveInteger, DEFAULT_RECIPE.batchSize)
    .addOption(
      new Option('--optimizer <name>', 'optimizer')
        .choices(['sgd', 'adam', 'adamw'])
        .default(DEFAULT_RECIPE.optimizer),
    )
    .option('--learning-rate <x>', 'base learning rate', positiveNumber, DEFAULT_RECIPE.learningRate)
    .option('--momentum <x>', 'of sgd', nonNegative, DEFAULT_RECIPE.momentum)
    .option('--weight-decay <x>', 'weight decay', nonNegative, DEFAULT_RECIPE.weightDecay)
    .addOption(
      new Option(
        '--schedule <name>',
        'learning-rate schedule: cosine and linear fall to 0, step divides by 10 at 1/2 and 3/4',
      )
        .choices([...SCHEDULES])
        .default(DEFAULT_RECIPE.schedule),
    )
    .option(
      '--label-smoothing <x>',
      'share of a label spread over all classes, 0 to 1',
      unitInterval,
      DEFAULT_RECIPE.labelSmoothing,
    )
    .option(
      '--warmup-steps <n>',
      'linear warm-up before the schedule',
      wholeNumber,
      DEFAULT_RECIPE.warmupSteps,
    )
    .addOption(
      new Option('--initialiser <name>', 'initial weights')
        .choices(['pytorch', 'kaiming', 'lecun'])
        .default(DEFAULT_RECIPE.initialiser),
    )
    .option(
      '--augment <list>',
      'of flip, crop=PIXELS, translate=PIXELS, cutout=SIDE, separated by commas',
      augmentation,
    )
    .option(
      '--accumulate <n>',
      'compute each batch in so many parts, for batches larger than memory',
      positiveInteger,
      DEFAULT_RECIPE.accumulate,
    )
    .option('--out <file>', 'where to write the checkpoint (.safetensors)')
    .option('--checkpoint-every <steps>', 'keep FILE.training beside --out, to resume from', positiveInteger)
    .option('--resume', 'go on from FILE.training where it is there; the result has the same bits')
    .option('--metrics <file>', 'write losses as JSON lines');
  withSelfPacedOptions(command);
  withSeedOption(withAdapterOptions(withSplitOptions(withDataOptions(command)))).action(runTrain);
}

async function runTrain(options: TrainOptions): Promise<void> {
  const started = performance.now();
  const model = parseModel(options.model);
  const recipe = recipeOf(options);
  const { train: whole, test, normalisation } = await loadData(options);
  const train = splitOf(whole, options);
  checkDatasetFits(model, train);
  checkDatasetFits(model, test);
  if ((options.checkpointEvery || options.resume) && !options.out) {
    throw new OptionError(
      '--checkpoint-every and --resume need --out, beside which the training state is kept',
    );
  }
  for (const path of [options.out, options.metrics]) if (path) await expectWritable(path);
  const signal = interruptSignal();
  await withContext(options, async (context) => {
    const [trainSet, testSet] = [
      new GpuDataset(context, train, normalisation),
      new GpuDataset(context, test, normalisation),
    ];
    const { seed } = options;
    const { epochs, batchSize } = recipe;
    const steps = epochs * Math.ceil(train.count / Math.min(batchSize, train.count));
    const saved = options.out === undefined ? undefined : `${options.out}.training`;
    const resume =
      options.resume && saved && existsSync(saved)
        ? readTrainingState(await readBytes(saved), saved)
        : undefined;
    const metrics = new MetricsFile(options.metrics, resume?.step ?? 0);
    const progress = startProgress(`train seed ${seed}`, steps);
    const { state, epochLoss, selfPaced } = await fit(context, {
      model,
      data: trainSet,
      ...fitOptionsOf(recipe),
      seed,
      signal,
      onProgress: (report) => {
        const { step, epoch, loss, pace } = report;
        progress.update(step, `epoch ${epoch}/${epochs}  loss ${loss.toFixed(4)}${describePace(pace)}`);
        metrics.add(report);
      },
      ...(resume ? { resume } : {}),
      ...(options.checkpointEvery && saved
        ? {
            checkpoint: {
              everySteps: options.checkpointEvery,
              save: (trainingState: TrainingState) => writeBytes(saved, writeTrainingState(trainingState)),
            },
          }
        : {}),
    }).finally(() => progress.stop());

    const arena = new Arena(context, new ArenaLayout(stateEntries(model)));
    arena.write(state);
    const evaluate = async (data: GpuDataset) =>
      await new Evaluator(context, model, [arena], data).evaluate({ signal });
    const fields = {
      model: model.name,
      epochLoss,
      ...(selfPaced ? { selfPaced: selfPaced.epochs } : {}),
      train: await evaluate(trainSet),
      test: await evaluate(testSet),
    };
    if (!Number.isFinite(fields.train.loss + fields.test.loss)) {
      throw new DataError(
        `train: the loss ended at ${fields.train.loss}: training diverged; use a smaller learning rate`,
      );
    }
    if (options.out) {
      const metadata = checkpointMetadata(model, normalisation, context.numerics);
      const checkpoint = stateDictOf(stateEntries(model), state, metadata);
      await writeBytes(options.out, writeStateDict(checkpoint));
      await rm(`${options.out}.training`, { force: true });
    }
    const inputs = { recipe, train: trainSet.digest, test: testSet.digest };
    const result: TrainResult = {
      ...completeResult(context, 'train', seed, started, inputs, fields),
      ...(options.out ? { checkpoint: options.out } : {}),
    };
    printResult(options.json, result, [
      `model     ${model.name}, seed ${seed}`,
      `data      ${describeData(train, normalisation)}`,
      ...epochLoss.map(
        (loss, epoch) =>
          `epoch ${String(epoch + 1).padStart(3)} training loss ${formatLoss(loss)}${describePace(selfPaced?.epochs[epoch])}`,
      ),
      `train     loss ${formatLoss(fields.train.loss)}  accuracy ${formatAccuracy(fields.train.accuracy)}`,
      `test      loss ${formatLoss(fields.test.loss)}  accuracy ${formatAccuracy(fields.test.accuracy)}`,
      `seconds   ${result.seconds}`,
      ...(options.out ? [`written   ${options.out}`] : []),
    ]);
  });
}

function recipeOf(options: TrainOptions): Recipe {
  const { epochs, batchSize, optimizer, learningRate, momentum, weightDecay } = options;
  const { schedule, warmupSteps, initialiser, accumulate, labelSmoothing, augment = null } = options;
  return {
    ...{ epochs, batchSize, optimizer, learningRate, momentum, weightDecay },
    ...{ schedule, warmupSteps, initialiser, accumulate, labelSmoothing, augment },
    ...selfPacingOf(options),
  };
}

/** `flip,crop=4`: the parts of an augmentation. */
function augmentation(text: string): Augmentation {
  const parts: Record<string, boolean | number> = {};
  for (const part of text.split(',')) {
    const [name = '', size] = part.split('=');
    if (name === 'flip' && size === undefined) parts[name] = true;
    else if (['crop', 'translate', 'cutout'].includes(name) && size) parts[name] = positiveInteger(size);
    else
      throw new InvalidArgumentError(
        `"${part}" is not one of flip, crop=PIXELS, translate=PIXELS, cutout=SIDE`,
      );
  }
  return parts;
}
