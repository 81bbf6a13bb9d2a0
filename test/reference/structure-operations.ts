/** Float64 references of operations that move elements about, of pooling and of dropout, by name: plain loops. */
import { RandomStream } from '../../src/base/random.ts';
import type { Attributes } from '../../src/nn/operation.ts';
import type { NdArray } from './graph.ts';

type Reference = (
  inputs: readonly NdArray[],
  shape: readonly number[],
  attributes: Attributes,
  batchSize: number,
) => Float64Array;

const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** Index along each axis of element `at`. */
function indicesOf(shape: readonly number[], at: number): number[] {
  const indices: number[] = [];
  let rest = at;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    indices.unshift(rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return indices;
}

const atIndices = (shape: readonly number[], indices: readonly number[]): number =>
  shape.reduce((at, size, axis) => at * size + indices[axis]!, 0);

const same: Reference = ([x]) => x!.data.slice();

/** Calls `visit(output, input)` for every pair of a window and a place of the plane that lies in it. */
function forWindows(
  pooled: readonly number[],
  plane: readonly number[],
  { kernel, stride, padding }: Attributes,
  visit: (window: number, place: number, inPlane: number) => void,
): void {
  const [height, width] = [plane[2]!, plane[3]!];
  for (let window = 0; window < count(pooled); window++) {
    const [n, c, row, column] = indicesOf(pooled, window);
    for (let i = 0; i < kernel[0]; i++) {
      for (let j = 0; j < kernel[1]; j++) {
        const h = row! * stride[0] - padding[0] + i;
        const w = column! * stride[1] - padding[1] + j;
        if (h < 0 || h >= height || w < 0 || w >= width) continue;
        visit(window, atIndices(plane, [n!, c!, h, w]), h * width + w);
      }
    }
  }
}

function largest(x: NdArray, shape: readonly number[], attributes: Attributes) {
  const values = new Float64Array(count(shape)).fill(Number.NEGATIVE_INFINITY);
  const places = new Float64Array(count(shape));
  forWindows(shape, x.shape, attributes, (window, place, inPlane) => {
    if (x.data[place]! <= values[window]!) return;
    values[window] = x.data[place]!;
    places[window] = inPlane;
  });
  return { values, places };
}

export const structureOperations: Readonly<Record<string, Reference>> = {
  mergeAxes: same,
  splitAxis: same,
  concatenate(inputs, shape, { axis }) {
    const out = new Float64Array(count(shape));
    let start = 0;
    for (const { shape: part, data } of inputs) {
      data.forEach((value, at) => {
        const indices = indicesOf(part, at);
        indices[axis]! += start;
        out[atIndices(shape, indices)] = value;
      });
      start += part[axis]!;
    }
    return out;
  },
  dropoutMask([step], shape, { stream, rate }) {
    const seed = (BigInt(stream.key1) << 32n) | BigInt(stream.key0);
    const ofStep = new RandomStream(seed, step!.data[0]!);
    return new Float64Array(count(shape)).map((_, i) => (ofStep.uniform(i) >= rate ? 1 / (1 - rate) : 0));
  },
  window([x], shape, { axes }) {
    return new Float64Array(count(shape)).map((_, at) => {
      const source = indicesOf(shape, at).map((i, k) => {
        const { start, multiply, divide } = axes[k];
        return (i * multiply + start) / divide;
      });
      const inside = source.every((p, k) => Number.isInteger(p) && p >= 0 && p < x!.shape[k]!);
      return inside ? x!.data[atIndices(x!.shape, source)]! : 0;
    });
  },
  maxPool: ([x], shape, attributes) => largest(x!, shape, attributes).values,
  maxPoolIndices: ([x], shape, attributes) => largest(x!, shape, attributes).places,
  maxUnpool([dy, indices], shape) {
    const out = new Float64Array(count(shape));
    const [windows, plane] = [count(dy!.shape.slice(2)), count(shape.slice(2))];
    dy!.data.forEach((value, i) => {
      out[Math.floor(i / windows) * plane + indices!.data[i]!]! += value;
    });
    return out;
  },
  gatherIndices([x, indices], shape) {
    const [windows, plane] = [count(shape.slice(2)), count(x!.shape.slice(2))];
    return indices!.data.map((place, i) => x!.data[Math.floor(i / windows) * plane + place]!);
  },
  averagePool([x], shape, attributes) {
    const out = new Float64Array(count(shape));
    forWindows(shape, x!.shape, attributes, (window, place) => {
      out[window]! += x!.data[place]! / count(attributes.kernel);
    });
    return out;
  },
  averageUnpool([dy], shape, attributes) {
    const out = new Float64Array(count(shape));
    forWindows(dy!.shape, shape, attributes, (window, place) => {
      out[place]! += dy!.data[window]! / count(attributes.kernel);
    });
    return out;
  },
  sumSpace([x], shape) {
    const out = new Float64Array(count(shape));
    const plane = count(x!.shape.slice(2));
    x!.data.forEach((value, i) => {
      out[Math.floor(i / plane)]! += value;
    });
    return out;
  },
  broadcastSpace: ([x], shape) =>
    new Float64Array(count(shape)).map((_, i) => x!.data[Math.floor(i / count(shape.slice(2)))]!),
};
