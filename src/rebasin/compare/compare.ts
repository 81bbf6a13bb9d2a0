/**
 * Every way to align and correct, on one pair: each matching method once (for each seed, where it depends on one), each matching with
 * every re-normalisation that applies to the network, each of these along lambda.
 */
import { OptionError, UnsupportedError } from '../../base/errors.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type {
  ComparedRow,
  ComparedScores,
  CompareResult,
  MatchingMethod,
  Spread,
} from '../../report/results.ts';
import type { HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { ensembleScore, scoreNetworks } from '../interpolation/scores.ts';
import { checkLambda } from '../interpolation/sweep.ts';
import {
  checkMatchingImages,
  findPermutations,
  MATCHING_METHODS,
  type MatchingOptions,
  provenSpec,
} from '../matching/match.ts';
import { checkValues, scoredDistance, scoredObjective } from '../matching/objective.ts';
import {
  checkRenormalisation,
  measuresStatistics,
  RENORMALISATIONS,
  type Renormalisation,
  type RenormalisationSettings,
} from '../renormalise/renormalisations.ts';
import { permuteValues } from '../spec/apply-permutation.ts';
import type { PermutationSpec } from '../spec/permutation-spec.ts';
import { PairSweeps } from './compare-sweeps.ts';

/** `statistics` are the images that both matching and re-normalisation look at. */
export interface CompareOptions extends Omit<MatchingOptions, 'method' | 'onProgress'> {
  /** The reference. */
  readonly a: HostTensors;
  /** The network to permute. */
  readonly b: HostTensors;
  /** Default: all. */
  readonly methods?: readonly MatchingMethod[];
  /** Default: all. Those that do not apply to the network are told, with the reason. */
  readonly renormalisations?: readonly Renormalisation[];
  readonly renormalisation?: RenormalisationSettings;
  /** See `sweep`. Default: `raw`, so that all barriers are those between the same two networks. */
  readonly ends?: 'corrected' | 'raw';
  /** Ascending from 0 to 1, both included, and 0.5 among them. */
  readonly lambda: readonly number[];
  /** Images to evaluate on; at least one of the two. */
  readonly data: Readonly<Partial<Record<ComparedSplit, GpuDataset>>>;
  /** How many seeds, from `seed` on; matchings that do not depend on a seed are made once. Default: 1. */
  readonly seeds?: number;
  readonly onProgress?: (progress: CompareProgress) => void;
}

export type ComparedSplit = 'train' | 'test';

export interface CompareProgress {
  /** Matchings and sweeps; one that is under way counts for the part of it that is done. */
  readonly done: number;
  readonly total: number;
  /** What is under way, such as `activation, repair`. */
  readonly note: string;
}

/** Everything of a result but what the command adds. */
export type Comparison = Pick<
  CompareResult,
  'lambda' | 'seeds' | 'ends' | 'ensemble' | 'matchings' | 'rows' | 'refused' | 'equivalence'
>;

/**
 * What can be wrong with a comparison and seen without a GPU.
 * @throws OptionError for unknown methods, lambda that does not ascend from 0 to 1 through 0.5, or seeds that are no positive integer.
 */
export function checkComparison({
  methods = MATCHING_METHODS,
  renormalisations = RENORMALISATIONS,
  lambda,
  seeds = 1,
}: Pick<CompareOptions, 'methods' | 'renormalisations' | 'lambda' | 'seeds'>): void {
  for (const [what, given, known] of [
    ['matching methods', methods, MATCHING_METHODS],
    ['re-normalisations', renormalisations, RENORMALISATIONS],
  ] as const) {
    const wrong = given.find((name) => !(known as readonly string[]).includes(name));
    if (given.length === 0 || wrong !== undefined) {
      const got = wrong === undefined ? 'none' : `"${wrong}"`;
      throw new OptionError(`compare: expected ${what} among ${known.join(', ')}, got ${got}`);
    }
  }
  checkLambda('compare', lambda);
  if (!lambda.includes(0.5)) {
    throw new OptionError(
      `compare: networks are compared half-way, so lambda needs the point 0.5 (an odd number of equally spaced ones), got ${lambda.join(', ')}`,
    );
  }
  if (!Number.isSafeInteger(seeds) || seeds < 1) {
    throw new OptionError(`compare: seeds must be a positive integer, got ${seeds}`);
  }
}

/**
 * Compares every method on one pair of networks.
 * @throws what `checkComparison` throws, and OptionError for missing images, before any work; FormatError or DataError naming the tensor
 * that does not fit or is not finite; the signal's reason when aborted.
 * @example
 * const methods = ['none', 'weight', 'activation'] as const;
 * const { rows } = await compareMethods(context, { model, a, b, methods, lambda: equallySpaced(11), data: { test }, statistics: images });
 */
export async function compareMethods(context: Context, options: CompareOptions): Promise<Comparison> {
  const { model, a, b, order, seed: firstSeed = 0, seeds = 1, lambda, signal } = options;
  const { methods = MATCHING_METHODS, renormalisations = RENORMALISATIONS } = options;
  checkComparison(options);
  checkImages(options, renormalisations);
  signal?.throwIfAborted();
  const { applicable, refused } = sortOut(renormalisations, options);
  const work = methods.flatMap((align) =>
    Array.from({ length: dependsOnSeed(align, order) ? seeds : 1 }, (_, i) => ({
      align,
      seed: firstSeed + i,
    })),
  );
  const steps = new Steps(options.onProgress, work.length * (1 + applicable.length));
  const { spec, equivalence } = await provenSpec(context, model, firstSeed);
  checkValues('compare', 'model A', spec, a);
  checkValues('compare', 'model B', spec, b);
  const { ends, ensemble } = await scoreEnds(context, options);

  const matchings: CompareResult['matchings'][number][] = [];
  const runs = new Map<string, ComparedRow['runs'][number][]>();
  const sweeps = new PairSweeps(context, options);
  try {
    for (const { align, seed } of work) {
      steps.begin(`${align}, matching`);
      const matched = await matchTimed(context, spec, { ...options, method: align, seed }, steps);
      if (matched instanceof UnsupportedError) {
        if (!refused.some((row) => row.align === align)) refused.push({ align, reason: matched.message });
        steps.end(1 + applicable.length);
        continue;
      }
      steps.end();
      matchings.push({ align, seed, ...matched.fields });
      for (const renormalise of applicable) {
        steps.begin(`${align}, ${renormalise}`);
        const run = await sweeps.sweep(renormalise, matched.aligned, (part) => steps.within(part));
        steps.end();
        const key = `${align} ${renormalise}`;
        runs.set(key, [...(runs.get(key) ?? []), { seed, ...run }]);
      }
    }
  } finally {
    sweeps.destroy();
  }
  const rows = methods.flatMap((align) =>
    applicable.flatMap((renormalise): ComparedRow[] => {
      const of = runs.get(`${align} ${renormalise}`);
      return of ? [{ align, renormalise, runs: of, ...overSeeds(of) }] : [];
    }),
  );
  const all = Array.from({ length: seeds }, (_, i) => firstSeed + i);
  return { lambda, seeds: all, ends, ensemble, matchings, rows, refused, equivalence };
}

function checkImages(
  { data, statistics, straightThrough, methods = MATCHING_METHODS }: CompareOptions,
  renormalisations: readonly Renormalisation[],
): void {
  if (!data.train && !data.test) {
    throw new OptionError('compare: expected images to evaluate on, as train or test, got none');
  }
  if (renormalisations.some(measuresStatistics) && !statistics) {
    throw new OptionError('compare: re-normalisation measures statistics, give it images');
  }
  checkMatchingImages(methods, { statistics, straightThrough });
}

/** Which re-normalisations can be done on the network, and why not the others. */
function sortOut(
  renormalisations: readonly Renormalisation[],
  { model, renormalisation }: CompareOptions,
): { applicable: Renormalisation[]; refused: CompareResult['refused'][number][] } {
  const applicable: Renormalisation[] = [];
  const refused: CompareResult['refused'][number][] = [];
  for (const renormalise of renormalisations) {
    try {
      checkRenormalisation(renormalise, model, renormalisation);
      applicable.push(renormalise);
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      refused.push({ renormalise, reason: error.message });
    }
  }
  return { applicable, refused };
}

/** Whether matching again with another seed can give other permutations. */
function dependsOnSeed(method: MatchingMethod, order: MatchingOptions['order']): boolean {
  return method === 'random' || method === 'straight-through' || (method === 'weight' && order === 'random');
}

/** One matching; the error where the method cannot match this network. */
async function matchTimed(
  context: Context,
  spec: PermutationSpec,
  options: Omit<CompareOptions, 'onProgress'> & { readonly method: MatchingMethod },
  steps: Steps,
) {
  const { a, b } = options;
  const started = performance.now();
  try {
    const { permutations } = await findPermutations(context, spec, {
      ...options,
      onProgress: ({ done, total }) => steps.within(done / total),
    });
    const seconds = (performance.now() - started) / 1000;
    const aligned = permuteValues(spec, permutations, b);
    const fields = {
      objective: { before: scoredObjective(spec, a, b), after: scoredObjective(spec, a, aligned) },
      distance: { before: scoredDistance(spec, a, b), after: scoredDistance(spec, a, aligned) },
      seconds,
    };
    return { fields, aligned };
  } catch (error) {
    if (error instanceof UnsupportedError) return error;
    throw error;
  }
}

/** The two networks as they came, and the mean of their logits, on each data set. */
async function scoreEnds(
  context: Context,
  { model, a, b, data, signal }: CompareOptions,
): Promise<Pick<CompareResult, 'ends' | 'ensemble'>> {
  const ends = [{ name: 'A' }, { name: 'B' }];
  const ensemble = {};
  for (const split of ['train', 'test'] as const) {
    const images = data[split];
    if (!images) continue;
    const scored = await scoreNetworks(context, { model, networks: [a, b], images, signal });
    for (const [i, { score }] of scored.entries()) Object.assign(ends[i]!, { [split]: score });
    Object.assign(ensemble, { [split]: ensembleScore(scored, [0.5, 0.5], images) });
  }
  return { ends, ensemble };
}

/** Mean, least and largest over seeds, on each data set. */
function overSeeds(runs: ComparedRow['runs']): Pick<ComparedRow, ComparedSplit> {
  const scores = (split: ComparedSplit): ComparedScores | undefined => {
    const curves = runs.flatMap((run) => run[split] ?? []);
    if (curves.length === 0) return undefined;
    const of = (value: (curve: (typeof curves)[number]) => number) => spread(curves.map(value));
    return {
      midpoint: { loss: of((c) => c.midpoint.loss), accuracy: of((c) => c.midpoint.accuracy) },
      barrier: { loss: of((c) => c.barrier.loss), accuracy: of((c) => c.barrier.accuracy) },
      calibratedLoss: of((c) => c.calibrated.loss),
    };
  };
  const [train, test] = [scores('train'), scores('test')];
  return { ...(train ? { train } : {}), ...(test ? { test } : {}) };
}

/** NaN in all three where one value is. */
function spread(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, min: Math.min(...values), max: Math.max(...values) };
}

/** Counts steps, and the parts of the one under way. */
class Steps {
  readonly #report: CompareOptions['onProgress'];
  readonly #total: number;
  #done = 0;
  #note = '';

  constructor(report: CompareOptions['onProgress'], total: number) {
    this.#report = report;
    this.#total = total;
  }

  begin(note: string): void {
    this.#note = note;
    this.within(0);
  }

  /** @param part of the step that is done, from 0 to 1. */
  within(part: number): void {
    this.#report?.({ done: this.#done + part, total: this.#total, note: this.#note });
  }

  end(steps = 1): void {
    this.#done += steps;
    this.within(0);
  }
}
