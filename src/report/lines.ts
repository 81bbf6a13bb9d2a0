/**
 * What there is to draw in a result, whichever command wrote it: one or two interpolation lines (`naive`, `aligned`), each on one or two
 * data sets. A sweep has one line, a demo both; beside its line a sweep may have what calibration makes of it, and the ensemble.
 */

import type { AnalyseResult } from './analyse-result.ts';
import type { PruneResult } from './prune-result.ts';
import type {
  CompareResult,
  CurveReport,
  CurveResult,
  DemoResult,
  LossAndAccuracy,
  MatchFields,
  MergeResult,
  NetworkResult,
  PlaneResult,
  StatsResult,
  SweepCurves,
  SweepResult,
} from './results.ts';

/**
 * How the second network was treated before interpolating: as it was trained, or permuted; `corrected`: permuted, and what lies between
 * re-normalised. Beside these `calibrated`, the same line at the best softmax temperatures, and `ensemble`, the mean of both networks' logits.
 */
export type LineName = 'naive' | 'aligned' | 'corrected' | 'calibrated' | 'ensemble';
export type SplitName = 'test' | 'train';

export type Measure = keyof LossAndAccuracy;

export interface Line {
  readonly name: LineName;
  readonly curves: SweepCurves;
  /** What there is to show of it: a temperature changes no accuracy. */
  readonly measures: readonly Measure[];
}

export function isDemo(result: NetworkResult): result is DemoResult {
  return 'naive' in result;
}

export function isPlane(result: NetworkResult): result is PlaneResult {
  return 'grid' in result;
}

export function isMerge(result: NetworkResult): result is MergeResult {
  return 'strategy' in result;
}

export function isCompare(result: NetworkResult): result is CompareResult {
  return 'rows' in result;
}

/** Statistics have networks, as demos have; what tells them apart is who wrote them. */
export function isStats(result: NetworkResult): result is StatsResult {
  return result.command === 'stats';
}

export function isPrune(result: NetworkResult): result is PruneResult {
  return result.command === 'prune';
}

/** Like comparisons, analyses have matchings; who wrote them tells them apart. */
export function isAnalyse(result: NetworkResult): result is AnalyseResult {
  return result.command === 'analyse';
}

const both: readonly Measure[] = ['loss', 'accuracy'];

/** The lines of a result, the naive one first. */
export function linesOf(result: CurveReport): Line[] {
  if (!isDemo(result)) {
    const name = result.align === 'none' ? 'naive' : 'aligned';
    const beside = (['calibrated', 'ensemble'] as const).flatMap((extra) => lineBeside(result, extra));
    return [{ name, curves: result, measures: both }, ...beside];
  }
  return [
    { name: 'naive', curves: result.naive, measures: both },
    { name: 'aligned', curves: result.aligned, measures: both },
  ];
}

/** Whether a line is a way between the networks, and not something beside it. */
export function isWay({ name }: Line): boolean {
  return name === 'naive' || name === 'aligned' || name === 'corrected';
}

function lineBeside({ lambda, train, test }: SweepResult, name: 'calibrated' | 'ensemble'): Line[] {
  const [onTrain, onTest] = [train?.[name], test?.[name]];
  if (!onTrain && !onTest) return [];
  const curves = { lambda, ...(onTrain ? { train: onTrain } : {}), ...(onTest ? { test: onTest } : {}) };
  return [{ name, curves, measures: name === 'calibrated' ? ['loss'] : both }];
}

/** The data sets that every line was evaluated on; test first, since it is the one that counts. */
export function splitsOf(lines: readonly Line[]): SplitName[] {
  return (['test', 'train'] as const).filter((split) => lines.every((line) => line.curves[split]));
}

/** A line's curve on a data set that `splitsOf` named. */
export function curveOf(line: Line, split: SplitName): CurveResult {
  const curve = line.curves[split];
  if (curve === undefined) throw new RangeError(`curveOf: the ${line.name} line has no ${split} curve`);
  return curve;
}

/** How networks were matched, by the name of the one that was permuted. */
export function matchesOf(result: NetworkResult): Readonly<Record<string, MatchFields>> {
  if (isPlane(result)) return result.matches;
  if (isMerge(result) || isCompare(result) || isPrune(result)) return {};
  // Of the method that the analysis is about; those it is compared with are in the JSON.
  if (isAnalyse(result)) return result.matchings[1]?.matches ?? {};
  return result.match ? { B: result.match } : {};
}

/** Units that matching could move: the sum of the group sizes. */
export function hiddenUnits(match: MatchFields): number {
  return Object.values(match.permutations).reduce((sum, permutation) => sum + permutation.length, 0);
}

/** The objective before weight matching and after each sweep, whether or not the list begins with the former; none of other methods. */
export function objectiveHistory({
  objective,
  objectivePerSweep,
  sweeps = 0,
}: MatchFields): number[] | undefined {
  if (!objectivePerSweep) return undefined;
  return objectivePerSweep.length > sweeps
    ? [...objectivePerSweep]
    : [objective.before, ...objectivePerSweep];
}
