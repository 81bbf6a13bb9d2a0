/** The command `bench` in Node: options to a run, lines to tables and files. */
import { OptionError } from '../../src/base/errors.ts';
import type { BenchOptionValues } from '../../src/cli/bench.ts';
import { expectWritable, writeBytes } from '../../src/io/node-files.ts';
import { nodePlatform } from '../../src/runtime/platform-node.ts';
import type { Family } from '../case.ts';
import { chooseCases } from '../families.ts';
import { benchPage } from '../html-page.ts';
import { peersWithout } from '../peers/sources.ts';
import { isOurs, type ResultLine } from '../result-line.ts';
import { type RunEvents, type RunHost, type RunOptions, runSuite } from '../run.ts';
import { caseTable, headline, targetTable } from '../table.ts';
import { judgeTargets } from '../targets.ts';
import { pageView } from './page-view.ts';
import { nodePeerHost, versions } from './peer-host.ts';

/** What differs between the repository and the published package. */
export interface BenchParts {
  readonly families: readonly Family[];
  /** Runs cases in a browser. Default: not offered. */
  runInBrowser?(
    named: readonly string[],
    values: BenchOptionValues,
    events: RunEvents,
    signal: AbortSignal,
  ): Promise<void>;
}

/** @returns 0, or 1 when a result of this library was wrong or it failed. @throws OptionError before anything runs. */
export async function benchCommand(
  parts: BenchParts,
  named: readonly string[],
  values: BenchOptionValues,
  signal: AbortSignal,
): Promise<number> {
  const cases = await asOptions(() => chooseCases(parts.families, named, values.only));
  const host = await asOptions(() => hostOf(values));
  if (values.list) {
    process.stdout.write(cases.map(({ name }) => `${name}\n`).join(''));
    return 0;
  }
  for (const path of [values.json, values.html])
    if (path !== undefined && path !== '-') await expectWritable(path);
  const toStdout = values.json === '-';
  const say = (text: string) => (toStdout ? process.stderr : process.stdout).write(`${text}\n`);
  const lines: ResultLine[] = [];
  const events: RunEvents = {
    onStart: (surroundings) => say(headline(surroundings)),
    onMissingPeer: (engine, reason) => process.stderr.write(`bench: ${engine} is left out: ${reason}\n`),
    async onLines(found) {
      lines.push(...found);
      say(caseTable(found));
      const text = found.map((line) => `${JSON.stringify(line)}\n`).join('');
      if (toStdout) process.stdout.write(text);
      // Whole and after each case: what is there is right, however the run ends.
      else if (values.json !== undefined) await writeText(values.json, jsonLines(lines));
    },
  };
  try {
    if (values.browser) {
      if (!parts.runInBrowser)
        throw new OptionError('bench: --browser is offered in the repository: npm run bench -- --browser');
      await parts.runInBrowser(named, values, events, signal);
    } else await runSuite(host, cases, runOptions(values, signal), events);
  } finally {
    if (values.html !== undefined && lines.length > 0)
      await writeText(values.html, benchPage(lines, await pageView()));
  }
  if (values.targets || values.targetsOnly) say(targetTable(judgeTargets(lines)));
  const failures = lines.filter(({ failed, engine }) => failed && isOurs(engine));
  if (failures.length > 0) {
    const names = failures.map((line) => `${line.case} (${line.engine})`);
    process.stderr.write(`bench: ${failures.length} failed: ${names.join(', ')}\n`);
  }
  return failures.length > 0 ? 1 : 0;
}

/** Names that there are not are usage errors. */
async function asOptions<T>(choose: () => T | Promise<T>): Promise<T> {
  try {
    return await choose();
  } catch (error) {
    if (error instanceof RangeError) throw new OptionError(`bench: ${error.message}`);
    throw error;
  }
}

function hostOf({ peers, without }: BenchOptionValues): RunHost {
  return {
    platform: nodePlatform,
    name: `node ${process.version.slice(1)}`,
    driver: Object.entries(versions(['webgpu']))
      .map(([name, version]) => `Dawn (${name} ${version})`)
      .join(),
    sources: peers ? peersWithout(without) : [],
    peerHost: nodePeerHost,
  };
}

function runOptions(values: BenchOptionValues, signal: AbortSignal): RunOptions {
  const { adapter, backend, variants, repeats, roofs, targetsOnly = false, budget } = values;
  return {
    adapter: { ...(adapter ? { adapter } : {}), ...(backend ? { backend } : {}) },
    ...{ variants, repeats, roofs, targetsOnly, budget, signal },
  };
}

const jsonLines = (lines: readonly ResultLine[]) => lines.map((line) => `${JSON.stringify(line)}\n`).join('');

const writeText = (path: string, text: string) => writeBytes(path, new TextEncoder().encode(text));
