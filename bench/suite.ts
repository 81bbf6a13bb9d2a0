/**
 * Runs cases: everyone's result is checked first, then all take turns, so that whatever else the machine does meets all of them.
 *
 * A time is wall time from recording to completion (all work of the case done, nothing read back unless the case is to read). This
 * library and its peers run on the same adapter in the same process, each on a device of its own; this library has a new one for each
 * case, so that `firstMs` holds the compilation of all its kernels and a lost device spoils one case. Where this library sleeps while a
 * software adapter computes, peers are timed twice, with that wait and with their own.
 */
import { type Context, type ContextOptions, requestContextOn } from '../src/runtime/context.ts';
import type { Platform } from '../src/runtime/platform.ts';
import type { Case, Contestant, MeasuredCase, TimedCase, Waiting } from './case.ts';
import { type Peer, PeerCannot } from './peers/peer.ts';
import type { Problem } from './problem.ts';
import { isOurs, type ResultLine, type Surroundings, type Wait } from './result-line.ts';
import type { Roofs } from './roofs.ts';
import { quantile, summarise } from './timing.ts';

/** This library in one of its ways: kernels as chosen, forced variants, other numerics classes. */
export interface OwnEngine {
  readonly engine: string;
  readonly options: ContextOptions;
}

export interface Bench {
  readonly platform: Platform;
  readonly own: readonly OwnEngine[];
  readonly peers: readonly Peer[];
  /** A context that lives as long as the run. */
  readonly home: Context;
  readonly surroundings: Surroundings;
  /** Times of everyone in each case. */
  readonly repeats: number;
  /** Default: none, and no shares of them. */
  readonly roofs?: Roofs | undefined;
  /**
   * Milliseconds that an engine may use in a case: one whose first checked run took longer is timed by that run alone, `repeats` 1. One that
   * would take `HOPELESS` times as long even at the best rate that it has shown in this run so far does not begin. Default: no limit.
   */
  readonly budgetMs?: number | undefined;
  /** Floating-point operations a millisecond that engines have shown so far, at best; kept here by `runCase`. */
  readonly rates?: Map<string, number>;
  readonly signal?: AbortSignal | undefined;
}

/** A case that takes longer than this is repeated fewer times, but not fewer than `FEWEST`. */
const CASE_BUDGET_MS = 30_000;
const FEWEST = 3;
/** How much slower than the fastest someone is whose share of that time is enough. */
const MUCH_SLOWER = 4;
/**
 * A turn is as many quick runs as take this long, or two, or one where the second fastest takes longer than `LONG_MS`: the first after
 * another engine meets threads that are not yet asleep and caches full of that engine's data. In every other round the runs of a turn are
 * waited for once, all together: in a browser a wait takes two milliseconds whatever it waits for.
 */
const TURN_MS = 20;
const MOST_RUNS = 8;
const LONG_MS = 500;

/** Whoever's first run took longer takes no turn without a clock. */
const SLOW_FIRST_MS = 2000;
/** Whoever's first run took longer is timed with the wait that serves it better alone. */
const ONE_WAIT_MS = 60_000;
/** How many budgets a peer's first run may be expected to take. */
const HOPELESS = 6;
/** Repeats under timestamps. */
const PROFILED = 3;

/** Runs one case. @returns a line for each engine (and each wait); errors are lines too. */
export async function runCase(bench: Bench, one: Case): Promise<ResultLine[]> {
  if (one.hardwareOnly && bench.home.software) return [];
  return 'measure' in one ? await measured(bench, one) : await timed(bench, one);
}

async function measured(bench: Bench, one: MeasuredCase): Promise<ResultLine[]> {
  const common = { ...bench.surroundings, case: one.name, wait: 'own' } as const;
  try {
    const found = await one.measure(bench.home, bench);
    return found.map((measurement) => ({ ...common, ...measurement }));
  } catch (error) {
    return [{ ...common, engine: 'rebasin', error: messageOf(error), failed: true }];
  }
}

/** Someone who got through the check, or why not. */
interface Entrant {
  readonly engine: string;
  /** Of this library. */
  readonly context?: Context;
  contestant?: Contestant;
  firstMs?: number;
  /** Of the first run alone, compilation included. */
  firstRunMs?: number;
  /** It computes something easier than peers do, or less exactly: it is not compared with them. */
  readonly incomparable?: boolean;
  error?: string;
  failed?: boolean;
}

/** An entrant under one wait. */
interface Turn {
  readonly entrant: Entrant;
  readonly wait: Wait;
  /** Of runs that were waited for one by one. */
  readonly times: number[];
  /** Of runs that were waited for together, a share of their time each. */
  readonly shares: number[];
  /** All the time that its clock has run. */
  usedMs: number;
  /** Its first run was all that the budget allowed, so that its time has compilation in it. */
  readonly firstOnly?: boolean;
}

