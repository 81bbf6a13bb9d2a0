/** What a pruning method removes at any sparsity: scores made once, on GPU and host, then compared exactly on the host. */
import { RandomStream } from '../../base/random.ts';
import { forwardGraph, type Model } from '../../nn/models/model.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { Arena, HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { derivePermutationSpec } from '../spec/permutation-spec.ts';
import { channelPruning } from './channels.ts';
import { fisherDiagonal, fisherScores, type SampleLoop } from './fisher.ts';
import { squaredInputNorms, wandaScores } from './input-norms.ts';
import { markNofM } from './n-of-m.ts';
import type { PrunableWeight } from './prunable-weights.ts';
import { type PruningMethod, patternOf } from './pruning-method.ts';
import { Ranking } from './ranking.ts';
import { SampleGradients } from './sample-gradients.ts';
import { inverseFisherDiagonal, woodFisherScores } from './woodfisher.ts';

/** By tensor, 1 where a value is removed. Tensors that are left out stay as they are. */
export type PruningMask = ReadonlyMap<string, Uint8Array>;

export interface MaskOptions extends SampleLoop {
  readonly method: PruningMethod;
  readonly model: Model;
  /** On the host, and in an arena, which is only read. */
  readonly values: HostTensors;
  readonly state: Arena;
  readonly weights: readonly PrunableWeight[];
  /** Images of the methods that look at some. */
  readonly data: GpuDataset | undefined;
  readonly blockSize: number;
  readonly damping: number;
  readonly seed: number;
}

type Scores = ReadonlyMap<string, Float64Array>;

/**
 * Judges the weights.
 * @returns a function of the sparsity (which N:M ignores). Of weights that are 0 already it takes those first. Masks are nested but for
 * N:M: what goes at one sparsity goes at every higher one.
 */
export async function pruningMasks(
  context: Context,
  options: MaskOptions,
): Promise<(sparsity: number) => PruningMask> {
  const { method, model, values, weights } = options;
  const pattern = patternOf(method);
  if (pattern) {
    const mask = new Map(
      weights.map(({ name, shape }) => [name, markNofM(values.get(name)!, shape, pattern.n, pattern.m)]),
    );
    return () => mask;
  }
  if (method === 'channel')
    return channelPruning(derivePermutationSpec([forwardGraph(model).logits]), values);
  const scores = await scoresOf(context, options);
  return unstructured(options, scores);
}

async function scoresOf(context: Context, options: MaskOptions): Promise<Scores> {
  const { method, values, weights, seed } = options;
  const scored = (score: (values: Float32Array, weight: PrunableWeight) => Float64Array): Scores =>
    new Map(weights.map((weight) => [weight.name, score(values.get(weight.name)!, weight)]));
  if (method === 'random') {
    const random = new RandomStream(seed, 'random pruning');
    return scored(({ length }, { name }) => {
      const words = new Uint32Array(length);
      random.derive(name).fillUint32(words);
      return Float64Array.from(words);
    });
  }
  if (method === 'wanda') {
    const norms = await squaredInputNorms(context, { ...options, data: options.data! });
    return scored((weight, { name, shape }) => wandaScores(weight, shape, norms.get(name)!));
  }
  if (method === 'fisher' || method === 'woodfisher') {
    const gradients = new SampleGradients(context, { ...options, data: options.data! });
    try {
      if (method === 'fisher') {
        const fisher = await fisherDiagonal(gradients, options);
        return scored((weight, { name }) => fisherScores(weight, fisher.get(name)!));
      }
      const inverse = await inverseFisherDiagonal(gradients, options);
      return scored((weight, { name }) => woodFisherScores(weight, inverse.get(name)!));
    } finally {
      gradients.destroy();
    }
  }
  return scored((weight) => Float64Array.from(weight, Math.abs));
}

/** All scores in a row, ranked over the whole network, within each layer, or within each output of a layer. */
function unstructured(
  { method, values, weights }: MaskOptions,
  scores: Scores,
): (sparsity: number) => PruningMask {
  const boundaries = [0];
  const ranges: { name: string; start: number; end: number }[] = [];
  let length = 0;
  for (const { name, shape } of weights) {
    const start = length;
    length += scores.get(name)!.length;
    ranges.push({ name, start, end: length });
    const parts = method === 'wanda' ? shape[0]! : 1;
    for (let part = 1; part <= parts; part++) boundaries.push(start + (part * (length - start)) / parts);
  }
  const all = new Float64Array(length);
  for (const { name, start } of ranges) {
    const weight = values.get(name)!;
    // No score is below 0: what is 0 already goes first.
    all.set(
      scores.get(name)!.map((score, i) => (weight[i] === 0 ? -1 : score)),
      start,
    );
  }
  const isLocal = method === 'wanda' || method === 'magnitude-per-layer';
  const ranking = new Ranking(all, isLocal ? boundaries : [0, length]);
  return (sparsity) => {
    const marked = ranking.lowest(sparsity);
    return new Map(ranges.map(({ name, start, end }) => [name, marked.subarray(start, end)]));
  };
}
