/** What the units of the first layer look for in two networks: each unit's weights beside those of its partner, before matching and after. */
import type { Model } from '../../nn/models/model.ts';
import type { MatchedFilters } from '../../report/filters-result.ts';
import type { HostTensors } from '../../runtime/arena.ts';
import { elementCount } from '../../runtime/kernel.ts';
import { layerMatrices } from './layer-matrices.ts';

/** Of `firstLayerFilters`. */
export interface FirstLayerFiltersOptions {
  /** The architecture. */
  readonly model: Model;
  /** f32 by name. */
  readonly a: HostTensors;
  /** f32 by name, every entry of the model. Read, never changed. */
  readonly b: HostTensors;
  /** B as it was matched to A. */
  readonly aligned: HostTensors;
  /** [C, H, W] of the images that a network of flat inputs takes; convolutions have their own shape. Default: unknown. */
  readonly imageShape?: readonly number[] | undefined;
  /** Units that are told at length, evenly from the best matched to the worst. Default: 24. */
  readonly shown?: number;
}

/** Compares the first layer's units. Pure; fresh arrays, the caller's. */
export function firstLayerFilters(options: FirstLayerFiltersOptions): MatchedFilters {
  const { model, imageShape, shown = 24 } = options;
  const { layer, weight, rows, columns, node } = layerMatrices(model)[0]!;
  const [a, b, aligned] = [options.a, options.b, options.aligned].map((values) => values.get(weight)!);
  const rowOf = (values: Float32Array, unit: number) => values.subarray(unit * columns, (unit + 1) * columns);
  const cosines = (values: Float32Array) =>
    Array.from({ length: rows }, (_, unit) => cosine(rowOf(a!, unit), rowOf(values, unit)));
  const [before, after] = [cosines(b!), cosines(aligned!)];
  const order = after
    .map((value, unit) => ({ value, unit }))
    .sort((x, y) => y.value - x.value || x.unit - y.unit)
    .map(({ unit }) => unit);
  const count = Math.min(shown, rows);
  const step = count > 1 ? (rows - 1) / (count - 1) : 0;
  const kernel = (node.inputs[1]!.shape as readonly number[]).slice(1);
  const flat = model.inputShape.length === 3 ? model.inputShape : imageShape;
  const shape = kernel.length === 3 ? kernel : flat && elementCount(flat) === columns ? flat : undefined;
  return {
    model: model.name,
    layer,
    weight,
    ...(shape ? { shape: shape as [number, number, number] } : {}),
    before,
    after,
    units: Array.from({ length: count }, (_, i) => {
      const unit = order[Math.round(i * step)]!;
      const [ofA, ofB, partner] = [a!, b!, aligned!].map((values) => [...rowOf(values, unit)]);
      return { unit, before: before[unit]!, after: after[unit]!, a: ofA!, b: ofB!, aligned: partner! };
    }),
  };
}

/** The cosine of two vectors, summed in float64; 0 where one of them is all zeros. */
function cosine(x: Float32Array, y: Float32Array): number {
  let [xy, xx, yy] = [0, 0, 0];
  for (const [i, value] of x.entries()) {
    xy += value * y[i]!;
    xx += value * value;
    yy += y[i]! * y[i]!;
  }
  return xx === 0 || yy === 0 ? 0 : xy / (Math.sqrt(xx) * Math.sqrt(yy));
}