async function timed(bench: Bench, one: TimedCase): Promise<ResultLine[]> {
  const { home, surroundings } = bench;
  const entrants: Entrant[] = [];
  const contexts: Context[] = [];
  try {
    const prepared = await one.prepare();
    const enter = async (
      engine: string,
      contestant: Contestant,
      started: number,
      own: Pick<Entrant, 'context' | 'incomparable'> = {},
    ) => {
      const entrant: Entrant = { engine, contestant, ...own };
      const { context } = own;
      entrants.push(entrant);
      try {
        const began = performance.now();
        await contestant.run(waiting(home, firstWaitOf(bench, one, engine), `${one.name} ${engine}`));
        entrant.firstRunMs = performance.now() - began;
        entrant.firstMs = performance.now() - started;
        const wrong =
          (context && (await prepared.verify?.(context))) ?? prepared.check(await contestant.read(), engine);
        if (wrong !== undefined) reject(entrant, `wrong result: ${wrong}`, true);
      } catch (error) {
        reject(entrant, messageOf(error), isOurs(engine));
      }
    };
    for (const { engine, options } of enginesOf(bench, one)) {
      try {
        const context = one.onHost ? home : await requestContextOn(bench.platform, options);
        if (context !== home) contexts.push(context);
        let started = performance.now();
        for (const contestant of await prepared.own(context)) {
          const name = contestant.label ? `${engine} ${contestant.label}` : engine;
          const incomparable = contestant.incomparable === true || options.numerics === 'f16';
          await enter(name, contestant, started, { context, incomparable });
          started = performance.now();
        }
      } catch (error) {
        entrants.push({ engine, error: messageOf(error), failed: true });
      }
      bench.signal?.throwIfAborted();
    }
    const { problem } = prepared;
    for (const peer of bench.peers) {
      if (!problem || !peer.concerns(problem)) continue;
      const expected = expectedMs(bench, one, peer.engine);
      if (expected > HOPELESS * (bench.budgetMs ?? Number.POSITIVE_INFINITY)) {
        const error = `left out: at the best of its rates in this run it would take ${Math.round(expected / 1000)} s`;
        entrants.push({ engine: peer.engine, error });
        continue;
      }
      await enterPeer(peer, problem, enter, entrants);
      bench.signal?.throwIfAborted();
    }

    const turns = entrants
      .filter(({ error }) => error === undefined)
      .flatMap((entrant) => turnsOf(bench, one, entrant));
    await takeTurns(bench, one.name, turns);
    const common = { ...surroundings, case: one.name };
    const lines: ResultLine[] = [];
    for (const turn of turns) {
      const { entrant, wait, times, shares, firstOnly } = turn;
      if (entrant.error !== undefined) continue;
      const gpuMs = one.onHost || firstOnly ? undefined : await gpuTime(entrant, bench.budgetMs);
      lines.push({
        ...{
          ...common,
          engine: entrant.engine,
          wait,
          ...summarise(least(turn) < Math.min(...times) ? shares : times),
        },
        ...(entrant.firstMs === undefined ? {} : { firstMs: entrant.firstMs }),
        ...(gpuMs === undefined ? {} : { gpuMs }),
      });
      if (!firstOnly) noteRate(bench, one, entrant.engine, least(turn));
    }
    for (const { engine, error, failed } of entrants) {
      if (error === undefined) continue;
      const wait = waitOf(bench, one, engine);
      lines.push({ ...common, engine, wait, error, ...(failed ? { failed } : {}) });
    }
    const incomparable = entrants.filter((entrant) => entrant.incomparable).map(({ engine }) => engine);
    const firstOnly = turns.filter((turn) => turn.firstOnly).map(({ entrant }) => entrant.engine);
    return withRates(lines, one, { incomparable, firstOnly }, bench.roofs);
  } catch (error) {
    if (bench.signal?.aborted) throw error;
    const line = { case: one.name, engine: 'rebasin', wait: waitOf(bench, one, 'rebasin') };
    return [{ ...surroundings, ...line, error: messageOf(error), failed: true }];
  } finally {
    for (const { contestant } of entrants) destroyQuietly(contestant);
    for (const context of contexts) context.destroy();
  }
}

