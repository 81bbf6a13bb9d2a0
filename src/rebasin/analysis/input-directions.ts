/**
 * Where a layer's inputs z point relative to its right singular vectors v_i (Ito, Yamada and Kumagai 2024, Appendices H.3 and H.4;
 * ALGORITHMS 4.6): the mean of |v_i . z| / ||z|| over images, for each i. Where it falls with sigma_i, inputs lie along the directions that
 * the layer amplifies most, and it matters little how the others are aligned.
 *
 * For a convolution z is every patch that it looks at, padding included: v_i . z is then a convolution with v_i as its weight, and ||z||^2
 * one of z^2 with ones. So the network itself is run, with these beside its layers; nothing is unfolded, no position left out.
 */
import { DataError, ShapeError } from '../../base/errors.ts';
import { fittingBatchSize } from '../../nn/batch-size.ts';
import type { Node } from '../../nn/graph.ts';
import { type Model, stateEntries } from '../../nn/models/model.ts';
import {
  add,
  broadcast,
  type Conv2dOptions,
  conv2d,
  linear,
  multiply,
  parameter,
  relu,
  scale,
  step,
  sum,
  sumChannels,
} from '../../nn/ops/index.ts';
import { inverseDeviation } from '../../nn/ops/normalise.ts';
import { compile } from '../../nn/program.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import { Arena, type ArenaEntry, ArenaLayout, type HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { elementCount } from '../../runtime/kernel.ts';
import { Scope } from '../../runtime/scope.ts';
import { type LayerMatrix, layerMatrices } from './layer-matrices.ts';

