/**
 * Why two networks are, or are not, linearly connected (Ito, Yamada and Kumagai 2024; ALGORITHMS section 4): how far apart they are and
 * what their barrier is, before matching and after it, beside what distance and curvature alone would make of it.
 */
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { AnalysedMatching, AnalysedPair, AnalyseResult } from '../../report/analyse-result.ts';
import type { MatchingMethod } from '../../report/results.ts';
import type { Context } from '../../runtime/context.ts';
import { type MatchedBarriersOptions, type MatchedPair, matchedBarriers } from './matched-barriers.ts';
import { taylorBarrier } from './taylor-barrier.ts';

export interface AnalysisOptions extends Omit<MatchedBarriersOptions, 'method' | 'data' | 'onProgress'> {
  /** Beside `none`. */
  readonly methods: readonly MatchingMethod[];
  /** Images that losses are means over. */
  readonly data: GpuDataset;
  readonly onProgress?: (progress: AnalysisProgress) => void;
}

export interface AnalysisProgress {
  /** What is under way, such as `weight: match B`. */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
  readonly note: string;
}

/** Everything of a result but what the command adds. */
export type Analysis = Pick<AnalyseResult, 'lambda' | 'matchings'>;

/**
 * Analyses A and B, or A, B and C, without matching and with each method.
 * @throws what `matchedBarriers` throws; the signal's reason when aborted.
 */
export async function analyseNetworks(context: Context, options: AnalysisOptions): Promise<Analysis> {
  const { model, networks, methods, lambda, data, signal, renormalise = 'none' } = options;
  const matchings: AnalysedMatching[] = [];
  for (const method of new Set<MatchingMethod>(['none', ...methods])) {
    const report = (stage: string, progress: Omit<AnalysisProgress, 'stage'>) =>
      options.onProgress?.({ stage: method === 'none' ? stage : `${method}: ${stage}`, ...progress });
    const call = {
      ...{ ...options, method, data: { all: data } },
      onProgress: ({ stage, ...progress }: AnalysisProgress) => report(stage, progress),
    };
    const found = await matchedBarriers(context, call);
    const [a, b] = [networks[0]!, found.matches.B!.aligned];
    const plain =
      renormalise === 'none'
        ? undefined
        : await matchedBarriers(context, { ...call, networks: [a, b], method: 'none', renormalise: 'none' });
    const taylor = await taylorBarrier(context, {
      ...{ model, a, b, data, lambda, signal },
      onProgress: (progress) => report('Taylor estimate', { ...progress, note: '' }),
    });
    const [{ distance, curves }] = found.pairs as readonly [MatchedPair, ...MatchedPair[]];
    const before = matchings[0]?.distance ?? distance;
    const matched = method === 'none' ? [] : Object.entries(found.matches);
    matchings.push({
      align: method,
      distance,
      reduction: before === 0 ? 0 : (before - distance) / before,
      curve: curves.all!,
      ...(plain ? { plainBarrier: plain.pairs[0]!.curves.all!.barrier } : {}),
      taylor: { barrier: taylor.barrier, loss: taylor.loss, ends: taylor.ends },
      ...(networks.length === 3 ? { pairs: found.pairs.map(describePair) } : {}),
      matches: Object.fromEntries(matched.map(([name, { fields }]) => [name, fields])),
    });
  }
  return { lambda, matchings };
}

function describePair({ networks, distance, curves }: MatchedPair): AnalysedPair {
  const { barrier, midpoint } = curves.all!;
  return { networks, distance, barrier, midpoint };
}
