/**
 * Tuning: a short pass that measures which variants and tiles are fastest on this adapter, and remembers it. All candidates give the same
 * bits, so results never depend on it. What was found is kept in the platform's cache, by adapter, numerics class and version.
 */
import { hashResult } from '../../base/hash.ts';
import type { Context } from '../../runtime/context.ts';
import type { Dispatch } from '../../runtime/kernel.ts';
import type { TextCache } from '../../runtime/platform.ts';
import { Scope } from '../../runtime/scope.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import { VERSION } from '../../version.ts';
import { candidates } from '../variant.ts';
import { type Problem, problems } from './problems.ts';

/** How long tuning may take, and where its findings are kept. */
export interface TuneOptions {
  /** Wall time after which nothing new is begun, in milliseconds. Default: 2000. */
  readonly budgetMs?: number;
  /** Measures again what the cache knows. Default: false. */
  readonly again?: boolean;
  /** Stops it: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each problem. Default: nobody is told. */
  readonly onProgress?: (progress: { done: number; total: number; note: string }) => void;
  /** Is told what is wrong with the cache, which is then left aside. Default: nobody is. */
  readonly onWarning?: (message: string) => void;
  /** Where to keep what is found. Default: the platform's place; null: nowhere. */
  readonly cache?: TextCache | null;
}

/** What was measured for one problem. */
export interface TunedProblem {
  /** Its name: a kernel with sizes. */
  readonly problem: string;
  /** The key in `context.tuning`: family and class of sizes. */
  readonly sizes: string;
  /** The candidate that runs from now on; undefined where what runs untuned is as fast. */
  readonly chosen: string | undefined;
  /** Shortest time of one run, in milliseconds, by candidate; `default` is what runs untuned. */
  readonly milliseconds: Readonly<Record<string, number>>;
}

/** What tuning found. */
export interface TuneResult {
  /** What was measured in this call. */
  readonly measured: readonly TunedProblem[];
  /** All that `context.tuning` knows now. */
  readonly choices: Readonly<Record<string, string>>;
  /** Problems that were known before. */
  readonly known: number;
  /** Problems that no time was left for. */
  readonly left: number;
}

const ROUNDS = 3;
/** Runs are repeated until a measurement takes so long (milliseconds), but at most so often. */
const LONG_ENOUGH_MS = 2;
const MOST_REPEATS = 50;
/** A candidate must be faster than the default by this factor to be chosen: less is noise. */
const WORTH_IT = 1.03;

/**
 * Measures what is not known yet, within the budget, and fills `context.tuning`. Programs that are compiled afterwards use it.
 * @throws the signal's reason when it is aborted; what was found until then stays in `context.tuning`.
 */
export async function tune(context: Context, options: TuneOptions = {}): Promise<TuneResult> {
  const { budgetMs = 2000, again = false, signal, onProgress, onWarning } = options;
  const now = () => context.origin.platform.now();
  const deadline = now() + budgetMs;
  const known = await readChoices(context, options);
  const measured: TunedProblem[] = [];
  const all = problems();
  let [done, knownCount] = [0, 0];
  for (const problem of all) {
    signal?.throwIfAborted();
    onProgress?.({ done, total: all.length, note: problem.name });
    const sizes = sizesOf(context, problem);
    if (known.has(sizes) && !again) knownCount++;
    else if (now() < deadline) {
      const found = await measure(context, problem, sizes, deadline, signal);
      if (found) {
        measured.push(found);
        known.set(sizes, found.chosen ?? '');
      }
    }
    done++;
  }
  onProgress?.({ done, total: all.length, note: '' });
  apply(context, known);
  if (measured.length > 0) await writeChoices(context, known, options, onWarning);
  const left = all.length - knownCount - measured.length;
  return { measured, choices: Object.fromEntries(context.tuning), known: knownCount, left };
}

/** Fills `context.tuning` from the cache, without measuring anything. */
export async function loadTuning(
  context: Context,
  options: Pick<TuneOptions, 'cache' | 'onWarning'> = {},
): Promise<void> {
  apply(context, await readChoices(context, options));
}

/** Choices by class of sizes; '' where what runs untuned is as fast. */
type Choices = Map<string, string>;

function apply(context: Context, choices: Choices): void {
  for (const [sizes, choice] of choices) {
    if (choice === '') context.tuning.delete(sizes);
    else context.tuning.set(sizes, choice);
  }
}

/** A context of which only `tuning` differs: it answers every question in one way, and `asked` hears them. */
function answering(context: Context, answer: string | undefined, asked?: (key: string) => void): Context {
  const get = (key: string) => {
    asked?.(key);
    return answer;
  };
  return Object.create(context, { tuning: { value: { size: 1, get } }, variants: { value: {} } }) as Context;
}

/** What `context.tuning` would be asked for a problem. */
export function sizesOf(context: Context, problem: Problem): string {
  let sizes = '';
  const view = (shape: readonly number[]) =>
    ({ buffer: {} as GPUBuffer, offset: 0, shape, dtype: 'f32' }) as const;
  const asked = (key: string) => {
    sizes = key;
  };
  problem.dispatches(answering(context, undefined, asked), problem.shapes.map(view), view);
  return sizes;
}