/** Of `inputDirections`. */
export interface InputDirectionsOptions {
  /** The architecture. */
  readonly model: Model;
  /** f32 by name, every entry of the model. */
  readonly values: HostTensors;
  /** For each layer by name: f32 [N, r], column i its i-th right singular vector. Layers without are left out. */
  readonly directions: ReadonlyMap<string, Float32Array>;
  /** The images whose activations are looked at; stays the caller's. */
  readonly data: GpuDataset;
  /** Images at once, at most. Decides rounding. Default: 100. */
  readonly batchSize?: number | undefined;
  /** Images done. */
  readonly onProgress?: ((done: number) => void) | undefined;
  /** Stops the work: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** How far the inputs of a layer point along its right singular vectors. */
export interface InputDirections {
  /** Name of its module. */
  readonly layer: string;
  /** Mean of |v_i . z| / ||z|| for each i. Inputs of zeros have no direction and are left out. */
  readonly projections: number[];
  /** Inputs that count: images times positions, less those of zeros. */
  readonly count: number;
}

/** Added to ||z||^2 under the root: makes the inverse finite at 0, and is nothing beside inputs above 1e-11. */
const TINY = 1e-30;

/**
 * Runs a network over all images and looks at every layer's inputs. Layers in groups (`groups` above 1) have no one input for all their
 * rows, and are left out.
 * @returns the layers, in the network's own order.
 * @throws ShapeError when directions do not fit their layer; DataError naming a layer whose inputs are not finite.
 */
export async function inputDirections(
  context: Context,
  options: InputDirectionsOptions,
): Promise<InputDirections[]> {
  const { model, values, directions, data, signal } = options;
  const looks = layerMatrices(model).flatMap((matrix) => {
    const vectors = directions.get(matrix.layer);
    return vectors === undefined || groupsOf(matrix) > 1 ? [] : [lookAt(matrix, vectors)];
  });
  if (looks.length === 0) return [];
  const scope = new Scope();
  try {
    const network = scope.own(new Arena(context, new ArenaLayout(stateEntries(model))));
    network.write(values);
    const constants = looks.flatMap((look) => look.constants);
    const beside = scope.own(new Arena(context, new ArenaLayout(constants.map(({ entry }) => entry))));
    beside.write(new Map(constants.map(({ entry, value }) => [entry.name, value])));
    const results = looks.flatMap(({ matrix, projections, count, squares }) => [
      { node: projections, name: `projections of ${matrix.layer}` },
      { node: count, name: `count of ${matrix.layer}` },
      { node: squares, name: `squares of ${matrix.layer}` },
    ]);
    const entries = results.map(({ node, name }) => ({ name, shape: node.shape as number[] }));
    const batch = scope.own(new Arena(context, new ArenaLayout(entries)));
    const nodes = results.map(({ node }) => node);
    const batchSize = fittingBatchSize(context, nodes, Math.min(options.batchSize ?? 100, data.count));
    const stores = results.map(({ node, name }) => [node, batch.view(name)] as const);
    const program = scope.own(
      compile(context, { outputs: {}, stores, arenas: [network, beside], batchSize }),
    );
    const totals = new Map(entries.map(({ name, shape }) => [name, new Float64Array(elementCount(shape))]));
    for (let start = 0; start < data.count; start += batchSize) {
      const size = Math.min(batchSize, data.count - start);
      data.fillImages(program, data.inOrder, start, size);
      program.run(size);
      for (const [name, sums] of await batch.read()) addTo(totals.get(name)!, sums, name);
      signal?.throwIfAborted();
      options.onProgress?.(start + size);
    }
    return looks.map(({ matrix: { layer } }) => {
      const [count] = totals.get(`count of ${layer}`)!;
      const projections = [...totals.get(`projections of ${layer}`)!];
      return { layer, count: count!, projections: projections.map((total) => (count ? total / count : 0)) };
    });
  } finally {
    scope.destroy();
  }
}

interface Look {
  readonly matrix: LayerMatrix;
  /** [r], the sum of |v_i . z| / ||z||. */
  readonly projections: Node;
  /** How many z are not zero. */
  readonly count: Node;
  /** The sum of ||z||^2, which shows what an inverse norm of 0 and max(NaN, 0) would hide. */
  readonly squares: Node;
  /** What the graph reads beside the network's parameters. */
  readonly constants: readonly { readonly entry: ArenaEntry; readonly value: Float32Array }[];
}

function lookAt(matrix: LayerMatrix, vectors: Float32Array): Look {
  const { layer, rows, columns, node } = matrix;
  const count = Math.min(rows, columns);
  if (vectors.length !== columns * count) {
    throw new ShapeError(
      `inputDirections: "${layer}" needs vectors [${columns}, ${count}], got ${vectors.length} values; pass v of its own decomposition`,
    );
  }
  const constants: { entry: ArenaEntry; value: Float32Array }[] = [];
  const constant = (what: string, shape: readonly number[], value: Float32Array): Node => {
    const name = `${what} of ${layer}`;
    constants.push({ entry: { name, shape }, value });
    return parameter(name, shape);
  };
  const z = node.inputs[0]!;
  const weightShape = node.inputs[1]!.shape.slice(1) as number[];
  const turned = vectors.map((_, at) => vectors[(at % columns) * count + Math.floor(at / columns)]!);
  const v = constant('singular vectors', [count, ...weightShape], turned);
  const ones = (shape: readonly number[]) => new Float32Array(elementCount(shape)).fill(1);
  if (node.operation.name === 'linear') {
    const squares = sum(multiply(z, z), 1); // [N]
    const inverse = broadcast(inverseDeviation(squares, TINY), 1, count);
    const projections = sum(multiply(absolute(linear(z, v)), inverse), 0);
    return { matrix, projections, count: sum(step(squares), 0), squares: sum(squares, 0), constants };
  }
  const sliding = node.attributes as Conv2dOptions;
  const patch = [1, ...weightShape];
  const squares = conv2d(multiply(z, z), constant('ones', patch, ones(patch)), undefined, sliding); // [N, 1, H, W]
  const one = [count, 1, 1, 1];
  const inverse = conv2d(inverseDeviation(squares, TINY), constant('copies', one, ones(one))); // [N, r, H, W]
  const projections = sumChannels(multiply(absolute(conv2d(z, v, undefined, sliding)), inverse));
  return {
    ...{ matrix, projections, constants },
    ...{ count: sumChannels(step(squares)), squares: sumChannels(squares) },
  };
}

const absolute = (x: Node): Node => add(relu(x), relu(scale(x, -1)));

const groupsOf = ({ node }: LayerMatrix): number =>
  node.operation.name === 'conv2d' ? ((node.attributes as Conv2dOptions).groups ?? 1) : 1;

function addTo(totals: Float64Array, sums: Float32Array, name: string): void {
  for (const [i, value] of sums.entries()) {
    if (!Number.isFinite(value)) {
      throw new DataError(
        `inputDirections: the ${name}'s inputs are not finite on these images; the network has diverged, or its activations pass the range of float32`,
      );
    }
    totals[i]! += value;
  }
}
