/**
 * Why two networks are, or are not, linearly connected (Ito, Yamada and Kumagai 2024; ALGORITHMS section 4), before matching and after it:
 * how far apart they are, what their barrier is beside what distance and curvature alone would make of it, and whether the singular vectors
 * of their layers are the same.
 */
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type {
  AlignmentFields,
  AnalysedMatching,
  AnalysedPair,
  AnalyseResult,
  SingularFields,
} from '../../report/analyse-result.ts';
import type { MatchingMethod } from '../../report/results.ts';
import type { Context } from '../../runtime/context.ts';
import { distanceReduction } from '../matching/objective.ts';
import { type MatchedBarriersOptions, type MatchedPair, matchedBarriers } from './matched-barriers.ts';
import { analyseSingularVectors } from './singular-vectors.ts';
import { taylorBarrier } from './taylor-barrier.ts';

/** Of `analyseNetworks`. */
export interface AnalysisOptions extends Omit<MatchedBarriersOptions, 'method' | 'data' | 'onProgress'> {
  /** Beside `none`. Singular vectors are told at length for the first, of the others only how alike they are. */
  readonly methods: readonly MatchingMethod[];
  /** Images that losses are means over, and on which inputs of layers are looked at. */
  readonly data: GpuDataset;
  /** Whether to decompose the layers. Default: true. */
  readonly singularVectors?: boolean;
  /** Called as the work goes on. Default: nobody is told. */
  readonly onProgress?: (progress: AnalysisProgress) => void;
}

/** How far an analysis is. */
export interface AnalysisProgress {
  /** What is under way, such as `weight: match B`. */
  readonly stage: string;
  /** Parts done. */
  readonly done: number;
  /** Parts there are. */
  readonly total: number;
  /** A word on how it goes. */
  readonly note: string;
}

/** Everything of a result but what the command adds. */
export type Analysis = Pick<AnalyseResult, 'lambda' | 'matchings' | 'singular'>;

/**
 * Analyses A and B, or A, B and C, without matching and with each method.
 * @throws what `matchedBarriers` and `analyseSingularVectors` throw; the signal's reason when aborted.
 * @example
 * const { matchings, singular } = await analyseNetworks(context, { model, networks: [a, b], methods: ['weight'], lambda, data });
 */
export async function analyseNetworks(context: Context, options: AnalysisOptions): Promise<Analysis> {
  const { lambda, singularVectors = true } = options;
  const methods = [...new Set<MatchingMethod>(['none', ...options.methods])];
  const matchings: AnalysedMatching[] = [];
  let singular: SingularFields | undefined;
  for (const [index, method] of methods.entries()) {
    const { fields, aligned } = await analyseMatching(context, options, method, matchings[0]);
    let alignment: AlignmentFields | undefined;
    // Without matching there is nothing that the first matching does not tell as well, unless there is none.
    if (singularVectors && index === Math.min(1, methods.length - 1)) {
      singular = await decompose(context, options, method, aligned, 'all');
      alignment = singular.alignment[index];
      const [asTheyAre] = singular.alignment;
      if (matchings[0]) matchings[0] = { ...matchings[0], ...withAlignment(asTheyAre) };
    } else if (singularVectors && index > 1) {
      alignment = (await decompose(context, options, method, aligned, 'alignment alone')).alignment[1];
    }
    matchings.push({ ...fields, ...withAlignment(alignment) });
  }
  return { lambda, matchings, ...(singular ? { singular } : {}) };
}

async function analyseMatching(
  context: Context,
  options: AnalysisOptions,
  method: MatchingMethod,
  asTheyAre: AnalysedMatching | undefined,
): Promise<{ readonly fields: AnalysedMatching; readonly aligned: MatchedNetwork }> {
  const { model, networks, lambda, data, renormalise = 'none', signal } = options;
  const report = reporter(options, method);
  const call = { ...options, method, data: { all: data }, onProgress: report };
  const found = await matchedBarriers(context, call);
  const [a, b] = [networks[0]!, found.matches.B!.aligned];
  const plain =
    renormalise === 'none'
      ? undefined
      : await matchedBarriers(context, {
          ...{ ...call, networks: [a, b], method: 'none', renormalise: 'none' },
          onProgress: (progress) => report({ ...progress, stage: `${progress.stage}, not re-normalised` }),
        });
  const taylor = await taylorBarrier(context, {
    ...{ model, a, b, data, lambda, signal },
    onProgress: (progress) => report({ stage: 'Taylor estimate', ...progress, note: '' }),
  });
  const [{ distance, curves }] = found.pairs as readonly [MatchedPair, ...MatchedPair[]];
  const before = asTheyAre?.distance ?? distance;
  const matched = method === 'none' ? [] : Object.entries(found.matches);
  const fields = {
    align: method,
    distance,
    reduction: distanceReduction(before, distance),
    curve: curves.all!,
    ...(plain ? { plainBarrier: plain.pairs[0]!.curves.all!.barrier } : {}),
    taylor: { barrier: taylor.barrier, loss: taylor.loss, ends: taylor.ends },
    ...(networks.length === 3 ? { pairs: found.pairs.map(describePair) } : {}),
    matches: Object.fromEntries(matched.map(([name, match]) => [name, match.fields])),
  };
  return { fields, aligned: b };
}

type MatchedNetwork = ReadonlyMap<string, Float32Array>;

async function decompose(
  context: Context,
  options: AnalysisOptions,
  method: MatchingMethod,
  aligned: MatchedNetwork,
  what: 'all' | 'alignment alone',
): Promise<SingularFields> {
  const { model, networks, data, signal } = options;
  const report = reporter(options, method);
  const [a, b] = networks as readonly [MatchedNetwork, MatchedNetwork];
  const { gammas, alignment, invariance, layers } = await analyseSingularVectors(context, {
    ...{ model, a, b, aligned, signal },
    ...{ merges: what === 'all', data: what === 'all' ? data : undefined },
    onProgress: ({ stage, ...progress }) => report({ stage: `singular vectors: ${stage}`, ...progress }),
  });
  return { gammas, alignment, invariance, layers };
}

/** Says by which method, unless it is none. */
function reporter({ onProgress }: AnalysisOptions, method: MatchingMethod) {
  return ({ stage, ...progress }: AnalysisProgress) =>
    onProgress?.({ stage: method === 'none' ? stage : `${method}: ${stage}`, ...progress });
}

function withAlignment(found: AlignmentFields | undefined): { readonly alignment?: AlignmentFields } {
  return found ? { alignment: { score: found.score, kept: found.kept } } : {};
}

function describePair({ networks, distance, curves }: MatchedPair): AnalysedPair {
  const { barrier, midpoint } = curves.all!;
  return { networks, distance, barrier, midpoint };
}
