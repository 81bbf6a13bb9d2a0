/** What `rebasin study` writes as JSON. Field names are a contract: scripts read them, and the report draws them. */
import type { CommonResult } from './results.ts';

/** A point of a line, over repetitions. */
export interface StudyPoint {
  /** A number, or the name of a category. */
  readonly x: number | string;
  /** Over repetitions. */
  readonly mean: number;
  /** Half the width of the two-sided 90 % interval over repetitions; absent for a single one. */
  readonly margin?: number;
  /** Of each repetition. */
  readonly values: readonly number[];
}

/** A figure as plain data. */
export interface StudyFigure {
  /** Above it. */
  readonly title: string;
  /** The horizontal axis. */
  readonly x: { readonly label: string; readonly isLogarithmic?: boolean };
  /** The vertical axis. */
  readonly y: { readonly label: string; readonly isLogarithmic?: boolean; readonly isPercentage?: boolean };
  /** One for each kind of network or method. */
  readonly lines: readonly { readonly name: string; readonly points: readonly StudyPoint[] }[];
}

/** What a claim came down to: the larger has to be above `atLeastTimes` times the smaller plus `by`. */
export interface StudyComparison {
  /** Of this comparison. */
  readonly verdict: StudyVerdict;
  /** What has to be larger. */
  readonly largerName: string;
  /** Absent where `smaller` is a number that the claim names. */
  readonly smallerName?: string;
  /** Means over repetitions. */
  readonly larger: number;
  /** See `larger`. */
  readonly smaller: number;
  /** Factor. */
  readonly atLeastTimes: number;
  /** Offset. */
  readonly by: number;
  /** Mean over repetitions of what it has above that, and half the width of the two-sided 90 % interval. */
  readonly excess: number;
  /** Absent for a single repetition. */
  readonly margin?: number;
  /** Independent ones. */
  readonly repetitions: number;
  /** Nothing about it is random: one measurement decides. */
  readonly isExact?: boolean;
}

/** What independent repetitions say of a claim, by Student's t. */
export type StudyVerdict = 'held' | 'not held' | 'not decided';

/** A claim of a paper, and what was found. */
export interface StudyClaim {
  /** What is claimed. */
  readonly text: string;
  /** Paper and section. */
  readonly source: string;
  /** Of all comparisons together. */
  readonly verdict: StudyVerdict;
  /** What it came down to. */
  readonly comparisons: readonly StudyComparison[];
}

/** A study: what was asked, what was run, what came out. */
export interface StudyFields {
  /** As `rebasin study` takes it. */
  readonly name: string;
  /** In a few words. */
  readonly title: string;
  /** What it asks. */
  readonly question: string;
  /** Of the grid. */
  readonly size: 'small' | 'large';
  /** How long it takes, in words. */
  readonly budget: string;
  /** How many. */
  readonly jobs: number;
  /** Of all jobs, whenever they were run. */
  readonly jobSeconds: number;
  /** What computed them. */
  readonly adapters: readonly string[];
  /** Numbers that were collected. */
  readonly measurements: number;
  /** As plain data. */
  readonly figures: readonly StudyFigure[];
  /** With their verdicts. */
  readonly claims: readonly StudyClaim[];
  /** Of what all jobs found. */
  readonly hash: string;
}

/** What `rebasin study` writes. */
export interface StudyResult extends CommonResult {
  /** Which command. */
  readonly command: 'study';
  /** In the order in which they were asked for. */
  readonly studies: readonly StudyFields[];
}
