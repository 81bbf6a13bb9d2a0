/**
 * Singular value decomposition on the GPU, by one-sided Jacobi rotations in f32: small singular values come out as accurately, relative to
 * their own size, as the matrix's rows (or columns, whichever are fewer) determine them. From the host to the host.
 */
import { DataError, OptionError, ShapeError, UnsupportedError } from '../../base/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { Scope } from '../../runtime/scope.ts';
import { checkSizes } from '../checks.ts';
import { packedMatmul } from '../matmul/packed.ts';
import { partialCount, partialSquaredDistances, sumFloat64 } from '../reduce/partials.ts';
import { cosineTolerance, type OrthogonaliseRowsCall, orthogonaliseRows } from './orthogonalise-rows.ts';
import { type SingularVectors, singularVectors } from './singular-vectors.ts';

/**
 * A = U diag(sigma) V^T, thin: r = min(M, N). Each pair's sign is such that the component of u of the largest size is positive.
 *
 * Where sigma is 0, the vector on the longer side (v where M <= N) is zero, the one on the shorter side completes an orthogonal basis.
 * Fresh arrays, the caller's.
 */
export interface SingularValueDecomposition extends SingularVectors {
  /** How many singular values are above max(M, N) 2^-23 sigma_1: those below are made of rounding errors, and so are their vectors. */
  readonly rank: number;
  /** ||A - U diag(sigma) V^T||_F / ||A||_F, 0 for a matrix of zeros; measured in f32. */
  readonly residual: number;
  /** The largest element of |U^T U - I| and of |V^T V - I| over the vectors whose singular value is not 0; measured in f32. */
  readonly orthogonality: { readonly u: number; readonly v: number };
  /** Sweeps until all |cosines| between rows were at most the tolerance, the one that found it included. */
  readonly sweeps: number;
  /** False where `maxSweeps` were not enough: then vectors are orthogonal only as far as `orthogonality` says. */
  readonly converged: boolean;
}

/** Sizes, and how long it may take. */
export interface SingularValueOptions {
  /** Rows M and columns N of every matrix. */
  readonly rows: number;
  /** N. */
  readonly columns: number;
  /** Default: 40. Matrices of a thousand rows take about 10. */
  readonly maxSweeps?: number;
  /** Called after each sweep. Default: nobody is told. */
  readonly onProgress?: ((progress: SingularValueProgress) => void) | undefined;
  /** Looked at before each sweep: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** Told after each sweep. */
export interface SingularValueProgress {
  /** From 1. */
  readonly sweep: number;
  /** The most there may be. */
  readonly maxSweeps: number;
  /** The largest |cosine| between rows that the sweep met; it ends below about 1e-5. */
  readonly largestCosine: number;
}

const MAX_SWEEPS = 40;

/**
 * Singular value decompositions of matrices of one shape, side by side. Each result has the bits that it would have alone.
 * @param options.matrices each f32 [M, N], row-major, finite. Read, never changed. Any scale: they are scaled by a power of two.
 * @throws ShapeError, OptionError, DataError (a value is not finite), UnsupportedError (one matrix exceeds a binding), all before any work;
 *   the signal's reason when aborted.
 */
export async function singularValueDecompositions(
  context: Context,
  options: SingularValueOptions & { readonly matrices: readonly Float32Array[] },
): Promise<SingularValueDecomposition[]> {
  const caller = 'singularValueDecompositions';
  const { matrices, rows, columns, maxSweeps = MAX_SWEEPS } = options;
  checkSizes(caller, { rows, columns }, 1);
  if (!Number.isSafeInteger(maxSweeps) || maxSweeps < 1) {
    throw new OptionError(`${caller}: maxSweeps must be an integer of at least 1, got ${maxSweeps}`);
  }
  for (const [index, values] of matrices.entries()) checkMatrix(caller, index, values, rows, columns);
  const layout = layoutOf(rows, columns);
  const bytes = 4 * layout.paddedRows * layout.stride;
  const most = Math.floor(context.device.limits.maxStorageBufferBindingSize / bytes);
  if (most === 0) {
    throw new UnsupportedError(
      `${caller}: a matrix of ${rows} x ${columns} needs ${bytes} bytes in one piece, this adapter binds at most ` +
        `${context.device.limits.maxStorageBufferBindingSize}; decompose a smaller one`,
    );
  }
  const results: SingularValueDecomposition[] = [];
  for (let start = 0; start < matrices.length; start += most) {
    const part = matrices.slice(start, start + most).map((values) => ({ values, scale: scaleOf(values) }));
    results.push(...(await decompose(context, layout, part, { ...options, maxSweeps })));
  }
  return results;
}

/** The singular value decomposition of one matrix; see `singularValueDecompositions`. */
export async function singularValueDecomposition(
  context: Context,
  options: SingularValueOptions & { readonly matrix: Float32Array },
): Promise<SingularValueDecomposition> {
  const { matrix, ...others } = options;
  const [result] = await singularValueDecompositions(context, { ...others, matrices: [matrix] });
  return result!;
}

function checkMatrix(
  caller: string,
  index: number,
  values: Float32Array,
  rows: number,
  columns: number,
): void {
  if (values.length !== rows * columns) {
    throw new ShapeError(
      `${caller}: matrix ${index} must have ${rows} x ${columns} = ${rows * columns} values, got ${values.length}; pass its true shape`,
    );
  }
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    throw new DataError(
      `${caller}: matrix ${index} has ${values[bad]} in row ${Math.floor(bad / columns)}, column ${bad % columns}; give finite values`,
    );
  }
}

