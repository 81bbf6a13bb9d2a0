/** A study: claims of the papers, and the grid of jobs that decides them. All of it is data; nothing here runs anything. */
import type { DataSpec, MeasureSpec, TrainSpec } from './job-spec.ts';

/** Where in the grid a measurement stands: the value of each factor. `repeat` counts independent repetitions. */
export type Place = Readonly<Record<string, number | string>>;

/** One measurement of a study. */
export interface Point {
  readonly at: Place;
  readonly job: MeasureSpec;
}

/** A number of every measurement at some places: `{ path: 'none|barrier|loss', at: { width: 64 } }`. */
export interface Quantity {
  /** Names within what the job found, joined by bars; an index of an array is a name as well. */
  readonly path: string;
  /** Factors that must have these values. Default: any. */
  readonly at?: Place;
}

/**
 * What a claim comes down to: one quantity is larger than another, measurement by measurement of the same repetition, or than a number.
 */
export interface Comparison {
  readonly larger: Quantity;
  readonly smaller: Quantity | number;
  /** By at least so much. Default: 0. */
  readonly by?: number;
  /** At least so many times the smaller. Default: 1. */
  readonly atLeastTimes?: number;
  /** Nothing about it is random: one measurement decides. Default: false. */
  readonly isExact?: boolean;
}

export interface Claim {
  readonly text: string;
  /** Paper and section. */
  readonly source: string;
  /** All of them have to hold. */
  readonly holds: readonly Comparison[];
}

/** What is drawn: means over repetitions with their spread. */
export interface FigureSpec {
  readonly title: string;
  readonly x: { readonly label: string; readonly isLogarithmic?: boolean };
  readonly y: { readonly label: string; readonly isLogarithmic?: boolean; readonly isPercentage?: boolean };
  readonly lines: readonly FigureLine[];
}

/** A quantity over the values of a factor, or one quantity for each x. */
export type FigureLine =
  | { readonly name: string; readonly quantity: Quantity; readonly over: string }
  | {
      readonly name: string;
      readonly points: readonly { readonly x: number | string; readonly quantity: Quantity }[];
    };

export const STUDY_SIZES = ['small', 'large'] as const;

/** `small`: embedded data, decided in minutes on two cores. `large`: the papers' data and shapes, for a GPU. */
export type StudySize = (typeof STUDY_SIZES)[number];

export interface Study {
  readonly name: string;
  readonly title: string;
  /** What is asked, and how it is measured, in a few sentences. */
  readonly question: string;
  /** What each size may take. */
  readonly budget: Readonly<Record<StudySize, string>>;
  points(size: StudySize): readonly Point[];
  figures(size: StudySize): readonly FigureSpec[];
  claims(size: StudySize): readonly Claim[];
}

/** Every combination of the factors' values, the last factor fastest. */
export function grid<F extends Readonly<Record<string, readonly (number | string)[]>>>(
  factors: F,
  jobAt: (at: { readonly [K in keyof F]: F[K][number] }) => MeasureSpec,
): Point[] {
  let places: Record<string, number | string>[] = [{}];
  for (const [name, values] of Object.entries(factors)) {
    places = places.flatMap((place) => values.map((value) => ({ ...place, [name]: value })));
  }
  return places.map((at) => ({ at, job: jobAt(at as { readonly [K in keyof F]: F[K][number] }) }));
}

/** `count` networks of one recipe from seeds of their own, for repetition number `repeat`: no two repetitions share one. */
export function independent<N extends readonly TrainSpec[]>(
  count: N['length'],
  repeat: number,
  network: (seed: number, index: number) => TrainSpec,
): N {
  return Array.from({ length: count }, (_, i) => network(count * repeat + i, i)) as unknown as N;
}

/** Where the networks of a study are evaluated: the test images of what they were trained on. */
export function testOf({ name, test }: DataSpec): DataSpec {
  return { name, train: 1, ...(test === undefined ? {} : { test }) };
}
