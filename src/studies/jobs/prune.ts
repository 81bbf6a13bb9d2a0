/** Accuracy against sparsity, of the pruned network and of the corrected one. */
import { pruningCurve } from '../../rebasin/pruning/prune.ts';
import type { PruneSpec } from '../job-spec.ts';
import type { Json } from '../result-store.ts';
import type { Workbench } from '../workbench.ts';

/** @returns the dense network's score, and `pruned` and `renormalised` by sparsity. Without a correction the two are the same. */
export async function prune(bench: Workbench, spec: PruneSpec): Promise<Record<string, Json>> {
  const { context, signal, onProgress } = bench;
  const [network] = spec.networks;
  const { model, values } = await bench.networks([network]);
  const { dense, curve, renormalise } = await pruningCurve(context, {
    ...spec.pruning,
    ...{ model, values: values[0]!, sparsities: spec.sparsities, seed: network.seed, signal },
    statistics: await bench.uploadTraining(network),
    images: await bench.uploadTest(spec.data),
    onProgress: ({ done, total }) => onProgress?.({ done, total }),
  });
  const bySparsity = curve.map(({ sparsity, pruned, renormalised = pruned }) => [
    String(sparsity),
    { pruned: { ...pruned }, renormalised: { ...renormalised } },
  ]);
  return { dense: { ...dense }, renormalise, ...Object.fromEntries(bySparsity) };
}
