import type { Study } from '../study.ts';

/** Git Re-Basin's own limit: one basin is no theorem. */
export const counterexample: Study = {
  name: 'counterexample',
  title: 'A counterexample to one basin for all',
  question:
    'Can every two good networks be brought into one basin? Two networks 2-2-2-1, written by hand, solve one task without a mistake; between the first and all four permutations of the second, the share of wrong answers is measured.',
  budget: { small: 'seconds', large: 'seconds' },
  points: () => [{ at: {}, job: { kind: 'counterexample', networks: [], samples: 65_536, points: 9 } }],
  figures: () => [],
  claims: () => [
    {
      text: 'Under every permutation a barrier is left: at least a tenth of the answers are wrong on the way.',
      source: 'Ainsworth et al. 2022, Git Re-Basin, section on failures (code: sgd_is_special)',
      holds: ['none', 'layer 1', 'layer 2', 'both'].map((swap) => ({
        larger: { path: `${swap}|barrier` },
        smaller: 0.1,
        isExact: true,
      })),
    },
  ],
};