async function enterPeer(
  peer: Peer,
  problem: Problem,
  enter: (engine: string, contestant: Contestant, started: number) => Promise<void>,
  entrants: Entrant[],
): Promise<void> {
  const started = performance.now();
  let contestant: Contestant;
  try {
    contestant = await peer.contestant(problem);
  } catch (error) {
    entrants.push({
      engine: peer.engine,
      error: error instanceof PeerCannot ? error.message : messageOf(error),
    });
    return;
  }
  await enter(peer.engine, contestant, started);
}

function reject(entrant: Entrant, error: string, failed: boolean): void {
  entrant.error = error;
  if (failed) entrant.failed = true;
}

/** This library's ways that a case is about. */
function enginesOf({ own, home }: Bench, one: TimedCase): OwnEngine[] {
  if (one.onHost) return own.slice(0, 1);
  const isF16 = one.classes?.includes('f16') && home.device.features.has('shader-f16');
  return own.flatMap(({ engine, options }) => [
    { engine, options },
    ...(isF16 ? [{ engine: `${engine} f16`, options: { ...options, numerics: 'f16' as const } }] : []),
  ]);
}

/** Whether this library sleeps while it waits here. */
function sleeps({ platform, home }: Bench): boolean {
  return platform.name === 'node' && home.software;
}

function waitOf(bench: Bench, one: TimedCase, engine: string): Wait {
  return isOurs(engine) && sleeps(bench) && !one.onHost ? 'sleeping' : 'own';
}

/** The wait of a run that begins now. What is known of earlier runs serves everyone: the n-th wait of a name takes as long as it did. */
function waiting(home: Context, wait: Wait, name: string): Waiting {
  if (wait === 'own') return (promise) => promise;
  const since = performance.now();
  let waits = 0;
  return (promise) => home.wait(promise, { what: `${name} ${waits++}`, since });
}

/** The wait of the first run: where that may be the only one that is timed, the one that serves everyone best. */
function firstWaitOf(bench: Bench, one: TimedCase, engine: string): Wait {
  return bench.budgetMs !== undefined && sleeps(bench) && !one.onHost
    ? 'sleeping'
    : waitOf(bench, one, engine);
}

/** Milliseconds that an engine takes at least, by its best rate so far; 0 where nothing is known. */
function expectedMs({ rates }: Bench, { flops = 0 }: TimedCase, engine: string): number {
  return flops / (rates?.get(engine) ?? Number.POSITIVE_INFINITY);
}

function noteRate({ rates }: Bench, { flops = 0 }: TimedCase, engine: string, ms: number): void {
  rates?.set(engine, Math.max(flops / ms, rates.get(engine) ?? 0));
}

function turnsOf(bench: Bench, one: TimedCase, entrant: Entrant): Turn[] {
  const turn = (wait: Wait, ...times: number[]): Turn => ({
    ...{ entrant, wait, times, shares: [] },
    usedMs: times[0] ?? 0,
  });
  if (entrant.firstRunMs! > (bench.budgetMs ?? Number.POSITIVE_INFINITY))
    return [{ ...turn(firstWaitOf(bench, one, entrant.engine), entrant.firstRunMs!), firstOnly: true }];
  const own = turn(waitOf(bench, one, entrant.engine));
  if (isOurs(entrant.engine) || !sleeps(bench) || one.onHost) return [own];
  return entrant.firstMs! > ONE_WAIT_MS ? [turn('sleeping')] : [turn('sleeping'), own];
}

/** How many runs a turn has, by what the one before took; two at least where the two fastest can have them. */
function runsOf({ times }: Turn, turns: readonly Turn[]): number {
  const ms = times.at(-1) ?? Number.POSITIVE_INFINITY;
  const [fastest = ms, second = fastest] = turns.map(least).sort((a, b) => a - b);
  const fewest = Math.max(ms, second) > LONG_MS ? 1 : 2;
  return Math.min(MOST_RUNS, Math.max(fewest, Math.ceil(TURN_MS / ms)));
}

/** The least time of a run, in whichever way it was waited for. */
const least = ({ times, shares }: Turn): number => Math.min(...times, ...shares);

/**
 * Rounds in which everyone takes a turn, after one without a clock (of those that are not slow). Who fails drops out; who is much slower
 * than the fastest stops when its share of the case's time is used up, the others when the case's is.
 */
