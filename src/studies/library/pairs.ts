/** Jobs on two networks, as most studies have them. */
import type { MatchSpec, PairSpec, TrainSpec } from '../job-spec.ts';
import { type FigureLine, independent, type StudySize, testOf } from '../study.ts';

/** Barriers between two networks of one kind, which no other repetition has. */
export function pairJob(
  repeat: number,
  network: (seed: number, index: number) => TrainSpec,
  match: MatchSpec,
  options: Partial<Pick<PairSpec, 'renormalisations' | 'points' | 'calibrate' | 'taylor'>> = {},
): PairSpec {
  const networks = independent<[TrainSpec, TrainSpec]>(2, repeat, network);
  return {
    kind: 'pair',
    ...{ networks, match, renormalisations: ['none'], points: 5, data: testOf(networks[0].data) },
    ...options,
  };
}

/** Of the uncorrected line. */
export const LOSS_BARRIER = 'none|barrier|loss';
export const ACCURACY_BARRIER = 'none|barrier|accuracy';

export const MATCHINGS = ['none', 'weight'] as const;

/** One line a matching, over a factor. */
export function linesByMatching(over: string, path: string): FigureLine[] {
  return [
    { name: 'as trained', over, quantity: { path, at: { matching: 'none' } } },
    { name: 'weights matched', over, quantity: { path, at: { matching: 'weight' } } },
  ];
}

/** Points of lambda. */
export const POINTS: Readonly<Record<StudySize, number>> = { small: 5, large: 25 };
