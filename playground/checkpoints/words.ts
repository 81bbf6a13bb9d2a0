/** Words of the section: what analyses are called, and what the library's messages call its options here. */

import { METHOD_WORDS } from '../../src/report/method-words.ts';
import type { MatchingMethod } from '../../src/report/results.ts';
import type { AnalysisName } from './settings.ts';

export interface AnalysisWords {
  readonly title: string;
  /** What it says, in a few words. */
  readonly about: string;
}

export const ANALYSIS_WORDS: Readonly<Record<AnalysisName, AnalysisWords>> = {
  spec: { title: 'Symmetries', about: 'which units can be permuted, proved on the network' },
  match: { title: 'Matching', about: 'distances, permutations; B matched to A as a file' },
  units: { title: 'Matched units', about: 'weights of the first layer side by side' },
  line: { title: 'Barrier', about: 'the line between: naive, matched, corrected' },
  layers: { title: 'Variance by depth', about: 'what is left half-way, and what to try' },
  merge: { title: 'Merge', about: 'one network of both, scored; as a file' },
  singular: { title: 'Singular vectors', about: 'are they aligned; with images also Taylor estimates' },
  pruning: { title: 'Pruning curve', about: 'accuracy against sparsity, before and after correction' },
  plane: { title: 'Loss plane', about: 'through A, B and π(B)' },
};

export const MATCH_WORDS: Readonly<Record<MatchingMethod, string>> = {
  ...METHOD_WORDS,
  none: 'nothing: as they are',
  random: 'chance: random permutations',
};

export const CORRECTION_WORDS: Readonly<Record<string, string>> = {
  none: 'nothing',
  reset: 'RESET (batch-norm statistics)',
  repair: 'REPAIR',
  rescale: 'rescale',
  reshift: 'reshift',
  bias: 'bias calibration (no images)',
};

/** What fields are called, by the option that they stand for. Longest first. */
const OPTIONS: readonly (readonly [string, string])[] = [
  ['--mean and --std', '“Mean” and “Deviation”'],
  ['--renormalise', '“Correct by”'],
  ['--model', '“Architecture”'],
  ['--align', '“Match by”'],
  ['--preset', '“Small choices”'],
];

/** A message of the library in the words of the page, without the function that it came from. */
export function pageWords(message: string): string {
  const said = message.replace(/^[a-z][a-zA-Z0-9]*: /, '');
  return OPTIONS.reduce((text, [option, field]) => text.replaceAll(option, field), said);
}

/** 1.2 MB. */
export function sizeWords(bytes: number): string {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
