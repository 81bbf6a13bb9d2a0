/** Results of studies that look like real ones, made without a GPU: every verdict, every kind of figure. */
import type {
  StudyClaim,
  StudyComparison,
  StudyFields,
  StudyFigure,
  StudyPoint,
  StudyResult,
} from '../../../src/report/study-result.ts';

/** Three repetitions around a mean. */
function point(x: number | string, mean: number, spread: number): StudyPoint {
  return {
    x,
    mean,
    margin: 1.7 * spread,
    values: [mean - spread, mean + 0.25 * spread, mean + 0.75 * spread],
  };
}

export function syntheticComparison(overrides: Partial<StudyComparison> = {}): StudyComparison {
  return {
    ...{ verdict: 'held', repetitions: 3, atLeastTimes: 1, by: 0 },
    ...{ largerName: 'none barrier loss, width 16', smallerName: 'none barrier loss, width 128' },
    ...{ larger: 1.234, smaller: 0.123, excess: 1.111, margin: 0.21 },
    ...overrides,
  };
}

const WIDTHS = [16, 32, 64, 128];

const barriers: StudyFigure = {
  title: 'Loss barrier',
  x: { label: 'width of the hidden layers', isLogarithmic: true },
  y: { label: 'test loss barrier' },
  lines: [
    { name: 'as trained', points: WIDTHS.map((x, i) => point(x, 1.5 - 0.06 * i, 0.12)) },
    { name: 'weights matched', points: WIDTHS.map((x, i) => point(x, 1.1 / (1 + i * i), 0.1 / (1 + i))) },
  ],
};

const accuracies: StudyFigure = {
  title: 'Accuracy half-way',
  x: { label: 'sparsity' },
  y: { label: 'test accuracy', isPercentage: true },
  lines: [
    {
      name: 'pruned',
      points: [0.5, 0.7, 0.8, 0.9, 0.95].map((x, i) => point(x, 0.97 - 0.004 * i * i, 0.002)),
    },
  ],
};

const losses: StudyFigure = {
  title: 'Test loss half-way',
  x: { label: 'matching' },
  y: { label: 'test loss' },
  lines: ['merged', 'merged, calibrated', 'merged, REPAIR', 'ensemble', 'better end'].map((name, i) => ({
    name,
    points: [point('none', 1.4 / (i + 1), 0.1), point('weight', 0.5 / (i + 1), 0.05)],
  })),
};

const steps: StudyFigure = {
  title: 'Steps until 95 % are right',
  x: { label: 'where training starts' },
  y: { label: 'steps', isLogarithmic: true },
  lines: [
    {
      name: 'steps',
      points: [
        point('none', 40, 6),
        point('weight', 4, 1.5),
        point('straight-through', 6, 5),
        { x: 'scratch', mean: 180, values: [180] },
      ],
    },
  ],
};

function study(
  name: string,
  title: string,
  claims: readonly StudyClaim[],
  figures: readonly StudyFigure[],
): StudyFields {
  return {
    ...{ name, title, size: 'small', budget: '5 minutes on 2 cores', adapters: ['test'] },
    question: `What is asked by “${title}”, and how it is measured, in a sentence that is long enough to be broken.`,
    ...{ jobs: 48, jobSeconds: 240.5, measurements: 24, hash: 'c'.repeat(64), claims, figures },
  };
}

/** Two studies with four claims, one of each verdict and an exact one, and four figures. */
export function syntheticStudies(overrides: Partial<StudyResult> = {}): StudyResult {
  const claim = (
    text: string,
    verdict: StudyClaim['verdict'],
    ...comparisons: readonly StudyComparison[]
  ): StudyClaim => ({ text, source: 'Ainsworth et al. 2022, section 5', verdict, comparisons });
  return {
    ...{ command: 'study', version: '0.1.0', adapter: 'test', seed: 0, seconds: 12, hash: 'b'.repeat(64) },
    studies: [
      study(
        'width',
        'Barrier against width',
        [
          claim('The barrier falls as networks get wider.', 'held', syntheticComparison()),
          claim(
            'Matching takes away at least half of it.',
            'not held',
            syntheticComparison({
              ...{
                verdict: 'not held',
                larger: 0.2,
                smaller: 0.15,
                atLeastTimes: 2,
                excess: -0.1,
                margin: 0.04,
              },
            }),
            syntheticComparison(),
          ),
          claim(
            'Rescaling is no worse by more than a point.',
            'not decided',
            syntheticComparison({
              ...{
                verdict: 'not decided',
                larger: 0.956,
                smaller: 0.963,
                by: -0.01,
                excess: 0.003,
                margin: 0.005,
              },
            }),
          ),
        ],
        [barriers, accuracies, losses, steps],
      ),
      study(
        'counterexample',
        'A counterexample to one basin for all',
        [
          claim(
            'Under every permutation a barrier is left.',
            'held',
            syntheticComparison({
              ...{ largerName: 'both barrier', larger: 0.25, smaller: 0.1, isExact: true, excess: 0.15 },
              ...{ repetitions: 1, margin: undefined as never, smallerName: undefined as never },
            }),
          ),
        ],
        [],
      ),
    ],
    ...overrides,
  };
}
