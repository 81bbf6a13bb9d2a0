/** Result lines for people. */
import { isOurs, type ResultLine, type Surroundings } from './result-line.ts';
import type { Judgement } from './targets.ts';

/** What a run says first. */
export function headline(surroundings: Surroundings): string {
  const { adapter, driver, software, platform, versions } = surroundings;
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    `${adapter}${software ? ' (CPU emulation: its times say nothing about GPUs)' : ''}`,
    [driver, platform, packages.join(', ')].filter((part) => part !== '').join('; '),
  ].join('\n');
}

/** Each case with its lines under it. */
export function caseTable(lines: readonly ResultLine[]): string {
  const cases = [...new Set(lines.map((line) => line.case))];
  return cases
    .flatMap((name) => [
      `\n${name}`,
      ...lines.filter((line) => line.case === name).map((line) => `  ${rowOf(line)}`),
    ])
    .join('\n');
}

function rowOf(line: ResultLine): string {
  const name = `${line.engine}${line.wait === 'sleeping' && !isOurs(line.engine) ? ', sleeping' : ''}`.padEnd(
    26,
  );
  if (line.error !== undefined) return `${name} ${line.failed ? 'FAILED: ' : '- '}${line.error}`;
  const times =
    line.minMs === undefined
      ? []
      : [
          `${milliseconds(line.minMs)} min`,
          `${milliseconds(line.medianMs!)} median`,
          `+-${percent(line.spread!)}`,
        ];
  const rates = [
    line.gpuMs === undefined ? '' : `${milliseconds(line.gpuMs)} GPU`,
    line.gflops === undefined ? '' : `${line.gflops.toPrecision(3)} GFLOP/s`,
    line.gigabytesPerSecond === undefined ? '' : `${line.gigabytesPerSecond.toPrecision(3)} GB/s`,
    line.roofShare === undefined ? '' : `${percent(line.roofShare).trim()} of the roof`,
    line.firstMs === undefined ? '' : `first ${milliseconds(line.firstMs).trim()}`,
    line.ratioToBestPeer === undefined ? '' : `${line.ratioToBestPeer.toFixed(2)}x the best peer`,
  ];
  const figures = Object.entries(line.figures ?? {}).map(([unit, value]) => `${round(value)} ${words(unit)}`);
  const parts = [times.join('  '), ...rates, ...figures].filter((part) => part.trim() !== '');
  return `${name} ${parts.join(', ')}`;
}

/** Met or missed, one line a target. */
export function targetTable(judgements: readonly Judgement[]): string {
  const rows = judgements.map(({ target, verdict, numbers }) => {
    const bound = target.atLeast === undefined ? `at most ${target.atMost}` : `at least ${target.atLeast}`;
    const wanted = target.wanted === undefined ? '' : `, ${target.wanted} wanted`;
    const found = numbers.map((number) => `${round(number.value)} (${number.case})`).join(', ');
    return `  ${verdict.padEnd(13)} ${target.what}: ${bound}${wanted}${found === '' ? '' : `; ${found}`}`;
  });
  return ['\nTargets', ...rows].join('\n');
}

const milliseconds = (value: number) => `${value.toFixed(value < 10 ? 3 : 1)} ms`.padStart(11);
const percent = (share: number) => `${(100 * share).toFixed(0)}%`.padStart(4);

export function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}

/** `runMicrosecondsPerDispatch` as `run microseconds per dispatch`. */
export function words(name: string): string {
  return name.replaceAll(
    /([a-z])([A-Z])/g,
    (_, before: string, after: string) => `${before} ${after.toLowerCase()}`,
  );
}
