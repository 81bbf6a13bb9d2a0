import { describe, expect, it } from 'vitest';
import { initialiseParameters } from '../../../src/nn/initialise.ts';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { parseModel } from '../../../src/nn/models/parse-model.ts';
import { firstLayerFilters } from '../../../src/rebasin/analysis/first-layer-filters.ts';

const valuesOf = (model: Model, seed: number) => initialiseParameters(stateEntries(model), seed);

/** B whose first weight has the rows of A in another order, some turned round, and A's order again. */
function shuffledRows(model: Model, weight: string, order: readonly number[], columns: number) {
  const a = valuesOf(model, 1);
  const rows = a.get(weight)!;
  const b = new Map(a).set(weight, new Float32Array(rows.length));
  for (const [unit, from] of order.entries()) {
    b.get(weight)!.set(rows.subarray(from * columns, (from + 1) * columns), unit * columns);
  }
  return { a, b };
}

describe('first-layer filters', () => {
  it('are alike where matching put a unit back, and not before', () => {
    const model = mlp({ widths: [12, 5, 3] });
    const { a, b } = shuffledRows(model, 'fc1.weight', [1, 2, 3, 4, 0], 12);
    const found = firstLayerFilters({ model, a, b, aligned: a, imageShape: [3, 2, 2], shown: 3 });
    for (const cosine of found.after) expect(cosine).toBeCloseTo(1, 12);
    for (const cosine of found.before) expect(cosine).toBeLessThan(0.999);
    expect(found).toMatchObject({ layer: 'fc1', weight: 'fc1.weight', shape: [3, 2, 2] });
    // By hand, of unit 0.
    const [x, y] = [a, b].map((values) => [...values.get('fc1.weight')!.subarray(0, 12)]) as [
      number[],
      number[],
    ];
    const dot = (p: number[], q: number[]) => p.reduce((sum, value, i) => sum + value * q[i]!, 0);
    expect(found.before[0]).toBeCloseTo(dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)), 12);
    const shown = found.units.find(({ unit }) => unit === 0)!;
    expect([shown.a, shown.b, shown.aligned]).toEqual([x, y, x]);
  });

  it('go evenly from the best matched to the worst', () => {
    const model = mlp({ widths: [4, 7, 2] });
    const [a, b] = [valuesOf(model, 1), valuesOf(model, 2)];
    const { units, after } = firstLayerFilters({ model, a, b, aligned: b, shown: 3 });
    const sorted = [...after].sort((x, y) => y - x);
    expect(units.map((unit) => unit.after)).toEqual([sorted[0], sorted[3], sorted[6]]);
  });

  it('have the shape of kernels, of images, or none', () => {
    const shapeOf = (model: Model, imageShape?: readonly number[]) => {
      const values = valuesOf(model, 1);
      const networks = { a: values, b: values, aligned: values };
      return firstLayerFilters({ model, ...networks, ...(imageShape ? { imageShape } : {}) }).shape;
    };
    expect(shapeOf(parseModel('resnet8:width=0.25'))).toEqual([3, 3, 3]);
    const flat = mlp({ widths: [12, 5, 3] });
    expect(shapeOf(flat)).toBeUndefined();
    expect(shapeOf(flat, [1, 3, 3])).toBeUndefined();
    expect(shapeOf(flat, [1, 3, 4])).toEqual([1, 3, 4]);
  });

  it('of a unit without weights are like nothing', () => {
    const model = mlp({ widths: [4, 2, 2] });
    const a = valuesOf(model, 1);
    const b = new Map(a).set('fc1.weight', new Float32Array(8));
    expect(firstLayerFilters({ model, a, b, aligned: a }).before).toEqual([0, 0]);
  });
});
