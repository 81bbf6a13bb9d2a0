/** `rebasin match`: permutes the units of B so that it is as close to A as weight matching gets. */
import { type Command, Option } from 'commander';
import { expectWritable, writeBytes } from '../io/node-files.ts';
import { stateEntries } from '../nn/models/model.ts';
import { expectSameArchitecture, stateDictOf, valuesOf, writeStateDict } from '../nn/state-dict.ts';
import { type Match, type MatchOptions, matchModels } from '../rebasin/match.ts';
import type { MatchFields, MatchResult } from '../report/results.ts';
import type { Context } from '../runtime/context.ts';
import { expectSameMetadata, modelOf, readCheckpoint } from './checkpoint.ts';
import { type AdapterOptionValues, withAdapterOptions, withSeedOption } from './options.ts';
import { completeResult, printResult } from './output.ts';
import { startProgress } from './progress.ts';
import { interruptSignal, withContext } from './session.ts';

interface MatchCommandOptions extends AdapterOptionValues {
  readonly model?: string;
  readonly order: 'graph' | 'random';
  readonly seed: number;
  readonly out?: string;
}

/** `--order`, of commands that match. */
export function orderOption(): Option {
  return new Option('--order <order>', 'in which order groups are visited')
    .choices(['graph', 'random'])
    .default('graph');
}

export function registerMatch(program: Command): void {
  const command = program
    .command('match')
    .description(
      'Match B to A: find the permutation of hidden units that brings B closest, and write the permuted B.',
    )
    .argument('<a>', 'checkpoint A (.safetensors, .pt, .pth or .npz), the reference')
    .argument('<b>', 'checkpoint B, the one to permute')
    .option('--model <name>', 'what the checkpoints do not say, such as mlp:tanh')
    .addOption(orderOption())
    .option('--out <file>', 'where to write the permuted B (.safetensors)');
  withSeedOption(withAdapterOptions(command)).action(
    async (pathA: string, pathB: string, options: MatchCommandOptions) => {
      const started = performance.now();
      if (options.out) await expectWritable(options.out);
      const [a, b] = [await readCheckpoint(pathA), await readCheckpoint(pathB)];
      expectSameArchitecture(a.state, b.state, pathA, pathB);
      expectSameMetadata(a, b, { model: options.model !== undefined, normalisation: true });
      const model = modelOf(a, options.model);
      const [valuesA, valuesB] = [valuesOf(a.state), valuesOf(b.state)];
      await withContext(options, async (context) => {
        const { order, seed } = options;
        const signal = interruptSignal();
        const { fields, aligned } = await matchWithProgress(context, {
          model,
          a: valuesA,
          b: valuesB,
          order,
          seed,
          signal,
        });
        if (options.out) {
          const state = stateDictOf(stateEntries(model), aligned, b.state.metadata);
          await writeBytes(options.out, writeStateDict({ ...state, integers: b.state.integers }));
        }
        const inputs = { a: [...valuesA], b: [...valuesB], order };
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

/** Matches with a bar. How many sweeps it takes is not known before, so the bar shows the largest number there may be. */
export function matchWithProgress(context: Context, options: MatchOptions): Promise<Match> {
  const progress = startProgress('match', 100);
  const onProgress: MatchOptions['onProgress'] = ({ sweep, objective }) =>
    progress.update(sweep, `sweep ${sweep}  objective ${objective.toFixed(4)}`);
  return matchModels(context, { ...options, onProgress }).finally(() => progress.stop());
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
    `objective   ${objective.before.toFixed(4)} -> ${objective.after.toFixed(4)} in ${fields.sweeps} sweeps`,
    `distance    ${distance.before.toFixed(4)} -> ${distance.after.toFixed(4)}`,
    `moved       ${moved} of ${units} units`,
  ];
}
