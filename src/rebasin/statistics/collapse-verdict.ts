/**
 * What a merged network suffers from, in words with the numbers that say so, and what to try. The first of these that holds:
 *
 * - `blow-up`: a hidden layer has more than 4 times the ends' variance, twice their deviation.
 * - `not-aligned`: nothing was matched, and already the first layer keeps less than 0.6. Half-way between matched units of correlation
 *   rho the variance is (1 + rho) / 2 of theirs (REPAIR, section 4): below 0.6 they have on average nothing to do with each other.
 * - `stale-statistics`: a network with batch norm whose running statistics are the mean of the ends', and a layer below 0.5.
 * - `vanishing-feature`: the logits move with the input less than a tenth as far as the ends' do.
 * - `dying-units`: a layer with 10 % more dead channels than the ends, or with 20 points more zeros.
 * - `variance-collapse`: a layer below 0.5. Aligned MLPs on MNIST with a barrier of nothing lie above it, networks that gain by REPAIR below.
 * - More than 2 points of accuracy are lost though all of this is well: `not-aligned`, or (matched) `units-differ`.
 * - `healthy`.
 */
import type { CollapseFields, LayerCollapse, LayerSummary, MatchingMethod } from '../../report/results.ts';
import type { CollapseOptions } from './collapse.ts';

const BLOWN_UP = 4;
const UNRELATED = 0.6;
const COLLAPSED = 0.5;
const VANISHED = 0.1;
const MORE_DEAD = 0.1;
const MORE_ZEROS = 0.2;
const ACCURACY_LOST = 0.02;

interface VerdictInput extends CollapseOptions {
  readonly layers: readonly LayerCollapse[];
  readonly logits: LayerCollapse;
}

type Verdict = CollapseFields['verdict'];

export function collapseVerdict(input: VerdictInput): Verdict {
  const { layers, logits, batchNorm, align, renormalise } = input;
  const isMatched = hasMatched(align);
  const isCorrected = renormalise !== 'none';
  const ratios = layers.filter(({ varianceRatio }) => Number.isFinite(varianceRatio));
  const [first] = ratios;
  const byRatio = [...ratios].sort((a, b) => a.varianceRatio - b.varianceRatio);
  const [lowest, highest] = [byRatio[0], byRatio[byRatio.length - 1]];

  if (highest && highest.varianceRatio > BLOWN_UP) {
    return {
      kind: 'blow-up',
      text: `Blow-up: ${highest.layer} has ${times(highest.varianceRatio)} the variance of the ends.`,
      fix: isCorrected
        ? 'a correction divides by what is left of a variance: take more images for its statistics, or another correction'
        : `bring every layer back to the ends' statistics: --renormalise ${batchNorm ? 'reset' : 'repair'}`,
    };
  }
  if (first && first.varianceRatio < UNRELATED && !isMatched) {
    return {
      kind: 'not-aligned',
      text: `Not aligned: already ${first.layer}, the first layer, keeps only ${percent(first.varianceRatio)} of the variance of the ends; between units that have nothing to do with each other it is half.`,
      fix: `match the units first: --align weight or activation${batchNorm ? ', then --renormalise reset' : ''}`,
    };
  }
  const fall = first && lowest && fallInWords(first, lowest);
  if (lowest && lowest.varianceRatio < COLLAPSED && batchNorm && !isCorrected) {
    return {
      kind: 'stale-statistics',
      text: `Variance collapse: ${fall}. The running statistics of its batch norms are the mean of the ends', and belong to no network.`,
      fix: 'estimate them anew: --renormalise reset',
    };
  }
  if (logits.feature !== undefined && logits.feature < VANISHED) {
    return {
      kind: 'vanishing-feature',
      text: `Vanishing feature: the logits move with the input only ${percent(logits.feature)} as far as those of the ends; the rest is the biases' doing.`,
      fix: correction(
        input,
        '--renormalise rescale, or bias, which needs no data (plain ReLU networks)',
        'another correction, of every layer: --renormalise rescale or repair --repair-form sequential',
      ),
    };
  }
  const dying = dyingUnits(input);
  if (dying) {
    return {
      kind: 'dying-units',
      text: `Dying units: ${dying}.`,
      fix: correction(
        input,
        'bring the means back as well as the variances: --renormalise repair',
        'another correction that brings the means back as well: --renormalise repair',
      ),
    };
  }
  if (first && lowest && lowest.varianceRatio < COLLAPSED) {
    const loose = first.varianceRatio < UNRELATED;
    const fix = correction(
      input,
      'bring back the variance of every layer: --renormalise repair or rescale',
      'another correction: --renormalise repair or rescale, --repair-form sequential for deep narrow networks',
    );
    return {
      kind: 'variance-collapse',
      text: `Variance collapse: ${fall}.${loose ? ' Matched as they are, units of the first layer have little to do with each other.' : ''}`,
      fix: loose ? `another matching, such as --align activation; then ${fix}` : fix,
    };
  }
  return healthOrDifference(input);
}