async function takeTurns(bench: Bench, name: string, turns: readonly Turn[]): Promise<void> {
  const began = performance.now();
  const done = (turn: Turn): boolean => {
    const { entrant, times, usedMs: used } = turn;
    if (entrant.error !== undefined) return true;
    if (times.length === 0) return false;
    const slow = least(turn) > MUCH_SLOWER * Math.min(...turns.map(least));
    if (used > (bench.budgetMs ?? Number.POSITIVE_INFINITY)) return true;
    if (slow) return used > CASE_BUDGET_MS / turns.length;
    return times.length >= FEWEST && performance.now() - began > CASE_BUDGET_MS;
  };
  const together = turns.every(({ entrant }) => entrant.contestant?.parts);
  for (let round = -1; round < bench.repeats; round++) {
    for (const turn of turns) {
      bench.signal?.throwIfAborted();
      const { entrant, wait, times, shares } = turn;
      if (done(turn) || (round < 0 && entrant.firstMs! > SLOW_FIRST_MS)) continue;
      try {
        const runs = runsOf(turn, turns);
        const once = together && runs > 1 && round % 2 === 1;
        const clocked = await timesOf(
          entrant.contestant!,
          () => waiting(bench.home, wait, `${name} ${entrant.engine}${once ? ` ${runs}` : ''}`),
          runs,
          once,
        );
        if (round < 0) continue;
        (once ? shares : times).push(...clocked);
        turn.usedMs += clocked.reduce((sum, ms) => sum + ms, 0) * (once ? runs : 1);
      } catch (error) {
        reject(entrant, messageOf(error), isOurs(entrant.engine));
      }
    }
  }
}

/** Milliseconds of each of several runs; or, waited for `once` after all were started, one number: the share of each. */
async function timesOf(
  contestant: Contestant,
  wait: () => Waiting,
  runs: number,
  once: boolean,
): Promise<number[]> {
  const clocked: number[] = [];
  for (let turn = 0; turn < (once ? 1 : runs); turn++) {
    const started = performance.now();
    if (once) {
      for (let run = 0; run < runs; run++) await contestant.parts!.start();
      await contestant.parts!.finish(wait());
    } else await contestant.run(wait());
    clocked.push((performance.now() - started) / (once ? runs : 1));
  }
  return clocked;
}

/** Milliseconds on the GPU by timestamps; undefined without them, or with more dispatches than are timed. */
async function gpuTime(
  { context, contestant }: Entrant,
  budgetMs = Number.POSITIVE_INFINITY,
): Promise<number | undefined> {
  if (!contestant || !context?.device.features.has('timestamp-query')) return undefined;
  const times: number[] = [];
  const began = performance.now();
  for (let i = 0; i < PROFILED && (i === 0 || performance.now() - began < budgetMs); i++) {
    const { kernels, untimed } = await context.profile(() =>
      contestant.run(waiting(context, 'sleeping', 'profile')),
    );
    if (untimed > 0) return undefined;
    times.push(kernels.reduce((sum, { gpuTimeNs }) => sum + gpuTimeNs, 0) / 1e6);
  }
  return quantile(times, 0.5);
}

/** Adds what follows from the least times: rates, shares of the roofs, and how everyone compares with the best peer. */
function withRates(
  lines: readonly ResultLine[],
  one: TimedCase,
  { incomparable, firstOnly }: { incomparable: readonly string[]; firstOnly: readonly string[] },
  roofs: Roofs | undefined,
): ResultLine[] {
  const [best] = lines
    .filter(({ engine, minMs }) => !isOurs(engine) && minMs !== undefined)
    .sort((a, b) => a.minMs! - b.minMs!);
  // Like with like: a first use, compilation included, is compared with a first use.
  const of = best && firstOnly.includes(best.engine) ? 'firstMs' : 'minMs';
  return lines.map((line) => {
    const { minMs, gpuMs } = line;
    if (minMs === undefined) return line;
    const gflops = one.flops === undefined ? undefined : one.flops / minMs / 1e6;
    const gigabytesPerSecond = one.bytes === undefined ? undefined : one.bytes / minMs / 1e6;
    // By the clock that the roofs are of; there is no share of someone whom it has not timed.
    const ms = (roofs?.byTimestamps ? gpuMs : minMs) ?? Number.POSITIVE_INFINITY;
    const share = Math.max(
      (one.flops ?? 0) / ms / 1e6 / (roofs?.gflops ?? Number.POSITIVE_INFINITY),
      (one.bytes ?? 0) / ms / 1e6 / (roofs?.gigabytesPerSecond ?? Number.POSITIVE_INFINITY),
    );
    const compared = best && !incomparable.includes(line.engine);
    return {
      ...line,
      ...(gflops === undefined ? {} : { gflops }),
      ...(gigabytesPerSecond === undefined ? {} : { gigabytesPerSecond }),
      ...(share > 0 ? { roofShare: share } : {}),
      ...(compared ? { ratioToBestPeer: best[of]! / line[of]! } : {}),
    };
  });
}

function destroyQuietly(contestant: Contestant | undefined): void {
  try {
    contestant?.destroy();
  } catch {
    // an engine that failed may fail at this too; what it was told as is in its line
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
