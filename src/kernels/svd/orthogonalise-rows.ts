/**
 * One-sided Jacobi (Hestenes 1958): rotations among the rows of a matrix until they are orthogonal. By blocks of four rows: in a step every
 * block meets one other, and the eight rows are rotated by one sweep of Jacobi on their dot products; a sweep of steps brings every two
 * blocks together (orthogonalise_rows_naive.wgsl has the formula and the order of every sum). All variants give the same bits.
 */
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, type Kernel, linearGrid, packParams, type TensorView } from '../../runtime/kernel.ts';
import { checkSeparate, checkSizes, checkView } from '../checks.ts';
import { expand } from '../matmul/template.ts';
import { chooseVariant, type TiledVariant } from '../variant.ts';
import diagonaliseText from './diagonalise.wgsl';
import libraryText from './orthogonalise_rows.wgsl';
import naiveText from './orthogonalise_rows_naive.wgsl';
import registerText from './orthogonalise_rows_register.wgsl';
import workgroupText from './orthogonalise_rows_workgroup.wgsl';

export interface OrthogonaliseRowsCall {
  /** How many matrices of one shape are worked on side by side. */
  readonly matrices: number;
  /** Rows of each; a multiple of 8. Rows of zeros stay as they are and cost little. */
  readonly rows: number;
  /** Columns that dot products run over; a multiple of 4. */
  readonly length: number;
  /** All columns; a multiple of 4, at least `length`. Those after the first `length` are only turned along. */
  readonly stride: number;
  /** |cosines| up to this count as 0. Default: `cosineTolerance(length)`. */
  readonly tolerance?: number;
  /** f32 [matrices, rows, stride], changed in place. */
  readonly vectors: TensorView;
  /** f32 [matrices, rows / 8]: the largest is the largest |cosine| that the sweep met. In another buffer than the vectors. */
  readonly cosines: TensorView;
}

/** Columns that are summed before the sum joins those of other chunks, and strands of such chunks. */
const CHUNK = 32;
const STRANDS = 4;

/**
 * Below which a computed |cosine| says nothing. With u = 2^-24, a dot product p . q of this order of summation is wrong by at most
 * (32 + ceil(length / 128) + 2) u |p| |q|, and the rows themselves were rounded (4 u, to first order) when they were last turned.
 */
export function cosineTolerance(length: number): number {
  return (CHUNK + Math.ceil(length / (CHUNK * STRANDS)) + 6) / 2 ** 24;
}

const bindings = ['read_write', 'read_write'] as const;

const makeKernel = (variant: string, ...texts: string[]): Kernel => ({
  name: `orthogonalise rows ${variant}`,
  file: `src/kernels/svd/orthogonalise_rows_${variant}.wgsl`,
  wgsl: texts.join('') + libraryText,
  bindings,
});

const naive = /* @__PURE__ */ makeKernel('naive', naiveText, diagonaliseText);
const register = /* @__PURE__ */ makeKernel(
  'register',
  /* @__PURE__ */ expand(registerText, {}),
  diagonaliseText,
);
const workgroup = /* @__PURE__ */ makeKernel('workgroup', workgroupText);

/** The kernel of each variant, and the pairs of blocks that a workgroup of it takes. Nothing that a quad could share: `register`. */
const kernels: Record<TiledVariant, { readonly kernel: Kernel; readonly pairs: number }> = {
  naive: { kernel: naive, pairs: 4 },
  register: { kernel: register, pairs: 4 },
  quad: { kernel: register, pairs: 4 },
  workgroup: { kernel: workgroup, pairs: 1 },
};

/**
 * One sweep: rows / 4 - 1 dispatches, to be recorded in this order, again and again, until all cosines are at most the tolerance. Such a
 * sweep changed nothing, and neither will the next. Entries must be finite and at most about 1 in size; rows whose squared norm is below
 * 2^-80 count as zeros.
 * @throws ShapeError when views do not fit; OptionError or UnsupportedError when `context.variants.svd` names no variant, or one that does
 *   not run on this adapter.
 */
export function orthogonaliseRows(context: Context, call: OrthogonaliseRowsCall): Dispatch[] {
  const caller = 'orthogonaliseRows';
  const { matrices, rows, length, stride, tolerance = cosineTolerance(length), vectors, cosines } = call;
  checkSizes(
    caller,
    {
      matrices,
      'rows / 8': rows / 8,
      'length / 4': length / 4,
      'stride / 4': stride / 4,
    },
    1,
  );
  checkSizes(caller, { 'stride - length': stride - length });
  checkView(caller, 'vectors', vectors, 'f32', matrices * rows * stride);
  checkView(caller, 'cosines', cosines, 'f32', (matrices * rows) / 8);
  checkSeparate(caller, { vectors, cosines }, {});
  const { kernel, pairs: each } = kernels[chooseVariant(context, 'svd', caller).variant];
  const pairs = rows / 8;
  const count = matrices * pairs;
  return Array.from({ length: 2 * pairs - 1 }, (_, step) => ({
    kernel,
    views: [vectors, cosines],
    params: packParams('uuuuuf', pairs, count, step, stride / 4, length / 4, tolerance),
    workgroups: linearGrid(Math.ceil(count / each)),
    work: count * (36 * length + 64 * stride),
  }));
}
