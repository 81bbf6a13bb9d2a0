/** What the report shows of an age path: pictures and tables. */
import { heldOutFigure, solutionFigure } from './age-path-figure.ts';
import type { AgePathResult } from './age-path-result.ts';
import { agePathRows, problemInWords } from './age-path-summary.ts';
import { element, type Fact, figure, headingRow, responsive, section, table } from './elements.ts';
import { formatCount, formatNumber } from './format.ts';

const height = 320;
/** Rows of the table of events: beyond, the JSON has them. */
const mostEvents = 400;

/** The sections of an age path. */
export function agePathSections(result: AgePathResult): HTMLElement[] {
  const { curves, heldOut } = result;
  const solution = figure(
    curves.quantity === 'margin' ? 'Margins' : 'Coefficients',
    responsive(height, (width) => solutionFigure(result, width, height)),
    'against the age',
  );
  const pictures = element('div', { class: heldOut ? 'pair' : '' }, solution);
  if (heldOut) {
    const drawing = responsive(height, (width) => heldOutFigure(result, width, height)!);
    pictures.append(
      figure(`Held-out ${heldOut.measure}`, drawing, 'line: path; circles: grid; dotted: all samples'),
    );
  }
  const [head, ...rows] = agePathRows(result);
  return [
    section(
      'Along the age',
      pictures,
      element(
        'p',
        { class: 'note' },
        'Upright dashed lines are jumps: there a branch of solutions ends. Ticks at the bottom are changes of sets, where the path has a kink.',
      ),
    ),
    section(
      'Path and grid',
      table('Work and what it found', [headingRow(head!.map((text) => ({ text })))], rows),
      element(
        'p',
        { class: 'note' },
        'The grid is alternating search at each age, started from the solution of the age before. A linear solve is the factorisation of one dense matrix, of whatever size.',
      ),
    ),
    events(result),
  ];
}

function events({ events: all }: AgePathResult): HTMLElement {
  const rows = all
    .slice(0, mostEvents)
    .map((event) => [
      formatNumber(event.age, 6),
      event.kind,
      event.sample !== undefined
        ? `sample ${event.sample}`
        : event.coefficient !== undefined
          ? `coefficient ${event.coefficient}`
          : '–',
      event.before && event.after ? `${event.before} → ${event.after}` : '–',
      event.jump === undefined ? '–' : formatNumber(event.jump, 3),
    ]);
  const head = headingRow(['age', 'kind', 'who', 'sets', 'jump'].map((text) => ({ text })));
  const title =
    all.length > mostEvents ? `The first ${mostEvents} of ${all.length} events` : `All ${all.length} events`;
  return element('details', {}, element('summary', {}, title), table('Events along the path', [head], rows));
}

/** What was run. */
export function agePathFacts(result: AgePathResult): Fact[] {
  const { data, settings } = result;
  return [
    ['Problem', problemInWords(result)],
    ['Weights', result.regulariser],
    [
      'Data',
      `${data.name}: ${formatCount(data.train)} to train, ${formatCount(data.heldOut)} held out, ${formatCount(data.features)} features`,
    ],
    [
      'Settings',
      Object.entries(settings)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    ],
    ['Residual', result.path.residual.toExponential(1)],
    ['Seed', String(result.seed)],
  ];
}
