/** What `rebasin study` writes as JSON. Field names are a contract: scripts read them, and the report draws them. */
import type { CommonResult } from './results.ts';

/** A point of a line, over repetitions. */
export interface StudyPoint {
  readonly x: number | string;
  readonly mean: number;
  /** Half the width of the two-sided 90 % interval over repetitions; absent for a single one. */
  readonly margin?: number;
  /** Of each repetition. */
  readonly values: readonly number[];
}

/** A figure as plain data. */
export interface StudyFigure {
  readonly title: string;
  readonly x: { readonly label: string; readonly isLogarithmic?: boolean };
  readonly y: { readonly label: string; readonly isLogarithmic?: boolean; readonly isPercentage?: boolean };
  readonly lines: readonly { readonly name: string; readonly points: readonly StudyPoint[] }[];
}

/** What a claim came down to: the larger has to be above `atLeastTimes` times the smaller plus `by`. */
export interface StudyComparison {
  readonly verdict: StudyVerdict;
  readonly largerName: string;
  /** Absent where `smaller` is a number that the claim names. */
  readonly smallerName?: string;
  /** Means over repetitions. */
  readonly larger: number;
  readonly smaller: number;
  readonly atLeastTimes: number;
  readonly by: number;
  /** Mean over repetitions of what it has above that, and half the width of the two-sided 90 % interval. */
  readonly excess: number;
  readonly margin?: number;
  readonly repetitions: number;
  /** Nothing about it is random: one measurement decides. */
  readonly isExact?: boolean;
}

/** What independent repetitions say of a claim, by Student's t. */
export type StudyVerdict = 'held' | 'not held' | 'not decided';

/** A claim of a paper, and what was found. */
export interface StudyClaim {
  readonly text: string;
  /** Paper and section. */
  readonly source: string;
  readonly verdict: StudyVerdict;
  readonly comparisons: readonly StudyComparison[];
}

/** A study: what was asked, what was run, what came out. */
export interface StudyFields {
  readonly name: string;
  readonly title: string;
  readonly question: string;
  readonly size: 'small' | 'large';
  readonly budget: string;
  readonly jobs: number;
  /** Of all jobs, whenever they were run. */
  readonly jobSeconds: number;
  readonly adapters: readonly string[];
  readonly measurements: number;
  readonly figures: readonly StudyFigure[];
  readonly claims: readonly StudyClaim[];
  /** Of what all jobs found. */
  readonly hash: string;
}

/** What `rebasin study` writes. */
export interface StudyResult extends CommonResult {
  readonly command: 'study';
  readonly studies: readonly StudyFields[];
}
