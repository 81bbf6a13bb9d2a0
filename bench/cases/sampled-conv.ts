/** Convolutions and their gradients in float64 at some places of the result, where all of them would take minutes. No groups. */
import type { ConvSizes } from '../../test/reference/kernels/conv.ts';

export interface SampledReference {
  readonly places: readonly number[];
  readonly values: readonly number[];
  /** Sums of the magnitudes of the products. */
  readonly magnitudes: readonly number[];
  /** Products in the longest sum. */
  readonly terms: number;
}

export type ConvTask = 'forward' | 'input-gradient' | 'weight-gradient';

interface Operands {
  readonly input: Float32Array;
  readonly weight: Float32Array;
  readonly gradient: Float32Array;
}

/** Products that are computed in all. */
const PRODUCTS = 2 ** 25;

/** The first and the last place of a result and others between, as many as half a second is enough for. */
export function sampledConvReference(
  task: ConvTask,
  sizes: ConvSizes,
  shapes: { readonly input: number[]; readonly weight: number[]; readonly output: number[] },
  operands: Operands,
): SampledReference {
  const shape = { forward: shapes.output, 'input-gradient': shapes.input, 'weight-gradient': shapes.weight }[
    task
  ];
  const [outputs, channels, kernelHeight, kernelWidth] = shapes.weight as [number, number, number, number];
  const [batch, , outputHeight, outputWidth] = shapes.output as [number, number, number, number];
  const most = {
    forward: channels * kernelHeight * kernelWidth,
    'input-gradient': outputs * kernelHeight * kernelWidth,
    'weight-gradient': batch * outputHeight * outputWidth,
  }[task];
  const size = shape.reduce((a, b) => a * b, 1);
  const count = Math.min(size, Math.max(16, Math.floor(PRODUCTS / most)));
  const places: number[] = [];
  const values: number[] = [];
  const magnitudes: number[] = [];
  for (let i = 0; i < count; i++) {
    const place = count === 1 ? 0 : Math.floor((i * (size - 1)) / (count - 1));
    let [value, magnitude] = [0, 0];
    productsAt(task, sizes, shapes, operands, place, (product) => {
      value += product;
      magnitude += Math.abs(product);
    });
    places.push(place);
    values.push(value);
    magnitudes.push(magnitude);
  }
  return { places, values, magnitudes, terms: most };
}

function productsAt(
  task: ConvTask,
  { stride, padding }: ConvSizes,
  shapes: { readonly input: number[]; readonly weight: number[]; readonly output: number[] },
  { input, weight, gradient }: Operands,
  place: number,
  add: (product: number) => void,
): void {
  const [N, C, H, W] = shapes.input as [number, number, number, number];
  const [O, , KH, KW] = shapes.weight as [number, number, number, number];
  const [, , HO, WO] = shapes.output as [number, number, number, number];
  const inputAt = (n: number, c: number, h: number, w: number) => ((n * C + c) * H + h) * W + w;
  const weightAt = (o: number, c: number, i: number, j: number) => ((o * C + c) * KH + i) * KW + j;
  const outputAt = (n: number, o: number, y: number, x: number) => ((n * O + o) * HO + y) * WO + x;
  const split = (sizes: readonly [number, number, number]) => {
    const [b, c, d] = sizes;
    return [
      Math.floor(place / (b * c * d)),
      Math.floor(place / (c * d)) % b,
      Math.floor(place / d) % c,
      place % d,
    ] as const;
  };
  if (task === 'forward') {
    const [n, o, y, x] = split([O, HO, WO]);
    for (let c = 0; c < C; c++) {
      for (let i = 0; i < KH; i++) {
        for (let j = 0; j < KW; j++) {
          const [h, w] = [y * stride[0] + i - padding[0], x * stride[1] + j - padding[1]];
          if (h >= 0 && h < H && w >= 0 && w < W)
            add(input[inputAt(n, c, h, w)]! * weight[weightAt(o, c, i, j)]!);
        }
      }
    }
  } else if (task === 'input-gradient') {
    const [n, c, h, w] = split([C, H, W]);
    for (let o = 0; o < O; o++) {
      for (let i = 0; i < KH; i++) {
        for (let j = 0; j < KW; j++) {
          const [y, x] = [(h + padding[0] - i) / stride[0], (w + padding[1] - j) / stride[1]];
          const whole = Number.isInteger(y) && Number.isInteger(x);
          if (whole && y >= 0 && y < HO && x >= 0 && x < WO)
            add(gradient[outputAt(n, o, y, x)]! * weight[weightAt(o, c, i, j)]!);
        }
      }
    }
  } else {
    const [o, c, i, j] = split([C, KH, KW]);
    for (let n = 0; n < N; n++) {
      for (let y = 0; y < HO; y++) {
        for (let x = 0; x < WO; x++) {
          const [h, w] = [y * stride[0] + i - padding[0], x * stride[1] + j - padding[1]];
          if (h >= 0 && h < H && w >= 0 && w < W)
            add(gradient[outputAt(n, o, y, x)]! * input[inputAt(n, c, h, w)]!);
        }
      }
    }
  }
}
