/**
 * What matching does to the singular values and vectors of two networks (Ito, Yamada and Kumagai 2024; ALGORITHMS section 4): permuting
 * leaves singular values as they are and brings the vectors of large ones together, far more than it brings the networks closer.
 */
import { OptionError } from '../../base/errors.ts';
import {
  type SingularValueDecomposition,
  singularValueDecompositions,
} from '../../kernels/svd/singular-value-decomposition.ts';
import { forwardGraph, type Model } from '../../nn/models/model.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { checkValues, distanceReduction, scoredDistance } from '../matching/objective.ts';
import { weightedMean } from '../merging/common-frame.ts';
import { derivePermutationSpec } from '../spec/permutation-spec.ts';
import { alignmentScores, type LayerAlignment, layerAlignment } from './alignment-score.ts';
import { inputDirections } from './input-directions.ts';
import { type LayerMatrix, layerMatrices } from './layer-matrices.ts';
import type {
  AlignmentCurve,
  DistanceReduction,
  LayerInputDirections,
  SingularVectorAnalysis,
  SingularVectorLayer,
} from './singular-vector-result.ts';

/** Of `analyseSingularVectors`. */
export interface SingularVectorOptions {
  /** The architecture. */
  readonly model: Model;
  /** f32 by name, every entry of the model. */
  readonly a: HostTensors;
  /** f32 by name, every entry of the model. Read, never changed. */
  readonly b: HostTensors;
  /** pi(B): B as some matching permutes it to A. */
  readonly aligned: HostTensors;
  /** Each from 0 to 1. Default: 0, 0.1, ..., 0.9. */
  readonly gammas?: readonly number[];
  /** Also aligns the means of A and B, and of A and pi(B), with their parents: two decompositions more a layer. Default: true. */
  readonly merges?: boolean;
  /** Images on which to see where inputs of layers point. Default: none, and no input directions. */
  readonly data?: GpuDataset | undefined;
  /** Called as the work goes on. Default: nobody is told. */
  readonly onProgress?: ((progress: SingularVectorProgress) => void) | undefined;
  /** Stops the work: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** How far the analysis of singular vectors is. */
export interface SingularVectorProgress {
  /** What is under way. */
  readonly stage: 'decompose' | 'align' | 'input directions';
  /** Layers, with the part that is done of the one under way, or images. */
  readonly done: number;
  /** Parts there are. */
  readonly total: number;
  /** The layer under way, if any. */
  readonly note: string;
}

/** Networks by name, and pairs of them to align. */
const NAIVE = '(A + B) / 2';
const MERGED = '(A + pi(B)) / 2';
const PAIRS: readonly (readonly [string, string])[] = [
  ['A', 'B'],
  ['A', 'pi(B)'],
  [NAIVE, 'A'],
  [NAIVE, 'B'],
  [MERGED, 'A'],
  [MERGED, 'pi(B)'],
];

type Decompositions = ReadonlyMap<string, SingularValueDecomposition>;

/**
 * Decomposes every layer of A, B and pi(B) (and of their means) and compares them. All of it is plain numbers, ready for JSON.
 * @throws OptionError for gammas out of range, FormatError or DataError naming the model and the tensor that does not fit or is not
 * finite, before any work; the signal's reason when aborted.
 * @example
 * const { aligned } = await matchModels(context, { model, a, b });
 * const { alignment, gammas } = await analyseSingularVectors(context, { model, a, b, aligned });
 */
export async function analyseSingularVectors(
  context: Context,
  options: SingularVectorOptions,
): Promise<SingularVectorAnalysis> {
  const { model, a, b, aligned, merges = true, signal } = options;
  const gammas = options.gammas ?? Array.from({ length: 10 }, (_, tenths) => tenths / 10);
  for (const gamma of gammas) {
    if (gamma >= 0 && gamma <= 1) continue;
    throw new OptionError(`analyseSingularVectors: gammas must be from 0 to 1, got ${gamma}`);
  }
  const spec = derivePermutationSpec([forwardGraph(model).logits]);
  const networks = new Map<string, HostTensors>(Object.entries({ A: a, B: b, 'pi(B)': aligned }));
  for (const [name, values] of networks) checkValues('analyseSingularVectors', `model ${name}`, spec, values);
  signal?.throwIfAborted();
  if (merges) {
    networks.set(NAIVE, weightedMean(spec, [a, b], [0.5, 0.5]));
    networks.set(MERGED, weightedMean(spec, [a, aligned], [0.5, 0.5]));
  }
  const pairs = PAIRS.filter((pair) => pair.every((name) => networks.has(name)));
  const matrices = layerMatrices(model);
  const found = new Map<string, Decompositions>();
  for (const [index, matrix] of matrices.entries())
    found.set(matrix.layer, await decompose(context, matrix, index, matrices.length, networks, options));
  const alignments = new Map<string, readonly LayerAlignment[]>();
  for (const [index, { layer }] of matrices.entries()) {
    const ofLayer = found.get(layer)!;
    const sums: LayerAlignment[] = [];
    for (const [x, y] of pairs)
      sums.push(await layerAlignment(context, ofLayer.get(x)!, ofLayer.get(y)!, gammas));
    alignments.set(layer, sums);
    signal?.throwIfAborted();
    options.onProgress?.({ stage: 'align', done: index + 1, total: matrices.length, note: layer });
  }
  const directions = await directionsOf(context, found, options);
  const curves = (layers: readonly string[]): AlignmentCurve[] =>
    pairs.map((pair, at) => ({
      networks: pair,
      ...alignmentScores(layers.map((layer) => alignments.get(layer)![at]!)),
    }));
  const layers = matrices.map((matrix) => {
    const pointing = directions.get(matrix.layer);
    return {
      ...describeLayer(matrix, found.get(matrix.layer)!, options),
      alignment: curves([matrix.layer]),
      ...(pointing ? { inputDirections: pointing } : {}),
    };
  });
  return {
    distance: distances(scoredDistance(spec, a, b), scoredDistance(spec, a, aligned)),
    gammas,
    alignment: curves(matrices.map(({ layer }) => layer)),
    invariance: Math.max(...layers.map(({ invariance }) => invariance)),
    layers,
  };
}

/** One layer of all networks, side by side. */
async function decompose(
  context: Context,
  { layer, weight, rows, columns }: LayerMatrix,
  index: number,
  total: number,
  networks: ReadonlyMap<string, HostTensors>,
  { onProgress, signal }: SingularVectorOptions,
): Promise<Decompositions> {
  const report = (part: number) =>
    onProgress?.({ stage: 'decompose', done: index + part, total, note: layer });
  const matrices = [...networks.values()].map((values) => values.get(weight)!);
  const results = await singularValueDecompositions(context, {
    ...{ matrices, rows, columns, signal },
    onProgress: ({ sweep }) => report(sweep / (sweep + 4)), // how many it takes is not known before
  });
  report(1);
  return new Map([...networks.keys()].map((name, at) => [name, results[at]!]));
}

/** Of A and of B; that of pi(B) is B's. */
async function directionsOf(
  context: Context,
  found: ReadonlyMap<string, Decompositions>,
  { model, a, b, data, onProgress, signal }: SingularVectorOptions,
): Promise<Map<string, LayerInputDirections>> {
  if (!data) return new Map();
  const ofNetwork = async (name: 'A' | 'B', values: HostTensors, before: number) =>
    inputDirections(context, {
      ...{ model, values, data, signal },
      directions: new Map([...found].map(([layer, of]) => [layer, of.get(name)!.v])),
      onProgress: (done) =>
        onProgress?.({ stage: 'input directions', done: before + done, total: 2 * data.count, note: name }),
    });
  const ofA = await ofNetwork('A', a, 0);
  const ofB = await ofNetwork('B', b, data.count);
  return new Map(
    ofA.map(({ layer, projections }, at) => {
      const { v, singularValues } = found.get(layer)!.get('A')!;
      const random = Math.sqrt((2 * singularValues.length) / (Math.PI * v.length));
      return [layer, { a: projections, b: ofB[at]!.projections, random }];
    }),
  );
}

function describeLayer(
  { layer, weight, rows, columns }: LayerMatrix,
  found: Decompositions,
  { a, b, aligned }: SingularVectorOptions,
): Omit<SingularVectorLayer, 'alignment' | 'inputDirections'> {
  const [ofA, ofB, ofAligned] = ['A', 'B', 'pi(B)'].map((name) => found.get(name)!.singularValues);
  const largest = ofB![0]!;
  const difference = ofB!.reduce((most, sigma, i) => Math.max(most, Math.abs(sigma - ofAligned![i]!)), 0);
  const all = [...found.values()];
  const worst = (of: (one: SingularValueDecomposition) => number) => Math.max(...all.map(of));
  const distance = (values: HostTensors) => {
    const [x, y] = [a.get(weight)!, values.get(weight)!];
    return Math.sqrt(x.reduce((sum, value, i) => sum + (value - y[i]!) * (value - y[i]!), 0));
  };
  return {
    ...{ layer, weight, shape: [rows, columns] },
    distance: distances(distance(b), distance(aligned)),
    singularValues: { a: [...ofA!], b: [...ofB!], aligned: [...ofAligned!] },
    invariance: largest === 0 ? difference : difference / largest,
    decomposition: {
      residual: worst(({ residual }) => residual),
      orthogonality: worst(({ orthogonality: { u, v } }) => Math.max(u, v)),
      sweeps: worst(({ sweeps }) => sweeps),
      converged: all.every(({ converged }) => converged),
    },
  };
}

function distances(before: number, after: number): DistanceReduction {
  return { before, after, reduction: distanceReduction(before, after) };
}