function hasMatched(align: MatchingMethod): boolean {
  return align !== 'none' && align !== 'random';
}

/** What to correct, at first, or where a correction was not enough. Networks with batch norm take RESET alone. */
function correction({ batchNorm, renormalise }: CollapseOptions, first: string, again: string): string {
  if (!batchNorm) return renormalise === 'none' ? first : again;
  if (renormalise === 'none') return 'estimate the statistics of its batch norms anew: --renormalise reset';
  return 'take the statistics of its batch norms from more images, of the kind that it is to see: --statistics-files';
}

/** Activations are as they should be: whether the network is. */
function healthOrDifference({ layers, logits, accuracy, align }: VerdictInput): Verdict {
  const ratios = layers.map(({ varianceRatio }) => varianceRatio).filter(Number.isFinite);
  const [low, high] = [percent(Math.min(...ratios)), percent(Math.max(...ratios))];
  const range = low === high ? low : `${low} to ${high}`;
  const variance = ratios.length > 0 ? `hidden layers have ${range} of the variance of the ends and ` : '';
  const state = `${variance}the logits ${percent(logits.scaleRatio)} of their scale`;
  const lost = accuracy ? accuracy.ends - accuracy.merged : 0;
  if (!accuracy || lost <= ACCURACY_LOST) {
    const but = accuracy && lost > 0 ? `, at ${points(lost)} less accuracy` : '';
    return { kind: 'healthy', text: `Healthy: ${state}${but}.` };
  }
  const but = `${state}, yet ${points(lost)} of accuracy are lost`;
  if (!hasMatched(align)) {
    return {
      kind: 'not-aligned',
      text: `Not aligned: ${but}. It is not the strength of the activations, but that units were merged that do different things.`,
      fix: 'match the units first: --align weight or activation',
    };
  }
  return {
    kind: 'units-differ',
    text: `No collapse: ${but}. Units that were matched do different things all the same.`,
    fix: 'another matching: --align activation or straight-through; networks that are wider or were trained longer match better',
  };
}

function fallInWords(first: LayerCollapse, lowest: LayerCollapse): string {
  const end = `${lowest.layer} keeps ${percent(lowest.varianceRatio)} of the variance of the ends`;
  return first === lowest ? end : `${first.layer} keeps ${percent(first.varianceRatio)}, ${end}`;
}

/** The layer where most units die, in words; undefined where none do. */
function dyingUnits({ ends, merged }: VerdictInput): string | undefined {
  let worst: { readonly by: number; readonly words: string } | undefined;
  for (const { layer, kind, channels, dead, zeroRatio } of merged) {
    if (kind !== 'activation') continue;
    const same = ends.map((end) => end.find((other) => other.kind === kind && other.layer === layer)!);
    const mean = (of: (summary: LayerSummary) => number) => (of(same[0]!) + of(same[1]!)) / 2;
    const [deadBefore, zerosBefore] = [mean((end) => end.dead), mean((end) => end.zeroRatio)];
    const by = Math.max((dead - deadBefore) / channels / MORE_DEAD, (zeroRatio - zerosBefore) / MORE_ZEROS);
    if (by <= (worst?.by ?? 1)) continue;
    const words = `after ${layer}, ${dead} of ${channels} channels are dead (ends: ${deadBefore}), and ${percent(zeroRatio)} of the values are 0 (ends: ${percent(zerosBefore)})`;
    worst = { by, words };
  }
  return worst?.words;
}

/** Two digits: 84%, 8.4%, 0.084%. */
function percent(share: number): string {
  if (!Number.isFinite(share)) return 'an undefined part';
  const value = 100 * share;
  return `${value >= 10 ? value.toFixed(0) : value === 0 ? '0' : String(Number(value.toPrecision(2)))}%`;
}

function times(ratio: number): string {
  return `${ratio >= 10 ? ratio.toFixed(0) : ratio.toFixed(1)} times`;
}

function points(share: number): string {
  const value = 100 * share;
  return `${value >= 10 ? value.toFixed(0) : value.toFixed(1)} points`;
}
