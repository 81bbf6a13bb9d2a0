/** What a quantity is called when a claim is told: its path and place in words. */
import type { Quantity } from './study.ts';

/** Paths of the jobs' findings, in words; the first that fits. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^none\|barrier\|(\w+)$/, '$1 barrier'],
  [/^none\|midpoint\|(\w+)$/, '$1 half-way'],
  [/^none\|ensemble\|(\w+)$/, '$1 of the ensemble'],
  [/^none\|bestEnd$/, 'loss of the better network'],
  [/^(\w+)\|midpoint\|(\w+)$/, '$2 half-way, $1'],
  [/^collapse\|varianceRatio$/, 'variance left half-way'],
  [/^distance\|before$/, 'L2 distance as trained'],
  [/^distance\|after$/, 'L2 distance'],
  [/^taylor\|error$/, 'error of the expansion'],
  [/^score\|(.+)$/, 'R($1)'],
  [/^gap$/, 'barrier of B and C above that of A and each'],
  [/^dense\|accuracy$/, 'accuracy of the dense network'],
  [/^(0\.\d+)\|(pruned|renormalised)\|accuracy$/, 'accuracy at sparsity $1, $2'],
  [/^(.+)\|barrier$/, 'wrong answers on the way, swapped: $1'],
];

/** Factors whose values need no name beside them. */
const PLACES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  matching: { none: 'as trained', weight: 'weights matched' },
};

/** `loss barrier, weights matched, width 64`. A path that nobody has put into words is told as it is. */
export function quantityWords({ path, at = {} }: Quantity): string {
  const [pattern, words] = WORDS.find(([known]) => known.test(path)) ?? [];
  const what = pattern ? path.replace(pattern, words!) : path.replaceAll('|', ' ');
  const places = Object.entries(at).map(
    ([factor, value]) => PLACES[factor]?.[value] ?? `${spaced(factor)} ${value}`,
  );
  return [what, ...places].join(', ');
}

/** `learningRate` as `learning rate`. */
function spaced(factor: string): string {
  return factor.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
