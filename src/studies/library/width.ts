import { grid, type Study } from '../study.ts';
import { hiddenLayers, REPEATS } from './networks.ts';
import { ACCURACY_BARRIER, LOSS_BARRIER, linesByMatching, MATCHINGS, POINTS, pairJob } from './pairs.ts';

const WIDTHS = { small: [16, 32, 64, 128], large: [64, 128, 256, 512, 1024] } as const;

/** Git Re-Basin's central finding: wider networks are easier to bring into one basin. */
export const width: Study = {
  name: 'width',
  title: 'Barrier against width',
  question:
    'Do wider networks have lower barriers once their units are matched? Pairs of MLPs with three hidden layers, trained from different seeds, are interpolated as they were trained and with weights matched.',
  budget: { small: '5 minutes on 2 cores', large: '1 hour on a GPU' },
  points: (size) =>
    grid({ width: WIDTHS[size], matching: MATCHINGS, repeat: REPEATS[size] }, ({ width, matching, repeat }) =>
      pairJob(
        repeat,
        (seed) => hiddenLayers(size, seed, { width }),
        { method: matching },
        {
          points: POINTS[size],
        },
      ),
    ),
  figures: () => [
    {
      title: 'Loss barrier',
      x: { label: 'width of the hidden layers', isLogarithmic: true },
      y: { label: 'test loss barrier' },
      lines: linesByMatching('width', LOSS_BARRIER),
    },
    {
      title: 'Accuracy barrier',
      x: { label: 'width of the hidden layers', isLogarithmic: true },
      y: { label: 'test accuracy barrier', isPercentage: true },
      lines: linesByMatching('width', ACCURACY_BARRIER),
    },
  ],
  claims: (size) => {
    const widths = WIDTHS[size];
    const [narrow, wide] = [widths[0]!, widths[widths.length - 1]!];
    const matched = (width: number) => ({ path: ACCURACY_BARRIER, at: { matching: 'weight', width } });
    return [
      {
        text: 'With matched weights the accuracy barrier falls as networks get wider.',
        source: 'Ainsworth et al. 2022, Git Re-Basin, section 5 (figure: barrier against width)',
        holds: [{ larger: matched(narrow), smaller: matched(wide) }],
      },
      {
        text: 'At the largest width, matching takes away at least half of the loss barrier.',
        source: 'Ainsworth et al. 2022, Git Re-Basin, section 5',
        holds: [
          {
            larger: { path: LOSS_BARRIER, at: { matching: 'none', width: wide } },
            smaller: { path: LOSS_BARRIER, at: { matching: 'weight', width: wide } },
            atLeastTimes: 2,
          },
        ],
      },
    ];
  },
};
