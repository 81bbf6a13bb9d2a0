/** `rebasin match`: permutes the units of B so that they are in the order of A's. */
import type { Command } from 'commander';
import {
  type Checkpoint,
  modelOfCheckpoint,
  normalisationOfCheckpoint,
  permutedCheckpoint,
} from '../commands/checkpoint.ts';
import { matchResult } from '../commands/match.ts';
import type { MatchingChoices } from '../commands/method-settings.ts';
import { expectWritable, writeBytes } from '../io/node-files.ts';
import { checkDatasetFits } from '../nn/train/gpu-dataset.ts';
import type { MatchFields, MatchingMethod } from '../report/results.ts';
import { readAlike, toldBy } from './checkpoint.ts';
import { loadData } from './data.ts';
import { methodOption, modelOption, withMatchingOptions } from './method-options.ts';
import {
  type AdapterOptionValues,
  type DataOptionValues,
  withAdapterOptions,
  withDataOptions,
  withSeedOption,
} from './options.ts';
import { printResult } from './output.ts';
import { withStageBars } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface MatchCommandOptions extends AdapterOptionValues, DataOptionValues, MatchingChoices {
  readonly model?: string;
  readonly method: MatchingMethod;
  readonly seed: number;
  readonly out?: string;
}

export function registerMatch(program: Command): void {
  const command = program
    .command('match')
    .description(
      'Match B to A: find the permutation of hidden units that brings B closest, and write the permuted B.',
    )
    .argument('<a>', 'checkpoint A (.safetensors, .pt, .pth or .npz), the reference')
    .argument('<b>', 'checkpoint B, the one to permute')
    .addOption(modelOption())
    .addOption(methodOption('--method', 'weight'))
    .option('--out <file>', 'where to write the permuted B (.safetensors)');
  withSeedOption(withAdapterOptions(withDataOptions(withMatchingOptions(command)))).action(
    async (pathA: string, pathB: string, options: MatchCommandOptions) => {
      const started = performance.now();
      if (options.out) await expectWritable(options.out);
      const { method } = options;
      const looks = method.startsWith('activation') || method === 'straight-through';
      const told = toldBy(options);
      const [a, b] = (await readAlike([pathA, pathB], {
        ...told,
        normalisation: !looks || told.normalisation,
      })) as [Checkpoint, Checkpoint];
      const model = modelOfCheckpoint(a, options.model);
      const images = looks ? await loadData(options, normalisationOfCheckpoint(a)) : undefined;
      if (images)
        for (const split of ['train', 'statistics'] as const) checkDatasetFits(model, images[split]);
      const signal = interruptSignal();
      await withContext(options, async (context) => {
        const { result, match } = await withStageBars((onProgress) =>
          matchResult(context, {
            ...{ ...options, a, b, model, started, signal, onProgress },
            // Methods that look at no images need no normalisation.
            images: images ?? { normalisation: { mean: [0], std: [1] } },
          }),
        );
        if (options.out) await writeBytes(options.out, permutedCheckpoint(model, match.aligned, b));
        printResult(options.json, result, [
          ...describeMatch(result),
          `seconds     ${result.seconds}`,
          ...(options.out ? [`written     ${options.out}`] : []),
        ]);
      });
    },
  );
}

/** A match for people. */
export function describeMatch(fields: MatchFields): string[] {
  const { objective, distance, equivalence, permutations } = fields;
  const groups = Object.entries(permutations);
  const moved = groups.reduce((sum, [, p]) => sum + p.filter((unit, i) => unit !== i).length, 0);
  const units = groups.reduce((sum, [, p]) => sum + p.length, 0);
  return [
    `model       ${fields.model}`,
    ...fields.assumptions.map((line) => `assumed     ${line}`),
    `groups      ${groups.map(([name, p]) => `${name} (${p.length})`).join(', ')}`,
    `equivalence ${equivalence.passed ? 'passed' : 'FAILED'}, largest difference ${equivalence.maxDifference.toExponential(1)} of the largest output`,
    `method      ${fields.method}`,
    `objective   ${objective.before.toFixed(4)} -> ${objective.after.toFixed(4)}${fields.sweeps === undefined ? '' : ` in ${fields.sweeps} sweeps`}`,
    `distance    ${distance.before.toFixed(4)} -> ${distance.after.toFixed(4)}`,
    `moved       ${moved} of ${units} units`,
  ];
}
