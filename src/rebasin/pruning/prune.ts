/**
 * Pruning from end to end (Qu and Horvath 2024): weights are judged once, removed in one shot at any sparsity, nothing is retrained, and
 * what is left is corrected to have the dense network's statistics. Zeros stay zeros.
 */
import { DataError, FormatError, OptionError } from '../../base/errors.ts';
import { assertFinite } from '../../io/safetensors.ts';
import { type Model, stateEntries } from '../../nn/models/model.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { LossAndAccuracy } from '../../report/results.ts';
import type { Context } from '../../runtime/context.ts';
import { elementCount } from '../../runtime/kernel.ts';
import { Scope } from '../../runtime/scope.ts';
import { evaluatePoints } from '../interpolation/evaluate-points.ts';
import { uploadEndpoints } from '../renormalise/endpoints.ts';
import type { Renormalisation } from '../renormalise/renormalisations.ts';
import { type PruningMask, pruningMasks } from './masks.ts';
import { type PruningScope, prunableWeights } from './prunable-weights.ts';
import { PrunedArena } from './pruned-arena.ts';
import { looksAtImages, type PruningMethod } from './pruning-method.ts';
import { checkPruning, type PruningOptions } from './pruning-options.ts';

/** One network without most of its weights. */
export interface PrunedNetwork {
  /** What was asked for; of `N:M` 1 - N / M. */
  readonly sparsity: number;
  /** Share of the judged weights that are exactly 0, counted in `values`. */
  readonly achieved: number;
  /** How many they are. */
  readonly zeros: number;
  /** The model that the correction leaves; it may have biases that the dense one lacks. */
  readonly model: Model;
  /** Every entry of `model`; fresh arrays, the caller's. */
  readonly values: Map<string, Float32Array>;
}

/** One sparsity of a curve. */
export interface PruningPoint extends Pick<PrunedNetwork, 'sparsity' | 'achieved' | 'zeros'> {
  /** Before the correction. */
  readonly pruned: LossAndAccuracy;
  /** Absent where nothing was corrected. */
  readonly renormalised?: LossAndAccuracy;
}

/** Accuracy against sparsity. */
export interface PruningCurve {
  /** How weights were judged. */
  readonly method: PruningMethod;
  /** Which weights were judged. */
  readonly scope: PruningScope;
  /** What was done; never `auto`. */
  readonly renormalise: Renormalisation;
  /** How many weights were judged. */
  readonly weights: number;
  /** Of the network as it was. */
  readonly dense: LossAndAccuracy;
  /** In the order of the sparsities that were asked for. */
  readonly curve: readonly PruningPoint[];
}

/**
 * Prunes a network to one sparsity and corrects it.
 * @param options `sparsity` from 0 to 1; none for `N:M`.
 * @throws what `checkPruning` throws, before any work; DataError naming the tensor that is not finite; the signal's reason when aborted.
 * @example
 * const { model, values, achieved } = await pruneNetwork(context, { model, values, sparsity: 0.9, statistics: images });
 */
export async function pruneNetwork(
  context: Context,
  options: PruningOptions & { readonly sparsity?: number },
): Promise<PrunedNetwork> {
  const run = await startRun(context, {
    ...options,
    sparsities: options.sparsity === undefined ? undefined : [options.sparsity],
  });
  try {
    run.prune(run.sparsities[0]!);
    if (run.renormalise !== 'none') await run.pruned.correct(options.signal);
    const network = await run.network();
    options.onProgress?.({ stage: 'prune', done: 1, total: 1 });
    return network;
  } finally {
    run.scope.destroy();
  }
}

/** Of `pruningCurve`. */
export interface PruningCurveOptions extends PruningOptions {
  /** Each from 0 to 1, in any order; none for `N:M`. 0 gives what the correction alone does to the dense network. */
  readonly sparsities?: readonly number[] | undefined;
  /** Images to score on. */
  readonly images: GpuDataset;
  /** Gets every network as it is in the end; the next one waits for it. */
  readonly onNetwork?: ((network: PrunedNetwork) => void | Promise<void>) | undefined;
}

/**
 * Prunes a network to each of many sparsities and scores what is left, before and after the correction. Each starts from the dense
 * network; weights are judged once.
 * @throws as `pruneNetwork`.
 */
