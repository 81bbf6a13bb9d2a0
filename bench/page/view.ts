/** What the bench page runs: figures and tables of the result lines that it holds. Bundled by scripts/build-bench.mjs. */
import { lineLooks, lineMark } from '../../src/report/study-figure.ts';
import { parseResultLines, type ResultLine } from '../result-line.ts';
import { round, words } from '../table.ts';
import { judgeTargets } from '../targets.ts';
import { barsFigure, enginesOf, fastest, shortName, timesFigure } from './figures.ts';

const WIDTH = 980;

function element(name: string, className: string, ...children: (Node | string)[]): HTMLElement {
  const made = document.createElement(name);
  if (className !== '') made.className = className;
  made.append(...children);
  return made;
}

function figure(caption: (Node | string)[], drawing: Element): HTMLElement {
  const drawn = element('div', 'drawing');
  drawn.append(drawing);
  const scroller = element('div', 'scroller', drawn);
  return element('figure', '', element('figcaption', '', ...caption), scroller);
}

/** @param shown those of all engines that the figure has. */
function keys(shown: readonly string[], engines: readonly string[]): HTMLElement {
  const looks = lineLooks(engines.length);
  return element(
    ...(['div', 'keys'] as const),
    ...shown.map((engine) => element('span', 'key', lineMark(looks[engines.indexOf(engine)]!), engine)),
  );
}

function familySection(
  family: string,
  lines: readonly ResultLine[],
  engines: readonly string[],
): HTMLElement {
  const section = element('section', '', element('h2', '', family));
  const present = engines.filter((engine) => lines.some((line) => line.engine === engine && line.minMs));
  if (fastest(lines).length > 0) {
    const caption = [element('strong', '', 'Least time'), ' ', keys(present, engines)];
    section.append(figure(caption, timesFigure(lines, engines, WIDTH)));
  }
  const compared = barsFigure(lines, {
    ...{
      value: (line) => line.ratioToBestPeer,
      label: 'times as fast as the best peer',
      from: 1,
      width: WIDTH,
    },
    format: (value) => `${value.toPrecision(2)}x`,
  });
  if (compared)
    section.append(figure([element('strong', '', 'Against the best peer of the same run')], compared));
  const roofs = barsFigure(lines, {
    ...{ value: (line) => line.roofShare, label: 'share of the roof', from: 0, width: WIDTH },
    format: (value) => `${Math.round(100 * value)}%`,
  });
  if (roofs) section.append(figure([element('strong', '', 'Share of what this adapter can do')], roofs));
  section.append(numbers(lines));
  return section;
}

const COLUMNS: readonly (readonly [name: string, value: (line: ResultLine) => number | undefined])[] = [
  ['min ms', (line) => line.minMs],
  ['median ms', (line) => line.medianMs],
  ['GPU ms', (line) => line.gpuMs],
  ['first ms', (line) => line.firstMs],
  ['GFLOP/s', (line) => line.gflops],
  ['GB/s', (line) => line.gigabytesPerSecond],
  ['of the roof', (line) => line.roofShare],
  ['to best peer', (line) => line.ratioToBestPeer],
];

function numbers(lines: readonly ResultLine[]): HTMLElement {
  const used = COLUMNS.filter(([, value]) => lines.some((line) => value(line) !== undefined));
  const cell = (text: string, header = false) => element(header ? 'th' : 'td', '', text);
  const head = element(
    'tr',
    '',
    ...['case', 'engine', ...used.map(([name]) => name), ''].map((name) => cell(name, true)),
  );
  const rows = lines.map((line) => {
    const wait = line.wait === 'sleeping' ? ', sleeping wait' : '';
    const figures = Object.entries(line.figures ?? {}).map(
      ([unit, value]) => `${round(value)} ${words(unit)}`,
    );
    return element(
      ...(['tr', ''] as const),
      cell(shortName(line.case), true),
      cell(`${line.engine}${wait}`),
      ...used.map(([, value]) => {
        const found = value(line);
        return cell(found === undefined ? '' : found.toPrecision(3));
      }),
      cell([line.error ?? '', ...figures].join(' ').trim()),
    );
  });
  const table = element('table', 'compared', element('thead', '', head), element('tbody', '', ...rows));
  const summary = element('summary', '', 'Numbers');
  return element('details', 'numbers', summary, element('div', 'scroller', table));
}

/** What the adapter can do at most, in large figures. */
function roofsSection(lines: readonly ResultLine[]): HTMLElement {
  const facts = lines.flatMap(({ gflops, gigabytesPerSecond }) => [
    ...(gigabytesPerSecond === undefined ? [] : [['copying', `${round(gigabytesPerSecond)} GB/s`] as const]),
    ...(gflops === undefined ? [] : [['multiply-adds in registers', `${round(gflops)} GFLOP/s`] as const]),
  ]);
  const pairs = facts.map(([what, rate]) =>
    element('div', '', element('dt', '', what), element('dd', '', rate)),
  );
  return element('section', '', element('h2', '', 'Roofs'), element('dl', 'facts', ...pairs));
}

function targetsSection(lines: readonly ResultLine[]): HTMLElement {
  const judgements = judgeTargets(lines).filter(({ verdict }) => verdict !== 'not measured');
  const items = judgements.map(({ target, verdict, numbers: found }) => {
    const bound = target.atLeast === undefined ? `at most ${target.atMost}` : `at least ${target.atLeast}`;
    const values = found.map(({ value }) => round(value)).join(', ');
    const mark = element('span', `verdict ${verdict === 'met' ? 'held' : 'not-held'}`, verdict);
    return element('p', '', mark, ` ${target.what}: ${bound}; ${values}`);
  });
  return element('section', '', element('h2', '', 'Targets'), ...items);
}

const root = document.getElementById('bench');
const embedded = document.getElementById('lines');
if (root && embedded) {
  const lines = parseResultLines(JSON.parse(embedded.textContent) as string);
  const engines = enginesOf(lines).filter((engine) => engine !== 'adapter');
  const families = [...new Set(lines.map((line) => line.case.slice(0, line.case.indexOf('/'))))];
  if (judgeTargets(lines).some(({ verdict }) => verdict !== 'not measured'))
    root.append(targetsSection(lines));
  for (const family of families) {
    const own = lines.filter((line) => line.case.startsWith(`${family}/`));
    root.append(family === 'roof' ? roofsSection(own) : familySection(family, own, engines));
  }
}
