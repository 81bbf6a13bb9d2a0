/**
 * The plane through three models in weight space, with coordinates that measure distance (Garipov et al. 2018, Loss surfaces, mode
 * connectivity, and fast ensembling of DNNs, section 3): the first model is the origin, the first axis runs towards the second model,
 * the second axis is what Gram-Schmidt leaves of the direction to the third.
 *
 * A point (x, y) is then an affine combination of the three models: its weights add up to 1, and inside the triangle none is negative.
 */
import { DataError, OptionError } from '../../base/errors.ts';
import type { HostTensors } from '../../runtime/arena.ts';

/** A point of the plane: distances along both axes. */
export interface PlanePosition {
  /** Along A to B. */
  readonly x: number;
  /** Across it. */
  readonly y: number;
}

/** The share of each of the three models; they add up to 1. */
export type PlaneWeights = readonly [number, number, number];

export interface PlaneGeometry {
  /** Where the three models lie: (0, 0), (|B - A|, 0), and a point with positive y. */
  readonly models: readonly [PlanePosition, PlanePosition, PlanePosition];
  /** The combination of models that lies at a point. */
  weightsAt(position: PlanePosition): PlaneWeights;
}

/**
 * Directions shorter than this part of the longest of the three weight vectors are rounding: a model that was interpolated in f32 lies
 * within 2^-24 = 6e-8 of its length of the line it was made on.
 */
const ROUNDING = 1e-6;

/**
 * Lays the plane through three models, in float64.
 * @param values of each model, by name, all of the same names and lengths: everything that is interpolated counts for the distance.
 * @param names what errors call the models. Default: first, second, third.
 * @throws DataError when two models are equal, all three lie on one line, or values are not finite.
 */
export function planeGeometry(
  values: readonly [HostTensors, HostTensors, HostTensors],
  names: readonly [string, string, string] = ['first', 'second', 'third'],
): PlaneGeometry {
  const lengths = values.map((model) => Math.sqrt(sumOver([model], ([a]) => a! * a!)));
  if (!lengths.every(Number.isFinite)) {
    throw new DataError(
      `plane: the weights of the ${names[lengths.findIndex((length) => !Number.isFinite(length))]} model are not finite; evaluate it first`,
    );
  }
  const smallest = ROUNDING * Math.max(...lengths);
  const distance = (i: number, j: number) => {
    const found = Math.sqrt(sumOver([values[i]!, values[j]!], ([a, b]) => (b! - a!) * (b! - a!)));
    if (found > smallest) return found;
    throw new DataError(
      `plane: the ${names[i]} and the ${names[j]} model are equal (distance ${found}), which makes no plane; give three different models`,
    );
  };
  const base = distance(0, 1);
  distance(0, 2);
  distance(1, 2);
  const along = sumOver(values, ([a, b, c]) => (b! - a!) * (c! - a!)) / base;
  // A second pass: the difference of squares would cancel.
  const slope = along / base;
  const across = Math.sqrt(
    sumOver(values, ([a, b, c]) => {
      const rest = c! - a! - slope * (b! - a!);
      return rest * rest;
    }),
  );
  if (!(across > smallest)) {
    throw new DataError(
      `plane: the ${names.join(', the ')} model lie on one line (the last ${across} beside it), which makes no plane; sweep along the line instead`,
    );
  }
  return {
    models: [
      { x: 0, y: 0 },
      { x: base, y: 0 },
      { x: along, y: across },
    ],
    weightsAt: ({ x, y }) => {
      const third = y / across;
      const second = (x - along * third) / base;
      return [1 - second - third, second, third];
    },
  };
}

/** Coordinates of a grid around the triangle. */
export interface PlaneGrid {
  /** Ascending, equally spaced. */
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** @throws OptionError for a size below 2 or a negative margin. */
export function checkPlaneGrid(size: number, margin: number): void {
  if (!Number.isInteger(size) || size < 2) {
    throw new OptionError(`plane: expected a grid size of at least 2, an integer, got ${size}`);
  }
  if (!(margin >= 0) || !Number.isFinite(margin)) {
    throw new OptionError(`plane: expected a margin of at least 0, got ${margin}`);
  }
}

/**
 * `size` by `size` points, both ends included.
 * @param margin around the triangle on every side, as a part of its larger extent.
 */
export function planeGrid({ models }: PlaneGeometry, size: number, margin: number): PlaneGrid {
  const range = (coordinates: readonly number[]) =>
    [Math.min(...coordinates), Math.max(...coordinates)] as const;
  const [x, y] = [range(models.map((model) => model.x)), range(models.map((model) => model.y))];
  const air = margin * Math.max(x[1] - x[0], y[1] - y[0]);
  const spaced = ([low, high]: readonly [number, number]) =>
    Array.from({ length: size }, (_, i) => low - air + (i / (size - 1)) * (high - low + 2 * air));
  return { x: spaced(x), y: spaced(y) };
}

/** The sum of `term` over all elements of all entries, in float64 and in order. */
function sumOver(models: readonly HostTensors[], term: (elements: readonly number[]) => number): number {
  let total = 0;
  const elements = models.map(() => 0);
  for (const name of models[0]!.keys()) {
    const arrays = models.map((model) => model.get(name)!);
    for (let i = 0; i < arrays[0]!.length; i++) {
      for (let m = 0; m < arrays.length; m++) elements[m] = arrays[m]![i]!;
      total += term(elements);
    }
  }
  return total;
}
