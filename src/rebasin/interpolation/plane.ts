/**
 * Loss and accuracy on the plane through three models: A, B and B permuted, say, or three models aligned to each other. Weights are mixed
 * arena to arena on the GPU, one dispatch a window and point.
 */
import { ShapeError } from '../../base/errors.ts';
import { combine } from '../../kernels/arena/arena.ts';
import type { Model } from '../../nn/models/model.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { PlaneValues } from '../../report/results.ts';
import { Arena } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { Scope } from '../../runtime/scope.ts';
import type { RenormaliserFactory } from '../renormalise/renormaliser.ts';
import { evaluatePoints } from './evaluate-points.ts';
import {
  checkPlaneGrid,
  type PlanePosition,
  type PlaneWeights,
  planeGeometry,
  planeGrid,
} from './plane-geometry.ts';
import type { Mixture } from './shared-first-layer.ts';

/** Of `planeSweep`. */
export interface PlaneOptions {
  /** The architecture. */
  readonly model: Model;
  /** Arenas of one layout; the first is the origin. They stay the caller's and are not changed. */
  readonly models: readonly [Arena, Arena, Arena];
  /** What errors call the models. Default: first, second, third. */
  readonly names?: readonly [string, string, string];
  /** Data sets to evaluate on, by name, such as `train` and `test`. */
  readonly data: Readonly<Record<string, GpuDataset>>;
  /** Points along each axis. Default: 21. */
  readonly gridSize?: number;
  /** Around the triangle on every side, as a part of its larger extent. Default: 0.25. */
  readonly margin?: number;
  /** Corrects the weights of every point, the three models' own included. Default: none. */
  readonly renormalise?: RenormaliserFactory | undefined;
  /** Default: 500. Does not change the result. */
  readonly batchSize?: number;
  /** Called after each point is recorded. */
  readonly onProgress?: (progress: { readonly done: number; readonly total: number }) => void;
  /** Stops the work: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal;
}

/** Loss and accuracy on a grid in the plane through three networks. */
export interface Plane {
  /** Coordinates of the grid, ascending: L2 distances over everything that is interpolated. */
  readonly x: readonly number[];
  /** The same of the other axis. */
  readonly y: readonly number[];
  /** Where the three models lie; see `planeGeometry`. */
  readonly models: readonly PlanePosition[];
  /** By the name of the data set, row by row from the lowest y. */
  readonly values: Readonly<Record<string, PlaneValues>>;
}

const MODELS: readonly PlaneWeights[] = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
];
const MIDPOINTS: readonly PlaneWeights[] = [
  [0.5, 0.5, 0],
  [0.5, 0, 0.5],
  [0, 0.5, 0.5],
];

/**
 * Evaluates a grid on the plane. Reads the three models once, for the geometry, and the sums over samples once, at the end. A linear
 * first layer is shared by all points, as in sweeps; at the three models everything has their bits.
 *
 * Beyond the triangle running variances of batch norm may be extrapolated below 0, which gives a loss of NaN: use RESET.
 * @throws DataError when two models are equal or all three lie on one line; OptionError for a bad grid. Before any evaluation.
 */
export async function planeSweep(context: Context, options: PlaneOptions): Promise<Plane> {
  const { model, models, data, gridSize = 21, margin = 0.25, renormalise, signal } = options;
  checkPlaneGrid(gridSize, margin);
  const [first, second, third] = models;
  const lengths = models.map(({ layout }) => layout.length);
  if (new Set(lengths).size > 1) {
    throw new ShapeError(
      `planeSweep: the models need arenas of one layout, got ${lengths.join(', ')} elements`,
    );
  }
  const values = [await first.read(), await second.read(), await third.read()] as const;
  const geometry = planeGeometry(values, options.names);
  const { x, y } = planeGrid(geometry, gridSize, margin);
  const grid = y.flatMap((y) => x.map((x) => geometry.weightsAt({ x, y })));
  const points = [...MODELS, ...MIDPOINTS, ...grid];

  const scope = new Scope();
  try {
    const mixed = scope.own(new Arena(context, first.layout, 'point of a plane'));
    const mixture: Mixture = { networks: models, shares: [1, 0, 0] };
    const renormaliser = renormalise && scope.own(renormalise(mixed));
    const [a, b, c, output] = [...models, mixed].map(({ windows }) => windows);
    const evaluations = await evaluatePoints(context, {
      model,
      arena: mixed,
      count: points.length,
      place: async (point) => {
        const weights = points[point]!;
        mixture.shares = weights;
        context.record(...combine(context, { a: a!, b: b!, c: c!, output: output!, weights }));
        await renormaliser?.correct(weights, signal);
      },
      mixture: renormalise ? undefined : mixture,
      data,
      batchSize: options.batchSize,
      onProgress: options.onProgress,
      signal,
    });
    const found = Object.entries(evaluations).map(([name, all]): [string, PlaneValues] => {
      const rows = y.map((_, row) => all.slice(6 + row * x.length, 6 + (row + 1) * x.length));
      return [
        name,
        {
          loss: rows.map((row) => row.map(({ loss }) => loss)),
          accuracy: rows.map((row) => row.map(({ accuracy }) => accuracy)),
          models: all.slice(0, 3),
          midpoints: all.slice(3, 6),
        },
      ];
    });
    return { x, y, models: geometry.models, values: Object.fromEntries(found) };
  } finally {
    scope.destroy();
  }
}
