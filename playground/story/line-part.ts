/** Part 3 of the story: both lines between the networks, a slider along them, and what the networks there make of sample images. */
import { element, figure, section } from '../../src/report/elements.ts';
import { formatBarrier, formatPercent } from '../../src/report/format.ts';
import { interpolationFigure } from '../../src/report/interpolation-figure.ts';
import type { Line, Measure, SplitName } from '../../src/report/lines.ts';
import { baseOptions } from '../../src/report/plot-style.ts';
import type { SweepCurves } from '../../src/report/results.ts';
import { liveDrawing } from '../drawing.ts';
import { figureExports } from '../export/figure-exports.ts';
import type { Classification } from './classify-task.ts';
import type { LineName } from './line-name.ts';
import { type SampleGrid, sampleGrid } from './sample-grid.ts';
import type { Story } from './story-task.ts';

const HEIGHT = 270;
const SPLITS: readonly SplitName[] = ['test'];

export interface LinePart {
  readonly root: HTMLElement;
  clear(): void;
  /** The networks can no longer be asked. */
  pause(): void;
  curve(name: LineName, curves: SweepCurves): void;
  /** The networks can be asked from now on. */
  ready(story: Story, lambda: number): void;
  classified(classification: Classification): void;
}

/** @param ask called with every lambda that the slider is moved to. */
export function linePart(ask: (lambda: number) => void): LinePart {
  const curves = new Map<LineName, SweepCurves>();
  const marker = () => element('div', { class: 'marker', 'aria-hidden': 'true' });
  const panels = (['loss', 'accuracy'] as const).map((measure) => {
    const drawing = liveDrawing(
      HEIGHT,
      (width) => draw(measure, width),
      'once they are aligned, point by point',
    );
    const line = marker();
    const box = element('div', { class: 'marked' }, drawing.root, line);
    const title = measure === 'loss' ? 'Test loss' : 'Test accuracy';
    return { drawing, line, root: figureExports(`interpolation-${measure}`, figure(title, box)) };
  });
  const facts = element('dl', { class: 'facts' });
  const slider = element('input', {
    ...{ type: 'range', id: 'lambda', min: '0', max: '1', step: '0.01', value: '0.5', disabled: '' },
  });
  const output = element('output', { for: 'lambda' });
  const said = element('p', { class: 'said', role: 'status' });
  const grid: SampleGrid = sampleGrid();
  const root = section(
    'The line between them',
    element(
      'p',
      {},
      'Every point of the line is a network: the weights (1 − λ) A + λ B, with B as it was trained (',
      element('span', { class: 'naive' }, 'naive'),
      ') or in the order found above (',
      element('span', { class: 'aligned' }, 'aligned'),
      ').',
    ),
    facts,
    element('div', { class: 'pair' }, ...panels.map((panel) => panel.root)),
    element(
      'div',
      { class: 'slider' },
      element('label', { for: 'lambda' }, 'Point λ of the line'),
      slider,
      output,
    ),
    said,
    grid.root,
  );

  function draw(measure: Measure, width: number): Node | undefined {
    const lines = (['naive', 'aligned'] as const).flatMap((name): Line[] => {
      const found = curves.get(name);
      return found ? [{ name, curves: found, measures: ['loss', 'accuracy'] }] : [];
    });
    if (lines.length === 0) return undefined;
    return interpolationFigure({ lines, splits: SPLITS, measure, width, height: HEIGHT });
  }
  const { marginLeft, marginRight } = baseOptions(0, HEIGHT);
  function showLambda(lambda: number): void {
    slider.value = String(lambda);
    output.textContent = lambda.toFixed(2);
    const end = lambda === 0 ? ': network A itself' : lambda === 1 ? ': network B itself' : '';
    slider.setAttribute('aria-valuetext', `${lambda.toFixed(2)}${end}`);
    for (const { line } of panels) {
      line.style.left = `calc(${marginLeft}px + ${lambda} * (100% - ${marginLeft + marginRight}px))`;
    }
  }
  slider.addEventListener('input', () => {
    showLambda(Number(slider.value));
    ask(Number(slider.value));
  });
  function showFacts(uncorrected?: Story['uncorrected'], correction = ''): void {
    const [naive, aligned] = [curves.get('naive')?.test, curves.get('aligned')?.test];
    const fact = (name: string, before: string | undefined, after: string | undefined) => {
      const parts = element('dd');
      if (before) parts.append(element('span', { class: 'naive', title: 'naive' }, before));
      if (before && after)
        parts.append(element('span', { class: 'arrow', role: 'img', 'aria-label': 'to' }, '→'));
      if (after) parts.append(element('span', { class: 'aligned', title: 'aligned' }, after));
      return element('div', {}, element('dt', {}, name), parts);
    };
    const row = (name: string, value: (curve: NonNullable<typeof naive>) => string) =>
      fact(name, naive && value(naive), aligned && value(aligned));
    if (!naive && !aligned) facts.replaceChildren();
    else
      facts.replaceChildren(
        row('Barrier of the test loss', ({ barrier }) => formatBarrier(barrier.loss)),
        row('Test accuracy half-way', ({ midpoint }) => formatPercent(midpoint.accuracy)),
        ...(uncorrected
          ? [
              fact(
                `The same without ${correction}`,
                formatPercent(uncorrected.naive.accuracy),
                formatPercent(uncorrected.aligned.accuracy),
              ),
            ]
          : []),
      );
  }
  root.classList.add('line-part');
  showLambda(0.5);

  return {
    root,
    clear() {
      curves.clear();
      slider.disabled = true;
      said.textContent = '';
      grid.clear();
      showFacts();
      for (const { drawing, line } of panels) {
        line.hidden = true;
        drawing.redraw();
      }
    },
    pause() {
      slider.disabled = true;
    },
    curve(name, found) {
      curves.set(name, found);
      showFacts();
      for (const { drawing } of panels) drawing.redraw();
    },
    ready({ samples, uncorrected, correction }, lambda) {
      slider.disabled = false;
      showFacts(uncorrected, correction);
      for (const { line } of panels) line.hidden = false;
      grid.show(samples);
      showLambda(lambda);
    },
    classified(classification) {
      const { naive, aligned, of } = grid.classify(classification);
      said.replaceChildren(
        `At λ = ${classification.lambda.toFixed(2)}, of the first ${of} test images: `,
        element('span', { class: 'naive' }, `naive ${naive} right`),
        ', ',
        element('span', { class: 'aligned' }, `aligned ${aligned} right`),
        '.',
      );
    },
  };
}