/** How a matrix lies in memory: the short side's vectors as rows, each followed by its row of the unit matrix. */
interface Layout {
  readonly rows: number;
  readonly columns: number;
  readonly transposed: boolean;
  readonly short: number;
  readonly long: number;
  readonly paddedRows: number;
  readonly length: number;
  readonly stride: number;
}

function layoutOf(rows: number, columns: number): Layout {
  const [short, long] = [Math.min(rows, columns), Math.max(rows, columns)];
  const length = 4 * Math.ceil(long / 4);
  const stride = length + 4 * Math.ceil(short / 4);
  const paddedRows = 8 * Math.ceil(short / 8);
  return { rows, columns, transposed: rows > columns, short, long, paddedRows, length, stride };
}

/** The power of two that takes the largest entry into [1/2, 1), so that squares neither overflow nor vanish. */
function scaleOf(values: Float32Array): number {
  let largest = 0;
  for (const value of values) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return 1;
  let scale = 1;
  while (largest * scale >= 1) scale /= 2;
  while (largest * scale < 0.5) scale *= 2;
  return scale;
}

interface Scaled {
  readonly values: Float32Array;
  readonly scale: number;
}

type Limits = Pick<SingularValueOptions, 'onProgress' | 'signal'> & { readonly maxSweeps: number };

/** `matrices` fit one binding. */
async function decompose(
  context: Context,
  layout: Layout,
  matrices: readonly Scaled[],
  options: Limits,
): Promise<SingularValueDecomposition[]> {
  const { paddedRows, length, stride } = layout;
  const size = paddedRows * stride;
  const initial = new Float32Array(matrices.length * size);
  for (const [k, matrix] of matrices.entries()) {
    fillRows(initial.subarray(k * size, (k + 1) * size), layout, matrix);
  }
  const scope = new Scope();
  try {
    const vectors = scope.own(context.tensorFrom(initial, [matrices.length, paddedRows, stride]));
    const cosines = scope.own(context.tensor([matrices.length, paddedRows / 8]));
    const call = { matrices: matrices.length, rows: paddedRows, length, stride, vectors, cosines };
    const sweeps = await rotate(context, call, options);
    const rotated = await vectors.read();
    const results: SingularValueDecomposition[] = [];
    for (const [k, matrix] of matrices.entries()) {
      const { transposed, short, long, rows, columns } = layout;
      const own = rotated.subarray(k * size, (k + 1) * size);
      const { scale } = matrix;
      const found = singularVectors({ vectors: own, short, long, stride, length, scale, transposed });
      const cutoff = (Math.max(rows, columns) * found.singularValues[0]!) / 2 ** 23;
      const rank = found.singularValues.filter((sigma) => sigma > cutoff).length;
      results.push({ ...found, rank, ...(await measure(context, layout, matrix, found)), ...sweeps[k]! });
    }
    return results;
  } finally {
    scope.destroy();
  }
}

