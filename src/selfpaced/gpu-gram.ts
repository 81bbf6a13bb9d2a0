/**
 * Gram matrices on the GPU, as accurate as float64: for many samples of many features, where the host takes long. It is 12 to 20 products of
 * matrices where the host makes one, and as many matrices to read back and add: for a real GPU and hundreds of features, not for a software adapter.
 *
 * A GPU multiplies in float32, and a Gram matrix with errors of 1e-7 is no longer positive semidefinite. So the product is made without any error
 * (Ozaki, Ogita, Oishi and Rump, "Error-free transformations of matrix multiplication by using fast routines of matrix multiplication and
 * its applications", Numerical Algorithms 59, 2012): each row x_i is 2^e_i times a sum of slices, `x_i = 2^(e_i + 1) sum_p q_ip 2^-(p+1)b`, where
 * the q are integers of so few bits b that a product of two slices over all features stays within 2^24. float32 computes such
 * products exactly, whatever the order, and the host adds them in float64:
 *
 *     K_ij = x_i.x_j = 2^(e_i + e_j + 2) sum_{p + q < slices} 2^-(p + q + 2)b q_ip.q_jq
 *
 * With b * slices >= 54 the error is at most 2^-46 * features * max|x_i| * max|x_j| (what is left out adds up to (slices + 3) 2^-54 times
 * features * 2^(e_i + e_j), the float64 sum rounds by a quarter of that), of the order of the host's own rounding. The result is symmetric,
 * equal rows give equal bits, and no adapter, variant or platform gives other bits.
 *
 * Squared distances are |x_i|^2 + |x_j|^2 - 2 x_i.x_j of features that were centred first, which makes the terms that cancel as small as can
 * be: they err by at most 2^-46 * features * (max|x_i| + max|x_j|)^2 of the centred features, and RBF entries by gamma times that.
 */
import { ShapeError, UnsupportedError } from '../base/errors.ts';
import { exp } from '../base/portable.ts';
import { packedMatmul } from '../kernels/matmul/packed.ts';
import type { Context } from '../runtime/context.ts';
import type { Tensor } from '../runtime/tensor.ts';
import { checkKernel, type Kernel } from './kernel.ts';
import { checkFeatures } from './problem.ts';

/** Of `gramOnGpu`. */
export interface GpuGramOptions {
  /** Which kernel. */
  readonly kernel: Kernel;
  /** f64 [samples, columns], row-major; read, not kept. */
  readonly features: Float64Array;
  /** Rows of `features`. */
  readonly samples: number;
  /** Called after each of the products on the GPU. */
  readonly onProgress?: (done: number, total: number) => void;
  /** Looked at between products: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal;
}

/** Integers up to this size are exact in float32. */
const EXACT_BITS = 24;
/** Bits of a row's largest feature that slices keep at least: those of float64, and one. */
const KEPT_BITS = 54;

/**
 * k(x_i, x_j) of all pairs of samples, f64 [samples, samples], symmetric: what `supportVectorMachine` takes as `gram`.
 * @throws ShapeError or DataError for features that do not fit or are not finite, OptionError for a kernel out of range; UnsupportedError
 *   where a matrix of float32 is larger than this adapter can bind; the signal's reason when aborted.
 */
export async function gramOnGpu(context: Context, options: GpuGramOptions): Promise<Float64Array> {
  const { kernel, features, samples } = options;
  const columns = checkFeatures(features, samples, 'gramOnGpu');
  checkKernel(kernel, 'gramOnGpu');
  const limit = context.device.limits.maxStorageBufferBindingSize;
  if (4 * samples * Math.max(samples, columns) > limit) {
    throw new UnsupportedError(
      `gramOnGpu: ${samples} samples of ${columns} features need bindings of ${4 * samples * Math.max(samples, columns)} bytes, ` +
        `this adapter has ${limit}; use fewer samples, or compute the matrix on the host`,
    );
  }
  if (kernel.kind === 'linear') return await products(context, options, features, columns);
  const gram = await products(context, options, centred(features, columns), columns);
  const squares = Float64Array.from({ length: samples }, (_, i) => gram[i * samples + i]!);
  mapSymmetric(gram, samples, (product, i, j) => {
    const distance = squares[i]! + squares[j]! - 2 * product;
    return exp(-kernel.gamma * Math.max(distance, 0));
  });
  return gram;
}

/** x_i.x_j of all pairs of rows. */
async function products(
  context: Context,
  { samples, signal, onProgress }: GpuGramOptions,
  features: Float64Array,
  columns: number,
): Promise<Float64Array> {
  const bits = sliceBits(columns);
  const count = Math.ceil(KEPT_BITS / bits);
  const { slices, scales } = sliced(features, samples, columns, bits, count);
  // Smallest first; of two slices that change places, the transposed product serves.
  const pairs: [number, number][] = [];
  for (let level = count - 1; level >= 0; level--) {
    for (let p = 0; 2 * p <= level; p++) pairs.push([p, level - p]);
  }

  const owned: Tensor[] = [];
  const keep = (tensor: Tensor) => {
    owned.push(tensor);
    return tensor;
  };
  const gram = new Float64Array(samples * samples);
  try {
    const onGpu = slices.map((slice) => keep(context.tensorFrom(slice, [samples, columns])));
    const output = keep(context.tensor([samples, samples], 'f32', { label: 'product of slices' }));
    const multiply = (p: number, q: number): Promise<Float32Array> => {
      context.record(
        ...packedMatmul(context, { a: onGpu[p]!, b: onGpu[q]!, output, transposeB: true, numerics: 'f32' }),
      );
      return context.read(output);
    };
    let pending: Promise<Float32Array> | undefined;
    for (const [k, [p, q]] of pairs.entries()) {
      signal?.throwIfAborted();
      const product = await (pending ?? multiply(p, q));
      const next = pairs[k + 1];
      pending = next && multiply(...next); // the GPU computes while the host adds
      pending?.catch(() => {}); // thrown where it is awaited
      const levelUp = k > 0 && pairs[k - 1]![0] + pairs[k - 1]![1] !== p + q;
      addProduct(gram, product, samples, levelUp ? powerOfTwo(-bits) : 1, p !== q);
      onProgress?.(k + 1, pairs.length);
    }
  } finally {
    for (const tensor of owned) tensor.destroy();
  }
  const unit = powerOfTwo(2 - 2 * bits);
  mapSymmetric(gram, samples, (sum, i, j) => sum * unit * scales[i]! * scales[j]!);
  return gram;
}

/** Replaces the elements of the lower triangle, and mirrors them. */
function mapSymmetric(
  matrix: Float64Array,
  size: number,
  map: (value: number, i: number, j: number) => number,
): void {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j <= i; j++) {
      const value = map(matrix[i * size + j]!, i, j);
      matrix[i * size + j] = value;
      matrix[j * size + i] = value;
    }
  }
}

