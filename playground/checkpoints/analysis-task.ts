/** Task `analyse`: one analysis of two checkpoints, by the same functions as the command line. */
import {
  analyseResult,
  analyseSingularVectors,
  type CommandImages,
  type CommandProgress,
  type CommandRequest,
  type Context,
  checkpointOf,
  firstLayerFilters,
  hasBatchNorm,
  matchResult,
  mergeResult,
  normalisationOfCheckpoint,
  planeResult,
  provenSpec,
  pruneResult,
  statsResult,
  sweepResult,
  valuesOf,
} from 'rebasin';
import type { Session } from '../worker/session.ts';
import type { Task } from '../worker/task.ts';
import { correctionOf, mergingChoices } from './choices.ts';
import type { ChosenFile } from './chosen-file.ts';
import { commandImages, type ImageChoice, imageIds, openImages, toldNormalisation } from './images.ts';
import { type Found, keepMatch, keepMerged, keptMatch } from './made.ts';
import { type NetworkFiles, type OpenedPair, openPair } from './networks.ts';
import type { Outcome, SpecFacts } from './outcome.ts';
import { type AnalysisName, type CheckpointSettings, looksAtImages } from './settings.ts';

export interface AnalysisOptions {
  readonly analysis: AnalysisName;
  readonly networks: NetworkFiles;
  readonly imageFiles: readonly ChosenFile[];
  readonly settings: CheckpointSettings;
}

/** What one analysis is made from. */
interface Work {
  readonly context: Context;
  readonly session: Session;
  readonly pair: OpenedPair;
  readonly images: CommandImages;
  readonly settings: CheckpointSettings;
  readonly common: CommandRequest;
  /** What results depend on beside the settings. */
  readonly key: string;
}

export const analyse: Task<AnalysisOptions, CommandProgress, Outcome> = async (
  { analysis, networks, imageFiles, settings },
  { session, signal, report },
) => {
  const started = performance.now();
  const pair = await openPair(session, networks, signal);
  const choice: ImageChoice = { source: settings.data, files: imageFiles, limit: settings.limit };
  const parts = await openImages(session, choice, signal);
  const told = toldNormalisation(settings.mean, settings.std);
  const images = commandImages(parts, settings.data, told, normalisationOfCheckpoint(pair.a));
  signal.throwIfAborted();
  const context = await session.context();
  const { model } = pair;
  return await WORK[analysis]({
    ...{ context, session, pair, images, settings },
    common: { model, images, seed: settings.seed, started, onProgress: report, signal },
    key: JSON.stringify([pair.key, choice.source, choice.limit, imageIds(imageFiles)]),
  });
};

const WORK: Readonly<Record<AnalysisName, (task: Work) => Promise<Outcome>>> = {
  spec: async ({ context, pair, settings }) => ({
    analysis: 'spec',
    spec: await specFacts(context, pair, settings.seed),
  }),
  match: async (task) => ({ analysis: 'match', result: (await matched(task)).result }),
  units: unitsOf,
  line: linesOf,
  layers: async (task) => ({
    analysis: 'layers',
    result: await statsResult(task.context, {
      ...{ ...task.common, a: task.pair.a, b: task.pair.b, matched: (await matched(task)).match },
      ...{ ...mergingChoices(task.settings, correction(task)), on: splitOf(task) },
    }),
  }),
  merge: mergeOf,
  singular: singularOf,
  pruning: async ({ context, pair, settings, common }) => ({
    analysis: 'pruning',
    result: await pruneResult(context, {
      ...{ ...common, checkpoint: pair[settings.pruned], method: settings.prune, renormalise: 'auto' },
      ...(settings.preset === '' ? {} : { preset: settings.preset }),
    }),
  }),
  plane: async (task) => {
    const { context, pair, settings, common } = task;
    const result = await planeResult(context, {
      ...{ ...common, checkpoints: [pair.a, pair.b], matched: (await matched(task)).match },
      ...{ ...mergingChoices(settings, 'none'), grid: settings.grid, margin: 0.25, on: splitOf(task) },
    });
    return { analysis: 'plane', result };
  },
};

/** The match by these choices, made once for all analyses. */
async function matched({ context, session, pair, settings, common, key }: Work): Promise<Found> {
  const { method, seed, preset, mean, std } = settings;
  const made = JSON.stringify([looksAtImages(method) ? [key, mean, std] : pair.key, method, seed, preset]);
  const known = keptMatch(session, made);
  if (known) return known;
  const { a, b } = pair;
  const found = await matchResult(context, {
    ...{ ...common, a, b, method },
    ...(preset === '' ? {} : { preset }),
  });
  keepMatch(session, made, found, pair);
  return found;
}

/** The images that losses are means over: test images where there are some. */
function splitOf({ images }: Pick<Work, 'images'>): 'train' | 'test' {
  return images.test || !images.train ? 'test' : 'train';
}

function correction({ settings, pair, images }: Work) {
  const chosen = correctionOf(settings, { batchNorm: hasBatchNorm(pair.model) });
  // What goes with the network by itself is left out where there is nothing to estimate it on.
  return settings.renormalise === '' && !images.statistics ? 'none' : chosen;
}

