/** How far a network half-way is from a trained one, in steps of training (Qu and Horvath 2024). */
import { initialiseParameters } from '../../nn/initialise.ts';
import { stateEntries } from '../../nn/models/model.ts';
import { parseModel } from '../../nn/models/parse-model.ts';
import { Evaluator } from '../../nn/train/evaluate.ts';
import { fit } from '../../nn/train/fit.ts';
import { fitOptionsOf } from '../../nn/train/recipe.ts';
import { scoreNetworks } from '../../rebasin/interpolation/scores.ts';
import type { HostTensors } from '../../runtime/arena.ts';
import type { RecoverySpec } from '../job-spec.ts';
import type { Json } from '../result-store.ts';
import type { Workbench } from '../workbench.ts';
import { alignPair } from './align.ts';

/** @returns accuracies on the training images at the start and every so many steps, and the `steps` it took; all of them where it did not get there. */
export async function recovery(bench: Workbench, spec: RecoverySpec): Promise<Record<string, Json>> {
  const { context, signal, onProgress } = bench;
  const model = parseModel(spec.networks[0].model);
  const data = await bench.uploadTraining(spec.networks[0]);
  const initial = await startOf(bench, spec);
  const [start] = await scoreNetworks(context, { model, networks: [initial], images: data, signal });
  const accuracies = [start!.score.accuracy];
  const isReached = () => accuracies[accuracies.length - 1]! >= spec.accuracy;
  const enough = new AbortController();
  let evaluator: Evaluator | undefined;
  try {
    if (isReached()) return { accuracies, recovered: true, steps: 0 };
    await fit(context, {
      ...fitOptionsOf(spec.recipe),
      ...{ model, data, initial, seed: spec.seed },
      observe: {
        everySteps: spec.everySteps,
        look: async (arenas) => {
          evaluator ??= new Evaluator(context, model, arenas, data);
          accuracies.push((await evaluator.evaluate({ signal })).accuracy);
          if (isReached()) enough.abort();
        },
      },
      onProgress: ({ step, steps }) => onProgress?.({ done: step, total: steps }),
      signal: signal ? AbortSignal.any([signal, enough.signal]) : enough.signal,
    });
  } catch (error) {
    if (error !== enough.signal.reason) throw error;
  } finally {
    evaluator?.destroy();
  }
  return { accuracies, recovered: isReached(), steps: (accuracies.length - 1) * spec.everySteps };
}

/** The mean of both networks, or new random values. */
async function startOf(
  bench: Workbench,
  { networks, from, recipe, seed }: RecoverySpec,
): Promise<HostTensors> {
  if (from === 'scratch') {
    return initialiseParameters(stateEntries(parseModel(networks[0].model)), seed, recipe.initialiser);
  }
  const [a, b] = (await alignPair(bench, networks, from)).networks;
  return new Map([...a].map(([name, of]) => [name, of.map((value, i) => (value + b.get(name)![i]!) / 2)]));
}