/** `sum = sum * factor + product`, in the lower triangle; with the transposed product where `both`, an exact sum. */
function addProduct(
  sum: Float64Array,
  product: Float32Array,
  samples: number,
  factor: number,
  both: boolean,
): void {
  for (let i = 0; i < samples; i++) {
    for (let j = 0; j <= i; j++) {
      const at = i * samples + j;
      sum[at] = sum[at]! * factor + (product[at]! + (both ? product[j * samples + i]! : 0));
    }
  }
}

/** Bits b of a slice: `columns` products of integers up to 2^(b-1) add up to 2^24 at most. */
function sliceBits(columns: number): number {
  let bits = 1 + EXACT_BITS / 2;
  while (columns * powerOfTwo(2 * bits - 2) > powerOfTwo(EXACT_BITS)) bits--;
  if (bits >= 2) return bits;
  throw new ShapeError(`gramOnGpu: expected at most ${powerOfTwo(EXACT_BITS - 2)} features, got ${columns}`);
}

/** Rows as scale * sum_p slice_p 2^(1 - (p + 1) bits), each slice of integers up to 2^(bits - 1), f32 [samples, columns]. */
function sliced(
  features: Float64Array,
  samples: number,
  columns: number,
  bits: number,
  count: number,
): { slices: Float32Array<ArrayBuffer>[]; scales: Float64Array } {
  const slices = Array.from({ length: count }, () => new Float32Array(samples * columns));
  const scales = new Float64Array(samples);
  const [first, further] = [powerOfTwo(bits - 1), powerOfTwo(bits)];
  for (let i = 0; i < samples; i++) {
    const row = features.subarray(i * columns, (i + 1) * columns);
    scales[i] = enclosingPower(row);
    row.forEach((value, k) => {
      let rest = (value / scales[i]!) * first;
      for (const slice of slices) {
        const integer = Math.round(rest);
        slice[i * columns + k] = integer;
        rest = (rest - integer) * further; // exact
      }
    });
  }
  return { slices, scales };
}

/** The smallest power of two that is no smaller than any |value|; 1 for zeros. */
function enclosingPower(values: Float64Array): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  let power = 1;
  while (power < largest) power *= 2;
  while (largest > 0 && power / 2 >= largest) power /= 2;
  return power;
}

function powerOfTwo(exponent: number): number {
  let power = 1;
  for (let e = 0; e < Math.abs(exponent); e++) power *= 2;
  return exponent < 0 ? 1 / power : power;
}

/** Each column less its mean. */
function centred(features: Float64Array, columns: number): Float64Array {
  const samples = features.length / columns;
  const means = new Float64Array(columns);
  features.forEach((value, k) => {
    means[k % columns]! += value / samples;
  });
  return features.map((value, k) => value - means[k % columns]!);
}