/** [A | I], scaled, A's short side as rows; f64 products with a power of two are exact. */
function fillRows(target: Float32Array, layout: Layout, { values, scale }: Scaled): void {
  const { columns, short, long, length, stride, transposed } = layout;
  for (let i = 0; i < short; i++) {
    for (let k = 0; k < long; k++) {
      target[i * stride + k] = scale * values[transposed ? k * columns + i : i * columns + k]!;
    }
    target[i * stride + length + i] = 1;
  }
}

/** Sweeps until every matrix's rows are orthogonal. A matrix that is done no longer changes, however long the others take. */
async function rotate(
  context: Context,
  call: OrthogonaliseRowsCall,
  { maxSweeps, onProgress, signal }: Limits,
): Promise<Pick<SingularValueDecomposition, 'sweeps' | 'converged'>[]> {
  const { matrices, length, cosines } = call;
  const dispatches = orthogonaliseRows(context, call);
  const tolerance = cosineTolerance(length);
  const done: ({ sweeps: number; converged: boolean } | undefined)[] = Array.from({ length: matrices });
  for (let sweep = 1; sweep <= maxSweeps && done.includes(undefined); sweep++) {
    signal?.throwIfAborted();
    context.record(...dispatches);
    const largest = await context.read(cosines);
    const pairs = largest.length / matrices;
    for (let k = 0; k < matrices; k++) {
      const converged = largest.subarray(k * pairs, (k + 1) * pairs).every((cosine) => cosine <= tolerance);
      if (converged) done[k] ??= { sweeps: sweep, converged };
    }
    onProgress?.({
      sweep,
      maxSweeps,
      largestCosine: largest.reduce((most, cosine) => Math.max(most, cosine)),
    });
  }
  return done.map((found) => found ?? { sweeps: maxSweeps, converged: false });
}

/** The residual and how orthogonal the vectors are, by matrix products on the GPU. */
async function measure(
  context: Context,
  { rows, columns, short }: Layout,
  { values, scale }: Scaled,
  { u, singularValues, v }: SingularVectors,
): Promise<Pick<SingularValueDecomposition, 'residual' | 'orthogonality'>> {
  const scope = new Scope();
  try {
    const output = (shape: readonly number[]) => scope.own(context.tensor(shape));
    const [tensorU, tensorV] = [u, v].map((side) =>
      scope.own(context.tensorFrom(side, [side.length / short, short])),
    );
    const scaledU = u.map((value, at) => value * (singularValues[at % short]! * scale));
    const a = scope.own(context.tensorFrom(values.map((value) => value * scale)));
    const b = output([rows, columns]);
    const partials = output([partialCount(rows * columns)]);
    const [gramU, gramV] = [output([short, short]), output([short, short])];
    const us = scope.own(context.tensorFrom(scaledU, [rows, short]));
    context.record(
      ...packedMatmul(context, { a: us, b: tensorV!, transposeB: true, output: b, numerics: 'f32' }),
      ...partialSquaredDistances(context, { a, b, output: partials }),
      ...packedMatmul(context, {
        a: tensorU!,
        b: tensorU!,
        transposeA: true,
        output: gramU,
        numerics: 'f32',
      }),
      ...packedMatmul(context, {
        a: tensorV!,
        b: tensorV!,
        transposeA: true,
        output: gramV,
        numerics: 'f32',
      }),
    );
    const distance = Math.sqrt(sumFloat64(await partials.read()));
    let squares = 0;
    for (const value of values) squares += value * scale * (value * scale);
    const kept = singularValues.filter((sigma) => sigma > 0).length;
    return {
      residual: squares === 0 ? 0 : distance / Math.sqrt(squares),
      orthogonality: {
        u: farthestFromUnit(await gramU.read(), short, kept),
        v: farthestFromUnit(await gramV.read(), short, kept),
      },
    };
  } finally {
    scope.destroy();
  }
}

/** The largest |gram - I| among the first `kept` rows and columns. */
function farthestFromUnit(gram: Float32Array, size: number, kept: number): number {
  let farthest = 0;
  for (let i = 0; i < kept; i++) {
    for (let j = 0; j < kept; j++) {
      farthest = Math.max(farthest, Math.abs(gram[i * size + j]! - (i === j ? 1 : 0)));
    }
  }
  return farthest;
}
