/** The figures of the bench page: times of everyone in each case, and what this library's times are of the best peer's and of the roof. */
import * as Plot from '@observablehq/plot';
import { asImage, baseOptions, ink, muted, type Svg } from '../../src/report/plot-style.ts';
import { lineLooks } from '../../src/report/study-figure.ts';
import { isOurs, type ResultLine } from '../result-line.ts';

const ROW = 22;
const NAMES = 340;
/** Pixels of a letter at an axis, about. */
const LETTER = 7.2;

/** Cases without what all of them begin with. */
export function shortName(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}

/** The better wait of each engine in each case that has times. */
export function fastest(lines: readonly ResultLine[]): ResultLine[] {
  const best = new Map<string, ResultLine>();
  for (const line of lines) {
    if (line.minMs === undefined) continue;
    const key = `${line.case}\n${line.engine}`;
    const before = best.get(key);
    if (!before || line.minMs < before.minMs!) best.set(key, line);
  }
  return [...best.values()];
}

/** The engines of all lines, this library first: each has the same look in all figures. */
export function enginesOf(lines: readonly ResultLine[]): string[] {
  const engines = [...new Set(lines.filter(({ minMs }) => minMs !== undefined).map(({ engine }) => engine))];
  return engines.sort((a, b) => Number(isOurs(b)) - Number(isOurs(a)));
}

function frame(cases: readonly string[], width: number, what: string) {
  return {
    ...baseOptions(width, cases.length * ROW + 56),
    marginLeft: Math.min(NAMES, 16 + LETTER * Math.max(12, ...cases.map((name) => shortName(name).length))),
    marginTop: 8,
    ariaLabel: what,
    y: {
      type: 'point' as const,
      domain: [...cases],
      label: null,
      tickFormat: shortName,
      tickSize: 0,
      padding: 0.6,
    },
  } satisfies Plot.PlotOptions;
}

/** Least times, one dot an engine, on a logarithmic axis: equal distances are equal ratios. */
export function timesFigure(lines: readonly ResultLine[], engines: readonly string[], width: number): Svg {
  const dots = fastest(lines);
  const cases = [...new Set(dots.map((line) => line.case))];
  const looks = lineLooks(engines.length);
  const lookOf = (line: ResultLine) => looks[engines.indexOf(line.engine)]!;
  return asImage(
    Plot.plot({
      ...frame(cases, width, 'Least time of each engine in each case, in milliseconds'),
      x: { type: 'log', label: 'milliseconds', grid: true, tickFormat: plain },
      color: { type: 'identity' },
      symbol: { type: 'identity' },
      marks: [
        Plot.ruleY(cases, { y: (name: string) => name, stroke: muted, strokeOpacity: 0.25 }),
        Plot.dot(dots, {
          x: (line: ResultLine) => line.minMs!,
          y: 'case',
          fill: (line: ResultLine) => lookOf(line).colour,
          symbol: (line: ResultLine) => lookOf(line).symbol,
          r: 4.5,
          title: (line: ResultLine) => `${line.engine}: ${line.minMs!.toPrecision(3)} ms`,
        }),
      ],
    }),
  );
}

/** A bar for each case of this library, from 1 or 0. @param value what is drawn; cases without it are left out. */
export function barsFigure(
  lines: readonly ResultLine[],
  options: {
    readonly value: (line: ResultLine) => number | undefined;
    readonly label: string;
    /** Where bars begin; a ratio's axis is logarithmic and begins at 1. */
    readonly from: 0 | 1;
    readonly format: (value: number) => string;
    readonly width: number;
  },
): Svg | undefined {
  const { value, label, from, format, width } = options;
  const bars = lines.flatMap((line) => {
    const number = line.engine === 'rebasin' ? value(line) : undefined;
    return number === undefined ? [] : [{ case: line.case, number }];
  });
  if (bars.length === 0) return undefined;
  const cases = bars.map((bar) => bar.case);
  const most = Math.max(...bars.map(({ number }) => number));
  const base = frame(cases, width, label);
  return asImage(
    Plot.plot({
      ...base,
      marginRight: 56,
      x:
        from === 1
          ? {
              type: 'log',
              domain: [Math.min(0.9, ...bars.map(({ number }) => number)), Math.max(2, most)],
              label,
              tickFormat: plain,
            }
          : { domain: [0, Math.max(1, most)], label, tickFormat: format },
      y: { ...base.y, type: 'band', padding: 0.35 },
      marks: [
        Plot.barX(bars, {
          y: 'case',
          x1: from,
          x2: 'number',
          fill: (bar: { number: number }) =>
            from === 1 && bar.number < 1 ? 'var(--rebasin-naive)' : 'var(--rebasin-aligned)',
        }),
        Plot.text(bars, {
          ...{ y: 'case', x: (bar: { number: number }) => Math.max(bar.number, from) },
          ...{ text: (bar: { number: number }) => format(bar.number), textAnchor: 'start', dx: 6, fill: ink },
        }),
        Plot.ruleX([from], { stroke: ink }),
      ],
    }),
  );
}

function plain(value: number): string {
  return String(Number(value.toPrecision(3)));
}
