/** Part 2 of the story: the permutation of each group of units, sweep after sweep. */
import type { DemoProgress } from 'rebasin';
import { element, figure, section } from '../../src/report/elements.ts';
import { objectiveFigure } from '../../src/report/figures.ts';
import { plural } from '../../src/report/format.ts';
import { objectiveHistory } from '../../src/report/lines.ts';
import type { MatchFields } from '../../src/report/results.ts';
import { matchSentence } from '../../src/report/summary.ts';
import { liveDrawing } from '../drawing.ts';
import { figureExports } from '../export/figure-exports.ts';
import { Matrix } from './matrix.ts';

const HEIGHT = 200;
const MATRIX = 144;
/** How long each sweep is shown, at least; a fourth of it where more than these many wait. */
const EYE_MS = 480;
const MANY = 12;
/** Networks have up to dozens of groups; more than these would say no more. */
const MOST = 6;

export interface MatchingPart {
  readonly root: HTMLElement;
  clear(): void;
  progress(progress: DemoProgress): void;
  matched(match: MatchFields): void;
}

export function matchingPart(): MatchingPart {
  let matrices = new Map<string, Matrix>();
  let history: number[] = [];
  const boxes = element('div', { class: 'moving-matrices', 'data-waiting': 'when both are trained' });
  const sentence = element('p', { class: 'sentence' });
  const drawing = liveDrawing(HEIGHT, (width) =>
    history.length > 0 ? objectiveFigure(history, width, HEIGHT) : undefined,
  );
  const objective = figureExports(
    'objective',
    figure('Objective', drawing.root, 'how well the weights agree, after each sweep'),
  );
  const root = section(
    'Aligned',
    element(
      'p',
      {},
      'Which unit of a hidden layer is the first is chance. Reordering the units of B, with their weights, changes nothing about what B ' +
        'computes; so one may ask for the order in which B looks most like A.',
    ),
    element('div', { class: 'matching' }, boxes, objective),
    sentence,
    element(
      'p',
      { class: 'note' },
      'Each square is the permutation of one layer’s hidden units: a dot in row i and column j says that unit i of the aligned network was ' +
        'unit j of B. Coloured dots were moved by the last sweep.',
    ),
  );
  let last: Readonly<Record<string, ArrayLike<number>>> = {};
  /** Returns how many units moved, of all groups. */
  const show = (permutations: typeof last): number => {
    const before = last;
    last = permutations;
    for (const [name, permutation] of Object.entries(permutations).slice(0, MOST)) {
      let matrix = matrices.get(name);
      if (matrix === undefined) {
        matrix = new Matrix(name, permutation.length, MATRIX);
        matrices.set(name, matrix);
        boxes.append(matrix.root);
      }
      matrix.show(permutation);
    }
    const moved = ([name, permutation]: [string, ArrayLike<number>]) =>
      Array.from(permutation).filter((unit, i) => unit !== (before[name]?.[i] ?? i)).length;
    return Object.entries(permutations).reduce((sum, group) => sum + moved(group), 0);
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    for (const matrix of matrices.values()) matrix.redraw();
  });

  // Matching may be faster than the eye: what it reports is shown one after the other, each long enough to be seen.
  let coming: (() => void)[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const showNext = () => {
    timer = undefined;
    const next = coming.shift();
    if (next === undefined) return;
    next();
    timer = setTimeout(showNext, coming.length > MANY ? EYE_MS / 4 : EYE_MS);
  };
  const showInTurn = (next: () => void) => {
    coming.push(next);
    if (timer === undefined) showNext();
  };

  return {
    root,
    clear() {
      clearTimeout(timer);
      timer = undefined;
      coming = [];
      matrices = new Map();
      last = {};
      history = [];
      boxes.replaceChildren();
      sentence.textContent = '';
      objective.hidden = true;
      drawing.redraw();
    },
    progress({ done, permutations, objective: reached }) {
      if (permutations === undefined) return;
      showInTurn(() => {
        const moved = show(permutations);
        sentence.textContent = done === 0 ? 'As trained.' : `Sweep ${done}: ${plural(moved, 'unit')} moved.`;
        if (reached === undefined) return;
        history.push(reached);
        objective.hidden = false;
        drawing.redraw();
      });
    },
    matched(match) {
      showInTurn(() => {
        show(match.permutations);
        history = objectiveHistory(match) ?? [];
        objective.hidden = history.length === 0;
        const groups = Object.keys(match.permutations).length;
        const rest = groups > MOST ? ` The first ${MOST} of ${groups} groups are shown.` : '';
        sentence.textContent = `${matchSentence(match)}${rest}`;
        drawing.redraw();
      });
    },
  };
}
