/** Two-dimensional convolutions and their gradients by plain loops: in float64, and in float32 in the order that the kernels document. */

export interface ConvSizes {
  readonly n: number;
  readonly c: number;
  readonly h: number;
  readonly w: number;
  readonly o: number;
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly groups: number;
}

/** HO and WO. */
function outputSize({ h, w, kernel, stride, padding }: ConvSizes): [number, number] {
  return [
    Math.floor((h + 2 * padding[0] - kernel[0]) / stride[0]) + 1,
    Math.floor((w + 2 * padding[1] - kernel[1]) / stride[1]) + 1,
  ];
}

export interface ConvShapes {
  readonly input: number[];
  readonly weight: number[];
  readonly output: number[];
}

export function convShapes(sizes: ConvSizes): ConvShapes {
  const { n, c, h, w, o, kernel, groups } = sizes;
  return {
    input: [n, c, h, w],
    weight: [o, c / groups, ...kernel],
    output: [n, o, ...outputSize(sizes)],
  };
}

/** Calls back with the places of every product: output += input * weight, and each of its two transposes. */
export function forEachProduct(
  sizes: ConvSizes,
  visit: (inputAt: number, weightAt: number, outputAt: number) => void,
): void {
  const { n, c, h, w, o, groups } = sizes;
  const [kh, kw] = sizes.kernel;
  const [ho, wo] = outputSize(sizes);
  const [perGroupIn, perGroupOut] = [c / groups, o / groups];
  for (let b = 0; b < n; b++) {
    for (let oc = 0; oc < o; oc++) {
      const group = Math.floor(oc / perGroupOut);
      for (let y = 0; y < ho; y++) {
        for (let x = 0; x < wo; x++) {
          for (let ic = 0; ic < perGroupIn; ic++) {
            for (let i = 0; i < kh; i++) {
              for (let j = 0; j < kw; j++) {
                const inY = y * sizes.stride[0] + i - sizes.padding[0];
                const inX = x * sizes.stride[1] + j - sizes.padding[1];
                if (inY < 0 || inY >= h || inX < 0 || inX >= w) continue;
                visit(
                  ((b * c + group * perGroupIn + ic) * h + inY) * w + inX,
                  ((oc * perGroupIn + ic) * kh + i) * kw + j,
                  ((b * o + oc) * ho + y) * wo + x,
                );
              }
            }
          }
        }
      }
    }
  }
}

/** Values in float64 with the sum of magnitudes of each, for error bounds. */
export interface Reference {
  readonly values: Float64Array;
  readonly magnitudes: Float64Array;
  /** Products in the longest sum. */
  readonly terms: number;
}

type Operand = ArrayLike<number>;

function accumulate(
  length: number,
  each: (add: (at: number, a: number, b: number) => void) => void,
): Reference {
  const values = new Float64Array(length);
  const magnitudes = new Float64Array(length);
  const terms = new Uint32Array(length);
  each((at, a, b) => {
    values[at]! += a * b;
    magnitudes[at]! += Math.abs(a * b);
    terms[at]!++;
  });
  return { values, magnitudes, terms: terms.reduce((most, count) => Math.max(most, count), 0) };
}

const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

export function conv2dReference(sizes: ConvSizes, input: Operand, weight: Operand): Reference {
  return accumulate(count(convShapes(sizes).output), (add) =>
    forEachProduct(sizes, (i, w, o) => add(o, input[i]!, weight[w]!)),
  );
}

export function inputGradientReference(sizes: ConvSizes, gradient: Operand, weight: Operand): Reference {
  return accumulate(count(convShapes(sizes).input), (add) =>
    forEachProduct(sizes, (i, w, o) => add(i, gradient[o]!, weight[w]!)),
  );
}

export function weightGradientReference(sizes: ConvSizes, input: Operand, gradient: Operand): Reference {
  return accumulate(count(convShapes(sizes).weight), (add) =>
    forEachProduct(sizes, (i, w, o) => add(w, gradient[o]!, input[i]!)),
  );
}

/** Terms of one sum, in order, with the chunk that each belongs to, added as the kernels' headers say, without fused rounding. */
function sumInChunks(terms: { chunk: number; order: number; product: number }[]): number {
  terms.sort((a, b) => a.order - b.order);
  const sums: number[] = [];
  for (const { chunk, product } of terms)
    sums[chunk] = Math.fround((sums[chunk] ?? 0) + Math.fround(product));
  let total = 0;
  for (const sum of sums) total = Math.fround(total + (sum ?? 0));
  return total;
}

interface Term {
  readonly at: number;
  readonly chunk: number;
  readonly order: number;
  readonly product: number;
}

function inOrder(length: number, each: (add: (term: Term) => void) => void): Float32Array {
  const terms: Term[][] = Array.from({ length }, () => []);
  each((term) => terms[term.at]!.push(term));
  return Float32Array.from(terms, (list) => sumInChunks(list));
}

const channelsInChunk = ({ kernel }: ConvSizes): number =>
  Math.max(1, Math.floor(512 / (kernel[0] * kernel[1])));

/** Channels c in chunks of floor(512 / (KH KW)); c, i, j ascending. */
export function conv2dInOrder(sizes: ConvSizes, input: Operand, weight: Operand): Float32Array {
  const { weight: shape, output } = convShapes(sizes);
  const perFilter = count(shape.slice(1));
  const taps = count(shape.slice(2));
  return inOrder(count(output), (add) =>
    forEachProduct(sizes, (i, w, o) => {
      const order = w % perFilter;
      const chunk = Math.floor(Math.floor(order / taps) / channelsInChunk(sizes));
      add({ at: o, chunk, order, product: input[i]! * weight[w]! });
    }),
  );
}

/** Output channels in chunks of floor(512 / (KH KW)); o, y, x of the output gradient ascending. */
export function inputGradientInOrder(sizes: ConvSizes, gradient: Operand, weight: Operand): Float32Array {
  const { input, output } = convShapes(sizes);
  const plane = output[2]! * output[3]!;
  const perGroup = sizes.o / sizes.groups;
  return inOrder(count(input), (add) =>
    forEachProduct(sizes, (i, w, o) => {
      const channel = Math.floor(o / plane) % perGroup;
      const chunk = Math.floor(channel / channelsInChunk(sizes));
      add({ at: i, chunk, order: channel * plane + (o % plane), product: gradient[o]! * weight[w]! });
    }),
  );
}

/** Lines (n, y) in chunks of floor(512 / WO); n, y, x ascending. Not for 1 x 1 convolutions, whose lines are others. */
export function weightGradientInOrder(sizes: ConvSizes, input: Operand, gradient: Operand): Float32Array {
  const { weight, output } = convShapes(sizes);
  const [, channels, height, width] = output as [number, number, number, number];
  const linesInChunk = Math.max(1, Math.floor(512 / width));
  return inOrder(count(weight), (add) =>
    forEachProduct(sizes, (i, w, o) => {
      const n = Math.floor(o / (channels * height * width));
      const line = n * height + (Math.floor(o / width) % height);
      const order = line * width + (o % width);
      add({
        at: w,
        chunk: Math.floor(line / linesInChunk),
        order,
        product: gradient[o]! * input[i]!,
      });
    }),
  );
}
