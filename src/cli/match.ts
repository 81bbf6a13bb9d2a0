/** `rebasin match`: permutes the units of B so that they are in the order of A's. */
import type { Command } from 'commander';
import { expectWritable, writeBytes } from '../io/node-files.ts';
import { stateEntries } from '../nn/models/model.ts';
import { stateDictOf, valuesOf, writeStateDict } from '../nn/state-dict.ts';
import { checkDatasetFits } from '../nn/train/gpu-dataset.ts';
import { type Match, type MatchOptions, matchModels } from '../rebasin/matching/match.ts';
import type { MatchFields, MatchingMethod, MatchResult } from '../report/results.ts';
import type { HostTensors } from '../runtime/arena.ts';
import type { Context } from '../runtime/context.ts';
import { type Checkpoint, modelOf, normalisationOfCheckpoint, readAlike, toldBy } from './checkpoint.ts';
import { loadData } from './data.ts';
import {
  type MatchingOptionValues,
  matchingSettings,
  methodOption,
  modelOption,
  uploadMethodImages,
  withMatchingOptions,
} from './method-options.ts';
import {
  type AdapterOptionValues,
  type DataOptionValues,
  withAdapterOptions,
  withDataOptions,
  withSeedOption,
} from './options.ts';
import { completeResult, printResult } from './output.ts';
import { stageBars } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface MatchCommandOptions extends AdapterOptionValues, DataOptionValues, MatchingOptionValues {
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
      const { method, seed } = options;
      const looks = method.startsWith('activation') || method === 'straight-through';
      const told = toldBy(options);
      const [a, b] = (await readAlike([pathA, pathB], {
        ...told,
        normalisation: !looks || told.normalisation,
      })) as [Checkpoint, Checkpoint];
      const model = modelOf(a, options.model);
      const matching = matchingSettings(options);
      const images = looks ? await loadData(options, normalisationOfCheckpoint(a)) : undefined;
      if (images)
        for (const split of ['train', 'statistics'] as const) checkDatasetFits(model, images[split]);
      const [valuesA, valuesB] = [valuesOf(a.state), valuesOf(b.state)];
      const signal = interruptSignal();
      await withContext(options, async (context) => {
        const used = images && uploadMethodImages(context, images, model, [method], [], options);
        const { fields, aligned } = await matchWithProgress(context, {
          model,
          a: valuesA,
          b: valuesB,
          method,
          ...matching,
          ...used,
          seed,
          signal,
        });
        if (options.out) {
          const state = stateDictOf(stateEntries(model), aligned, b.state.metadata);
          await writeBytes(options.out, writeStateDict({ ...state, integers: b.state.integers }));
        }
        const digests = (used?.datasets ?? []).map(({ digest }) => digest);
        const inputs = { a: [...valuesA], b: [...valuesB], method, matching, digests };
        const result: MatchResult = completeResult(context, 'match', seed, started, inputs, fields);
        printResult(options.json, result, [
          ...describeMatch(fields),
          `seconds     ${result.seconds}`,
          ...(options.out ? [`written     ${options.out}`] : []),
        ]);
      });
    },
  );
}

/** Matches with a bar. How many sweeps weight matching takes is not known before, so the bar shows the largest number there may be. */
export function matchWithProgress(context: Context, options: MatchOptions): Promise<Match> {
  const bars = stageBars();
  const onProgress: MatchOptions['onProgress'] = ({ done, total, note }) =>
    bars.update('match', done, total, note);
  return matchModels(context, { ...options, onProgress }).finally(() => bars.stop());
}

/** B as the method permutes it, and what was found; B itself for `none`. */
export async function alignWithProgress(
  context: Context,
  options: MatchOptions,
): Promise<{ readonly aligned: HostTensors; readonly match?: MatchFields }> {
  if (options.method === 'none') return { aligned: options.b };
  const { fields, aligned } = await matchWithProgress(context, options);
  return { aligned, match: fields };
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