async function specFacts(context: Context, { model }: OpenedPair, seed: number): Promise<SpecFacts> {
  const { spec, equivalence } = await provenSpec(context, model, seed);
  return {
    model: model.name,
    equivalence,
    groups: spec.groups.map(({ name, size, places }) => ({
      ...{ name, size },
      places: placeNames(places),
    })),
    pinned: spec.entries.flatMap(({ name, pinned }) =>
      pinned.map(({ axis, reason }) => `${name} ${axis}: ${reason}`),
    ),
  };
}

/** `fc1.weight 0`; several tensors of a module on one axis, as a norm has them, as `bn1.* 0`. */
function placeNames(places: readonly { readonly tensor: string; readonly axis: number }[]): string[] {
  const tensors = new Map<string, Set<string>>();
  for (const { tensor, axis } of places) {
    const at = tensor.lastIndexOf('.');
    const place = `${tensor.slice(0, Math.max(at, 0))} ${axis}`;
    tensors.set(place, (tensors.get(place) ?? new Set()).add(tensor.slice(at + 1)));
  }
  return [...tensors].flatMap(([place, names]) => {
    const [module, axis] = place.split(' ') as [string, string];
    const prefix = module === '' ? '' : `${module}.`;
    return names.size > 2 ? [`${prefix}* ${axis}`] : [...names].map((name) => `${prefix}${name} ${axis}`);
  });
}

async function unitsOf(task: Work): Promise<Outcome> {
  const { pair, images } = task;
  const { match } = await matched(task);
  const shown = images.test ?? images.train;
  const filters = firstLayerFilters({
    ...{ model: pair.model, a: valuesOf(pair.a.state), b: valuesOf(pair.b.state), aligned: match.aligned },
    imageShape: shown ? [shown.channels, shown.height, shown.width] : likelyShape(pair.model.inputShape),
  });
  return { analysis: 'units', filters };
}

/** Of flat inputs without images: a square of one channel, else of three. */
function likelyShape(inputShape: readonly number[]): readonly number[] | undefined {
  const size = inputShape.reduce((product, each) => product * each, 1);
  for (const channels of [1, 3]) {
    const side = Math.sqrt(size / channels);
    if (Number.isInteger(side) && side > 1) return [channels, side, side];
  }
  return undefined;
}

/** Naive, matched and corrected, each as `rebasin sweep` has it. */
async function linesOf(task: Work): Promise<Outcome> {
  const { context, pair, settings, common } = task;
  const { a, b } = pair;
  const sweep = async (align: 'none' | 'chosen', renormalise: ReturnType<typeof correction>) =>
    sweepResult(context, {
      ...{ ...common, a, b, points: settings.points, on: splitOf(task), started: performance.now() },
      ...mergingChoices(align === 'none' ? { ...settings, method: 'none' } : settings, renormalise),
      ...(align === 'none' ? {} : { matched: (await matched(task)).match }),
    });
  const naive = await sweep('none', 'none');
  if (settings.method === 'none') return { analysis: 'line', naive };
  const aligned = await sweep('chosen', 'none');
  const chosen = correction(task);
  if (chosen === 'none') {
    const uncorrected =
      settings.renormalise === '' ? 'there are no training images to estimate statistics on' : undefined;
    return { analysis: 'line', naive, aligned, ...(uncorrected ? { uncorrected } : {}) };
  }
  return { analysis: 'line', naive, aligned, corrected: await sweep('chosen', chosen) };
}

async function mergeOf(task: Work): Promise<Outcome> {
  const { context, session, pair, settings, common } = task;
  const { result, merged } = await mergeResult(context, {
    ...{ ...common, checkpoints: [pair.a, pair.b] },
    ...mergingChoices(settings, correction(task)),
  });
  keepMerged(session, checkpointOf(merged, pair.a, task.images.normalisation), result.hash);
  return { analysis: 'merge', result };
}

/** With images what `rebasin analyse` says; without, singular vectors alone. */
async function singularOf(task: Work): Promise<Outcome> {
  const { context, pair, settings, common, images } = task;
  if (images.test || images.train) {
    const result = await analyseResult(context, {
      ...{ ...common, checkpoints: [pair.a, pair.b], points: settings.points, on: splitOf(task) },
      ...{ ...mergingChoices(settings, 'none'), singularVectors: true },
    });
    return { analysis: 'singular', result };
  }
  const { match } = await matched(task);
  const singular = await analyseSingularVectors(context, {
    ...{ model: pair.model, a: valuesOf(pair.a.state), b: valuesOf(pair.b.state), aligned: match.aligned },
    signal: common.signal,
    onProgress: (progress) => common.onProgress?.(progress),
  });
  const of = (index: number) => {
    const { score, kept } = singular.alignment[index]!;
    return { score, kept };
  };
  return {
    analysis: 'singular',
    model: pair.model.name,
    vectors: {
      matchings: [
        { align: 'none', alignment: of(0) },
        ...(settings.method === 'none' ? [] : [{ align: settings.method, alignment: of(1) }]),
      ],
      singular,
    },
  };
}