export async function pruningCurve(context: Context, options: PruningCurveOptions): Promise<PruningCurve> {
  const { images, signal, onProgress, method = 'magnitude', scope = 'without-shortcuts' } = options;
  const run = await startRun(context, options);
  try {
    const { sparsities, renormalise, pruned, weights } = run;
    // The dense network, then each sparsity: pruned, and where that is asked for corrected.
    const states = renormalise === 'none' ? 1 : 2;
    const found: Omit<PruningPoint, 'pruned'>[] = [];
    const place = async (point: number) => {
      if (point === 0) return pruned.restore();
      const [index, state] = [Math.floor((point - 1) / states), (point - 1) % states];
      if (state === 0) run.prune(sparsities[index]!);
      else await pruned.correct(signal);
      if (state + 1 < states) return;
      const network = await run.network();
      const { sparsity, achieved, zeros } = network;
      found.push({ sparsity, achieved, zeros });
      await options.onNetwork?.(network);
    };
    const { scores } = await evaluatePoints(context, {
      ...{ model: run.model, arena: pruned.arena, count: 1 + states * sparsities.length, place, signal },
      data: { scores: images },
      onProgress: ({ done, total }) => onProgress?.({ stage: 'prune', done, total }),
    });
    const [dense, ...rest] = scores as [LossAndAccuracy, ...LossAndAccuracy[]];
    const curve = found.map((point, index) => ({
      ...point,
      pruned: rest[index * states]!,
      ...(states === 1 ? {} : { renormalised: rest[index * states + 1]! }),
    }));
    return { method, scope, renormalise, weights, dense, curve };
  } finally {
    run.scope.destroy();
  }
}

/** The dense network on the GPU, its weights judged, and a place for what is left of it. Whoever calls this destroys the scope. */
async function startRun(context: Context, options: PruningOptions & Pick<PruningCurveOptions, 'sparsities'>) {
  const { method = 'magnitude', values, statistics, renormalisation, signal, onProgress } = options;
  const { sparsities, renormalise } = checkPruning(options, options.sparsities);
  const samples = sampleCount(options);
  for (const { name, shape } of stateEntries(options.model)) {
    const value = values.get(name);
    if (value?.length !== elementCount(shape)) {
      throw new FormatError(
        `prune: "${name}" of shape [${shape}] needs ${elementCount(shape)} values, got ${value?.length ?? 'none'}`,
      );
    }
    assertFinite(`prune: ${name}`, value);
  }
  signal?.throwIfAborted();
  const scope = new Scope();
  try {
    const dense = scope.own(
      uploadEndpoints(context, {
        ...{ model: options.model, networks: [values], renormalise, data: statistics },
        ...(renormalisation ? { settings: renormalisation } : {}),
      }),
    );
    const { model } = dense;
    const state = dense.arenas[0]!;
    const judged = prunableWeights(model, options.scope ?? 'without-shortcuts');
    const weights = judged.reduce((sum, { name }) => sum + values.get(name)!.length, 0);
    const pruned = scope.own(new PrunedArena(context, state, dense.renormalise));
    const masks = await pruningMasks(context, {
      ...{ method, model, values, state, weights: judged, data: statistics, samples, signal },
      blockSize: options.blockSize ?? 50,
      damping: options.damping ?? 1e-5,
      seed: options.seed ?? 0,
      onProgress: (done, total) => onProgress?.({ stage: 'judge', done, total }),
    });

    let now: { readonly sparsity: number; readonly mask: PruningMask };
    const prune = (sparsity: number) => {
      now = { sparsity, mask: masks(sparsity) };
      pruned.prune(now.mask);
    };
    /** What is on the GPU now, read back and its zeros counted. @throws DataError where a removed weight is not 0. */
    const network = async (): Promise<PrunedNetwork> => {
      const { sparsity, mask } = now;
      const left = await pruned.arena.read();
      let zeros = 0;
      for (const { name } of judged) {
        const [weight, removed] = [left.get(name)!, mask.get(name)];
        for (let i = 0; i < weight.length; i++) {
          if (weight[i] === 0) zeros++;
          else if (removed?.[i]) {
            throw new DataError(
              `prune: value ${i} of "${name}" was removed but is ${weight[i]}; please report this`,
            );
          }
        }
      }
      return { sparsity, achieved: zeros / weights, zeros, model, values: left };
    };
    return { sparsities, renormalise, model, pruned, weights, prune, network, scope };
  } catch (error) {
    scope.destroy();
    throw error;
  }
}

function sampleCount({ method = 'magnitude', samples, statistics }: PruningOptions): number {
  const available = statistics?.count ?? 0;
  if (samples !== undefined && looksAtImages(method) && samples > available) {
    throw new OptionError(`prune: ${samples} samples were asked for, there are ${available} images`);
  }
  return samples ?? Math.min(256, available);
}
