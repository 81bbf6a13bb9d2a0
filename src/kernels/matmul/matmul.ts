/**
 * Matrix products in f32: `output = activation(a b + bias)`, with either operand transposed.
 *
 * All variants give the same bits (the order of summation stands in matmul_naive.wgsl), so which one runs is only a matter of speed:
 * `naive` documents the formula, `register` is for adapters that compute on the CPU, `workgroup` for GPUs. `context.variants.matmul`
 * forces one.
 */
import { OptionError, ShapeError } from '../../base/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, type Kernel, linearGrid, packParams, type TensorView } from '../../runtime/kernel.ts';
import { checkSeparate, checkView } from '../checks.ts';
import { naiveKernel, type OperandAccess, registerKernel, workgroupKernels } from './kernels.ts';

export interface MatmulOperands {
  /** f32 [M, K], or [K, M] with `transposeA`. */
  readonly a: TensorView;
  /** f32 [K, N], or [N, K] with `transposeB`. */
  readonly b: TensorView;
  /** f32 [M, N]. In another buffer than the inputs. */
  readonly output: TensorView;
  /** `a` is [K, M]. Default: false. */
  readonly transposeA?: boolean;
  /** `b` is [N, K]. Default: false. Not together with `transposeA`. */
  readonly transposeB?: boolean;
  /** f32 [N], added to every row. Default: none. */
  readonly bias?: TensorView;
  /** Applied last. Default: none. */
  readonly activation?: 'relu';
}

/** The variants that `context.variants.matmul` may name. */
export const MATMUL_VARIANTS = ['naive', 'register', 'workgroup'] as const;
type Variant = (typeof MATMUL_VARIANTS)[number];

const FLAG_BIAS = 1;
const FLAG_RELU = 2;

/** Workgroups that keep a GPU busy: with fewer 64 x 64 tiles than this, 32 x 32 ones are used. */
const ENOUGH_WORKGROUPS = 128;

interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/**
 * `output = activation(a b + bias)`, bias and activation in the same dispatch.
 *
 * K = 0 gives the bias, or zeros. Not supported: both operands transposed, batches, broadcasting.
 * @returns one dispatch, none when the output is empty.
 * @throws ShapeError when shapes or element types do not fit; OptionError when `context.variants.matmul` names no variant.
 */
export function matmul(context: Context, operands: MatmulOperands): Dispatch[] {
  const { a, b, bias, output, transposeA = false, transposeB = false, activation } = operands;
  const { m, n, k } = checkOperands(operands);
  const variant = chooseVariant(context);
  if (m * n === 0) return [];
  const strides = [transposeA ? 1 : k, transposeA ? m : 1, transposeB ? 1 : n, transposeB ? k : 1];
  const flags = (bias ? FLAG_BIAS : 0) + (activation === 'relu' ? FLAG_RELU : 0);
  const { kernel, workgroups } = choosers[variant]({ m, n, k }, transposeA, transposeB);
  return [
    {
      kernel,
      views: [a, b, bias ?? b, output],
      params: packParams('uuuuuuuu', m, n, k, flags, ...strides),
      workgroups: linearGrid(workgroups),
      work: m * n * Math.max(k, 1),
    },
  ];
}

function chooseVariant(context: Context): Variant {
  const forced = context.variants.matmul;
  if (forced === undefined) return context.software ? 'register' : 'workgroup';
  const variant = MATMUL_VARIANTS.find((name) => name === forced);
  if (!variant) {
    throw new OptionError(`matmul: no variant "${forced}"; it has ${MATMUL_VARIANTS.join(', ')}`);
  }
  return variant;
}

interface Choice {
  readonly kernel: Kernel;
  readonly workgroups: number;
}

const choosers: Record<Variant, (sizes: Sizes, transposeA: boolean, transposeB: boolean) => Choice> = {
  naive: ({ m, n }) => ({ kernel: naiveKernel, workgroups: Math.ceil((m * n) / 64) }),

  register: (sizes, transposeA, transposeB) => {
    const { m, n, k } = sizes;
    const tile = { rows: 8, columns: 8 };
    const quads = (size: number) => size % 4 === 0;
    const a: OperandAccess = transposeA ? (quads(m) ? 'axis' : 'scalar') : quads(k) ? 'k' : 'scalar';
    const b: OperandAccess = transposeB ? (quads(k) ? 'k' : 'scalar') : quads(n) ? 'axis' : 'scalar';
    const tiles = Math.ceil(m / tile.rows) * Math.ceil(n / tile.columns);
    return { kernel: registerKernel(tile, a, b), workgroups: Math.ceil(tiles / 4) };
  },

  workgroup: ({ m, n }) => {
    const tiles = (edge: number) => Math.ceil(m / (8 * edge)) * Math.ceil(n / (8 * edge));
    const edge = tiles(8) >= ENOUGH_WORKGROUPS ? 8 : 4;
    return { kernel: workgroupKernels[edge], workgroups: tiles(edge) };
  },
};

function checkOperands(operands: MatmulOperands): Sizes {
  const { a, b, bias, output, transposeA = false, transposeB = false } = operands;
  for (const [name, view] of Object.entries({ a, b, output })) {
    if (view.shape.length !== 2) {
      throw new ShapeError(
        `matmul: ${name} must be a matrix, got shape [${view.shape}]; reshape it to two dimensions`,
      );
    }
    checkView('matmul', name, view, 'f32', view.shape[0]! * view.shape[1]!);
  }
  if (transposeA && transposeB) {
    throw new ShapeError(
      `matmul: both operands are transposed (a [${a.shape}], b [${b.shape}]); transpose one, or compute b a and transpose that`,
    );
  }
  const [m, k] = transposeA ? [a.shape[1]!, a.shape[0]!] : [a.shape[0]!, a.shape[1]!];
  const [kOfB, n] = transposeB ? [b.shape[1]!, b.shape[0]!] : [b.shape[0]!, b.shape[1]!];
  if (kOfB !== k) {
    throw new ShapeError(
      `matmul: inner dimensions differ: a is [${a.shape}]${transposeA ? ' transposed' : ''}, ` +
        `b is [${b.shape}]${transposeB ? ' transposed' : ''}; K is ${k} and ${kOfB}`,
    );
  }
  if (output.shape[0] !== m || output.shape[1] !== n) {
    throw new ShapeError(`matmul: output must be [${m},${n}], got shape [${output.shape}]`);
  }
  if (bias) checkView('matmul', 'bias', bias, 'f32', n);
  checkSeparate('matmul', { output }, bias ? { a, b, bias } : { a, b });
  return { m, n, k };
}
