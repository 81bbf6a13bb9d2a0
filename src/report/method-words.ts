/** Matching methods as sentences name them. */

import type { MatchingMethod } from './results.ts';

export const METHOD_WORDS: Readonly<Record<MatchingMethod, string>> = {
  none: 'no matching',
  random: 'random permutations',
  weight: 'weight matching',
  activation: 'activation matching',
  'activation-greedy': 'greedy activation matching',
  'straight-through': 'straight-through matching',
};
