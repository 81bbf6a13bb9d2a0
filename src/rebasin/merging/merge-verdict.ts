/**
 * A merge in words, from its numbers: how the merged network compares with the models and with the ensemble of their logits, whether its
 * confidence alone is off, what became of its activations, and what to try if it is worse.
 */
import type { Model } from '../../nn/models/model.ts';
import { formatCount, formatNumber, formatPercent, formatPoints } from '../../report/format.ts';
import type { CollapseFields, LossAndAccuracy, MatchingMethod } from '../../report/results.ts';
import { hasBatchNorm } from '../renormalise/layers.ts';
import type { Renormalisation } from '../renormalise/renormalisations.ts';
import type { MergeScores } from './merge.ts';
import { expectedScore } from './merge-collapse.ts';
import type { MergingMethod } from './merge-models.ts';

/** What `mergeVerdict` judges by. */
export interface MergeVerdictInput {
  /** The architecture. */
  readonly model: Model;
  /** How well the merged network and its models do. */
  readonly scores: MergeScores;
  /** The share of each model. */
  readonly coefficients: readonly number[];
  /** How many images were scored: what differences mean. */
  readonly images: number;
  /** How the models were brought into one frame. */
  readonly strategy: MergingMethod;
  /** How a pair was matched. */
  readonly align: MatchingMethod;
  /** What the merged network was corrected by. */
  readonly renormalise: Renormalisation;
  /** What became of the activations. */
  readonly collapse?: CollapseFields | undefined;
}

/** A loss this many times the models' is worse, however many are right. */
const WORSE_LOSS = 1.25;
/** Logits are off where calibration takes this part of the loss away, */
const MISCALIBRATED = 0.2;
/** and where the best temperature is this many times smaller or larger than the models'. */
const OTHER_TEMPERATURE = 1.4;

/** The verdict, one sentence or two an entry; the first compares. */
export function mergeVerdict(input: MergeVerdictInput): string[] {
  const { scores, coefficients, images, model, collapse } = input;
  const { merged } = scores;
  const expected = expectedScore(scores.models, coefficients);
  const verdict = [comparison(input, expected), losses(input, expected)];
  if (expected.accuracy < 1.5 / model.classes) {
    verdict.push('The models themselves hardly do better than chance: there is not yet anything to merge.');
  }
  const confidence = confidenceInWords(input);
  if (confidence !== undefined) verdict.push(confidence);
  // One standard error of a share of so many images.
  const doubt = Math.sqrt((expected.accuracy * (1 - expected.accuracy)) / images);
  const isLessRight = !(merged.accuracy >= expected.accuracy - doubt);
  const isWorse = isLessRight || !(merged.loss <= WORSE_LOSS * expected.loss);
  if (!isWorse) {
    verdict.push(
      merged.accuracy > expected.accuracy + doubt
        ? 'It is better than the models on average.'
        : `It is as good as the models, as far as ${formatCount(images)} images can tell.`,
    );
    return verdict;
  }
  if (!isLessRight && confidence !== undefined) {
    verdict.push('It is as often right as the models, and only less sure of it.');
  }
  if (collapse) verdict.push(collapse.verdict.text);
  verdict.push(`To try: ${collapse?.verdict.fix ?? adviceFor(input)}.`);
  return verdict;
}

/** What is wrong with the size of the logits, beside that of the models'; undefined where nothing is. */
function confidenceInWords({ scores, coefficients }: MergeVerdictInput): string | undefined {
  const { loss, calibrated } = scores.merged;
  const usual = scores.models.reduce(
    (sum, model, k) => sum + coefficients[k]! * model.calibrated.temperature,
    0,
  );
  const ratio = calibrated.temperature / usual;
  const isOther = ratio > OTHER_TEMPERATURE || ratio < 1 / OTHER_TEMPERATURE;
  if (!isOther || !(loss - calibrated.loss > MISCALIBRATED * loss)) return undefined;
  return (
    `Its logits are too ${ratio < 1 ? 'small' : 'large'}: the softmax temperature that fits best is ${formatNumber(calibrated.temperature, 2)} ` +
    `(models: ${formatNumber(usual, 2)}), and at it the loss on these images is ${formatNumber(calibrated.loss)}.`
  );
}

/** "The mean of 2 networks gets 96.10% of 2,000 images right: 0.62 points fewer than they do on average, ..." */
function comparison({ scores, images, strategy }: MergeVerdictInput, expected: LossAndAccuracy): string {
  const { merged, ensemble, models } = scores;
  const than = (what: string, { accuracy }: LossAndAccuracy) => {
    const points = formatPoints(Math.abs(merged.accuracy - accuracy));
    if (points === formatPoints(0)) return `as many as ${what}`;
    return `${points} ${merged.accuracy < accuracy ? 'fewer' : 'more'} than ${what}`;
  };
  const unaligned = strategy === 'none' ? ', as they are,' : '';
  return (
    `The mean of ${formatCount(models.length)} networks${unaligned} gets ${formatPercent(merged.accuracy)} of ${formatCount(images)} images right: ` +
    `${than('they do on average', expected)}, ${than('the ensemble of their logits', ensemble)}.`
  );
}

/** "Its loss is 0.151, theirs 0.121 on average, the ensemble's 0.103." */
function losses({ scores }: MergeVerdictInput, expected: LossAndAccuracy): string {
  const [merged, ensemble] = [scores.merged.loss, scores.ensemble.loss].map((loss) => formatNumber(loss));
  return `Its loss is ${merged}, theirs ${formatNumber(expected.loss)} on average, the ensemble's ${ensemble}.`;
}

/** Where activations say nothing: what was left out, in the order in which it matters. */
function adviceFor({ model, scores, strategy, align, renormalise }: MergeVerdictInput): string {
  const batchNorm = hasBatchNorm(model);
  if (strategy === 'none') return 'match the units first: leave out --strategy none';
  if (align === 'none' || align === 'random') {
    return `match the units first: --align weight${batchNorm && renormalise === 'none' ? ' --renormalise reset' : ''}`;
  }
  if (renormalise === 'none') {
    return batchNorm
      ? 'its running statistics are a mean and belong to no network, estimate them anew: --renormalise reset'
      : 'bring the activations back to what they are in the models: --renormalise repair, or rescale';
  }
  if (scores.models.length > 2 && strategy !== 'cycle-consistent') {
    return 'match all models jointly, by weights: --align weight --strategy cycle-consistent';
  }
  // Joint matching goes by weights alone.
  const pairwise = strategy === 'cycle-consistent' ? ' with --strategy reference' : '';
  const other = align === 'weight' ? `activation or straight-through${pairwise}` : 'weight';
  return `another matching, --align ${other} (rebasin compare tries all on a pair); networks that are wider or were trained longer merge better`;
}
