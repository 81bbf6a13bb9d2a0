/** Part 1 of the story: both networks train, and their losses are drawn as they come. */
import type { DemoProgress } from 'rebasin';
import { element, figure, section } from '../../src/report/elements.ts';
import { formatPercent } from '../../src/report/format.ts';
import { networkColours } from '../../src/report/plot-style.ts';
import type { TrainingFields } from '../../src/report/results.ts';
import { liveDrawing } from '../drawing.ts';
import { figureExports } from '../export/figure-exports.ts';
import { type LossPoint, lossFigure } from './loss-figure.ts';
import type { StorySettings } from './settings.ts';

const HEIGHT = 250;

export interface TrainingPart {
  readonly root: HTMLElement;
  /** Networks are trained anew. */
  clear(settings: StorySettings): void;
  progress(progress: DemoProgress): void;
  trained(networks: readonly TrainingFields[]): void;
}

export function trainingPart(): TrainingPart {
  let settings: StorySettings | undefined;
  let curves: LossPoint[][] = [[], []];
  const names = () => [`A, seed ${settings?.seed}`, `B, seed ${settings?.secondSeed}`];
  const drawing = liveDrawing(HEIGHT, (width) =>
    settings ? lossFigure(curves, names(), settings.epochs, width, HEIGHT) : undefined,
  );
  const facts = element('dl', { class: 'accuracies' });
  const root = section(
    'Two networks, trained apart',
    element(
      'p',
      {},
      'A and B have the same shape and see the same images, but begin with different random weights and see them in different orders.',
    ),
    element(
      'div',
      { class: 'training' },
      figureExports(
        'training-loss',
        figure('Training loss', drawing.root, 'mean of the steps since the last point'),
      ),
      facts,
    ),
  );
  const fact = (name: string, value: string, colour: string) =>
    element('div', {}, element('dt', {}, name), element('dd', { style: `color: ${colour}` }, value));
  const showFacts = (values: readonly string[]) =>
    facts.replaceChildren(
      ...names().map((name, i) => fact(`Test accuracy of ${name}`, values[i]!, networkColours[i]!)),
    );

  return {
    root,
    clear(next) {
      settings = next;
      curves = [[], []];
      showFacts(['–', '–']);
      drawing.redraw();
    },
    progress({ stage, done, total, loss }) {
      if (loss === undefined || !settings) return;
      const curve = curves[stage === 'train A' ? 0 : 1]!;
      curve.push({ epoch: (settings.epochs * done) / total, loss });
      drawing.redraw();
    },
    trained(networks) {
      showFacts(networks.map(({ test }) => (test ? formatPercent(test.accuracy) : '–')));
      drawing.redraw();
    },
  };
}
