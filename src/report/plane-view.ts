/** What the report shows of a plane: the numbers to take away, the pictures, and a table of the models and the points half-way. */

import { element, figure, headingRow, responsive, section, table } from './elements.ts';
import { formatNumber, formatPercent, shown } from './format.ts';
import type { SplitName } from './lines.ts';
import { planeFigure, planeHeight, planeLegend } from './plane-figure.ts';
import { planeRows, planeSplits } from './plane-summary.ts';
import type { PlaneResult } from './results.ts';

/** The sections of a plane, from the facts under the headline on. */
export function planeSections(result: PlaneResult): HTMLElement[] {
  const splits = planeSplits(result);
  return splits.flatMap((split, i) => [
    ...(i === 0 ? [facts(result, split)] : []),
    pictures(result, split),
    places(result, split),
  ]);
}

/** Loss half-way between the models. */
function facts(result: PlaneResult, split: SplitName): HTMLElement {
  const rows = planeRows(result, split).slice(result.models.length);
  const parts = rows.map(({ place, loss }) =>
    element(
      'div',
      {},
      element('dt', {}, `${capitalised(split)} loss ${shown(place)}`),
      element('dd', {}, loss),
    ),
  );
  return element('dl', { class: 'facts' }, ...parts);
}

function pictures(result: PlaneResult, split: SplitName): HTMLElement {
  const panel = (measure: 'loss' | 'accuracy') => {
    const drawing = responsive(
      (width) => planeHeight(result, width),
      (width) => planeFigure({ result, split, measure, width }),
    );
    const legend = responsive(34, (width) => planeLegend({ result, split, measure, width }));
    const content = element('div', { class: 'plane' }, legend, drawing);
    return figure(`${capitalised(split)} ${measure}`, content, rangeOf(result[split]![measure], measure));
  };
  const { x, y } = result.grid;
  const [a, b, c] = result.models;
  const { loss } = result[split]!;
  const broken = loss.some((row) => !row.every(Number.isFinite));
  return section(
    `On the plane through ${result.models.map(({ name }) => shown(name)).join(', ')}`,
    element('div', { class: 'pair' }, panel('loss'), panel('accuracy')),
    element(
      'p',
      { class: 'note' },
      `${x.length} × ${y.length} points. Axes are L2 distances between weights: ${shown(b!.name)} is ${formatNumber(b!.x)} from ${a!.name}, ` +
        `${shown(c!.name)} ${formatNumber(Math.hypot(c!.x, c!.y))} from ${a!.name} and ${formatNumber(Math.hypot(c!.x - b!.x, c!.y))} from ${shown(b!.name)}. ` +
        `${broken ? 'Blank: the loss is not finite there.' : ''}`.trim(),
    ),
  );
}

/** From the best to the worst of the points. */
function rangeOf(rows: readonly (readonly number[])[], measure: 'loss' | 'accuracy'): string {
  const values = rows.flat().filter((value) => Number.isFinite(value));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return measure === 'loss'
    ? `from ${formatNumber(low)} to ${formatNumber(high)}`
    : `from ${formatPercent(high)} to ${formatPercent(low)}`;
}

function places(result: PlaneResult, split: SplitName): HTMLElement {
  const columns = ['place', 'loss', 'accuracy', 'loss over the mean of both', 'accuracy below it, points'];
  const rows = planeRows(result, split).map((row) => [
    shown(row.place),
    row.loss,
    row.accuracy,
    row.lossRise,
    row.accuracyFall,
  ]);
  return section(
    `The networks and half-way, on ${split === 'test' ? 'test' : 'training'} data`,
    table(
      'Loss and accuracy at the networks and half-way between them',
      [headingRow(columns.map((text) => ({ text })))],
      rows,
    ),
  );
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