/** Times every candidate of a problem in turns. @returns undefined when the time was up before each had its turn. */
async function measure(
  context: Context,
  problem: Problem,
  sizes: string,
  deadline: number,
  signal: AbortSignal | undefined,
): Promise<TunedProblem | undefined> {
  const now = () => context.origin.platform.now();
  const scope = new Scope();
  try {
    const tensors: Tensor[] = problem.shapes.map((shape) =>
      scope.own(context.tensor(shape, 'f32', { zero: true })),
    );
    // Candidates run one after another: those that want scratch memory of the same shape share it.
    const shared = new Map<string, Tensor>();
    const scratch = (shape: readonly number[]) => {
      const tensor = shared.get(shape.join()) ?? scope.own(context.tensor(shape, 'f32'));
      shared.set(shape.join(), tensor);
      return tensor;
    };
    // The default, and every candidate that is not the same kernels under another name.
    const rivals = new Map<string, { name: string; dispatches: Dispatch[] }>();
    for (const name of ['default', ...candidates(context, problem.tiles)]) {
      const dispatches = problem.dispatches(
        answering(context, name === 'default' ? undefined : name),
        tensors,
        scratch,
      );
      const kernels = dispatches.map(({ kernel, workgroups }) => `${kernel.name} ${workgroups}`).join();
      if (!rivals.has(kernels)) rivals.set(kernels, { name, dispatches });
    }
    const names = [...rivals.values()].map(({ name }) => name);
    const runs = [...rivals.values()].map(({ dispatches }) => dispatches);
    const time = async (run: number, repeats: number) => {
      const start = now();
      for (let i = 0; i < repeats; i++) context.record(...runs[run]!);
      await context.finish();
      return (now() - start) / repeats;
    };
    for (const run of runs.keys()) {
      await time(run, 1); // compiles
      signal?.throwIfAborted();
      if (now() > deadline) return undefined;
    }
    const once = await time(0, 1);
    const repeats = Math.min(MOST_REPEATS, Math.max(1, Math.ceil(LONG_ENOUGH_MS / Math.max(once, 0.001))));
    const best = names.map(() => Number.POSITIVE_INFINITY);
    for (let round = 0; round < ROUNDS; round++) {
      for (const run of runs.keys()) best[run] = Math.min(best[run]!, await time(run, repeats));
      signal?.throwIfAborted();
    }
    const fastest = best.indexOf(Math.min(...best));
    const worthIt = best[fastest]! * WORTH_IT < best[0]!;
    return {
      problem: problem.name,
      sizes,
      chosen: worthIt ? names[fastest] : undefined,
      milliseconds: Object.fromEntries(names.map((name, i) => [name, best[i]!])),
    };
  } finally {
    scope.destroy();
  }
}

/** What choices depend on. */
function cacheName(context: Context): string {
  const { adapterName, numerics } = context;
  const { vendor, architecture, device, description } = context.origin.adapterInfo;
  const key = { adapterName, vendor, architecture, device, description, numerics, version: VERSION };
  return `tuning-${hashResult(key).slice(0, 16)}.json`;
}

function cacheOf(context: Context, { cache }: Pick<TuneOptions, 'cache'>): TextCache | undefined {
  return cache === null ? undefined : (cache ?? context.origin.platform.cache);
}

/** What the cache knows; nothing, and a warning, where it cannot be read or says what cannot be. */
async function readChoices(
  context: Context,
  options: Pick<TuneOptions, 'cache' | 'onWarning'>,
): Promise<Choices> {
  const name = cacheName(context);
  try {
    const text = await cacheOf(context, options)?.read(name);
    return text === undefined ? new Map() : checkedChoices(context, JSON.parse(text));
  } catch (error) {
    options.onWarning?.(`tuning: the cache ${name} is left aside: ${String(error)}`);
    return new Map();
  }
}

function checkedChoices(context: Context, content: unknown): Choices {
  const choices = new Map<string, string>();
  const known = new Map(problems().map((problem) => [sizesOf(context, problem), problem]));
  for (const [sizes, choice] of Object.entries((content as { choices: object }).choices)) {
    const problem = known.get(sizes);
    const may = problem ? ['', ...candidates(context, problem.tiles)] : [];
    if (!may.includes(choice)) throw new SyntaxError(`no candidate "${choice}" for "${sizes}"`);
    choices.set(sizes, choice);
  }
  return choices;
}

async function writeChoices(
  context: Context,
  choices: Choices,
  options: TuneOptions,
  onWarning: TuneOptions['onWarning'],
): Promise<void> {
  const text = `${JSON.stringify({ adapter: context.adapterName, choices: Object.fromEntries(choices) }, null, 1)}\n`;
  try {
    await cacheOf(context, options)?.write(cacheName(context), text);
  } catch (error) {
    onWarning?.(`tuning: what was found could not be kept: ${String(error)}`);
  }
}
