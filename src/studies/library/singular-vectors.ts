import type { TrainSpec } from '../job-spec.ts';
import { grid, independent, type Study } from '../study.ts';
import { hiddenLayers, REPEATS } from './networks.ts';
import { MATCHINGS } from './pairs.ts';

const GAMMAS = [0, 0.1, 0.2, 0.3, 0.4, 0.5] as const;
const LARGE = 0.3;

const score = (matching: string, gamma: number) => ({ path: `score|${gamma}`, at: { matching } });

/** Ito et al.: what weight matching aligns are the directions of large singular values. */
export const singularVectors: Study = {
  name: 'singular-vectors',
  title: 'Which singular vectors weight matching aligns',
  question:
    'What does weight matching match? The alignment score R(gamma) of the singular vectors whose values are at least gamma times the largest, between A and B as trained and matched.',
  budget: { small: '4 minutes on 2 cores', large: '20 minutes on a GPU' },
  points: (size) =>
    grid({ matching: MATCHINGS, repeat: REPEATS[size] }, ({ matching, repeat }) => {
      const networks = independent<[TrainSpec, TrainSpec]>(2, repeat, (seed) => hiddenLayers(size, seed));
      return {
        ...{ kind: 'spectrum', networks, match: { method: matching }, gammas: GAMMAS },
      };
    }),
  figures: () => [
    {
      title: 'Alignment of singular vectors',
      x: { label: 'gamma: smallest singular value that counts, beside the largest' },
      y: { label: 'R(gamma)' },
      lines: [
        { name: 'as trained', points: GAMMAS.map((x) => ({ x, quantity: score('none', x) })) },
        { name: 'weights matched', points: GAMMAS.map((x) => ({ x, quantity: score('weight', x) })) },
      ],
    },
  ],
  claims: () => [
    {
      text: 'Matching raises the alignment of large singular directions.',
      source: 'Ito, Yamada and Kumagai 2024, section 4 (figure: R with and without permutation)',
      holds: [{ larger: score('weight', LARGE), smaller: score('none', LARGE) }],
    },
    {
      text: 'It aligns large singular directions more than all of them.',
      source: 'Ito, Yamada and Kumagai 2024, section 4',
      holds: [{ larger: score('weight', LARGE), smaller: score('weight', 0) }],
    },
  ],
};
