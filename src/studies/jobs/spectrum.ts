/** How well the singular vectors of two networks are aligned. */
import { analyseSingularVectors } from '../../rebasin/analysis/singular-vectors.ts';
import type { SpectrumSpec } from '../job-spec.ts';
import type { Json } from '../result-store.ts';
import type { Workbench } from '../workbench.ts';
import { alignPair } from './align.ts';

/** @returns the `score` R(gamma) of A and pi(B) by gamma, the L2 `distance`, and how far permuting changed singular values (`invariance`). */
export async function spectrum(bench: Workbench, spec: SpectrumSpec): Promise<Record<string, Json>> {
  const { context, signal, onProgress } = bench;
  const { model, networks, match } = await alignPair(bench, spec.networks, spec.match);
  const { values } = await bench.networks(spec.networks);
  const { alignment, gammas, invariance } = await analyseSingularVectors(context, {
    ...{ model, a: networks[0], b: values[1]!, aligned: networks[1], gammas: spec.gammas },
    ...{ merges: false, signal },
    onProgress: ({ done, total }) => onProgress?.({ done, total }),
  });
  const { score } = alignment.find(({ networks: pair }) => pair[1] === 'pi(B)')!;
  const byGamma = gammas.map((gamma, i) => [String(gamma), score[i]!]);
  return { score: Object.fromEntries(byGamma), distance: match.distance.after, invariance };
}
