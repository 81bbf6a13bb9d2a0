/** `rebasin eval`: loss and accuracy of a checkpoint. */
import { type Command, Option } from 'commander';
import { DataError, OptionError } from '../base/errors.ts';
import { modelOfCheckpoint, normalisationOfCheckpoint } from '../commands/checkpoint.ts';
import { completeResult } from '../commands/complete-result.ts';
import { stateEntries } from '../nn/models/model.ts';
import { valuesOf } from '../nn/state-dict.ts';
import { Evaluator } from '../nn/train/evaluate.ts';
import { checkDatasetFits, GpuDataset } from '../nn/train/gpu-dataset.ts';
import { Arena, ArenaLayout } from '../runtime/arena.ts';
import { readCheckpoint } from './checkpoint.ts';
import { describeData, loadData } from './data.ts';
import {
  type AdapterOptionValues,
  type DataOptionValues,
  positiveInteger,
  withAdapterOptions,
  withDataOptions,
  withSeedOption,
} from './options.ts';
import { formatAccuracy, formatLoss, printResult } from './output.ts';
import { startProgress } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface EvalOptions extends AdapterOptionValues, DataOptionValues {
  readonly model?: string;
  readonly logits?: number;
  readonly split: 'train' | 'test';
  readonly seed: number;
}

export function registerEval(program: Command): void {
  const command = program
    .command('eval')
    .description('Loss and accuracy of a checkpoint on the test (or training) images.')
    .argument('<checkpoint>', 'a checkpoint (.safetensors, .pt, .pth or .npz)')
    .option('--model <name>', 'what the checkpoint does not say, such as mlp:tanh')
    .addOption(new Option('--split <split>', 'which images').choices(['train', 'test']).default('test'))
    .option('--logits <n>', 'also print the logits of the first n images, at most 500', positiveInteger);
  withSeedOption(withAdapterOptions(withDataOptions(command))).action(
    async (path: string, options: EvalOptions) => {
      const started = performance.now();
      const checkpoint = await readCheckpoint(path);
      const model = modelOfCheckpoint(checkpoint, options.model);
      const { normalisation, ...data } = await loadData(options, normalisationOfCheckpoint(checkpoint));
      const images = data[options.split];
      checkDatasetFits(model, images);
      if (options.logits !== undefined && options.logits > Math.min(500, images.count)) {
        throw new OptionError(
          `--logits: expected at most ${Math.min(500, images.count)}, got ${options.logits}`,
        );
      }
      await withContext(options, async (context) => {
        const arena = new Arena(context, new ArenaLayout(stateEntries(model)));
        arena.write(valuesOf(checkpoint.state));
        const dataset = new GpuDataset(context, images, normalisation);
        const evaluator = new Evaluator(context, model, [arena], dataset);
        const progress = startProgress('eval', images.count);
        const { loss, accuracy } = await evaluator
          .evaluate({ signal: interruptSignal(), onProgress: (done) => progress.update(done) })
          .finally(() => progress.stop());
        if (!Number.isFinite(loss))
          throw new DataError(`eval: the loss of ${path} is ${loss}; its outputs are no finite numbers`);
        const logits = options.logits
          ? await readLogits(evaluator, options.logits, model.classes)
          : undefined;
        const described = describeData(images, normalisation);
        const fields = {
          model: model.name,
          assumptions: model.assumptions,
          data: described,
          loss,
          accuracy,
          ...(logits ? { logits } : {}),
        };
        const inputs = {
          weights: [...valuesOf(checkpoint.state)],
          data: described,
          limit: options.limit ?? null,
        };
        const result = completeResult(context, 'eval', options.seed, started, inputs, fields);
        printResult(options.json, result, [
          `model     ${model.name}`,
          ...model.assumptions.map((line) => `assumed   ${line}`),
          `data      ${described}`,
          `loss      ${formatLoss(loss)}`,
          `accuracy  ${formatAccuracy(accuracy)}`,
          ...(logits ?? []).map((row) => `logits    ${row.map((value) => value.toFixed(5)).join(' ')}`),
        ]);
      });
    },
  );
}

async function readLogits(evaluator: Evaluator, count: number, classes: number): Promise<number[][]> {
  const flat = await evaluator.logits(count);
  return Array.from({ length: count }, (_, n) => [...flat.subarray(n * classes, (n + 1) * classes)]);
}
