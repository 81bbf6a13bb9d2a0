/**
 * Matrix products in f32: `output = activation(a b + bias)`, with either operand transposed.
 *
 * All variants give the same bits (the order of summation stands in matmul_naive.wgsl), so which one runs is only a matter of speed:
 * `naive` documents the formula, `register` and `quad` are for adapters that compute on the CPU (`quad` where subgroups have exactly
 * four invocations: SwiftShader), `workgroup` is for GPUs. `context.variants.matmul` forces one.
 */
import { ShapeError } from '../../base/errors.ts';
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, type Kernel, linearGrid, packParams, type TensorView } from '../../runtime/kernel.ts';
import { checkSeparate, checkView } from '../checks.ts';
import { chooseVariant, ENOUGH_WORKGROUPS, type TiledVariant } from '../variant.ts';
import {
  naiveKernel,
  type OperandAccess,
  type RegisterTile,
  registerKernel,
  workgroupKernels,
} from './kernels.ts';

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

const FLAG_BIAS = 1;
const FLAG_RELU = 2;

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
 * @throws ShapeError when shapes or element types do not fit; OptionError when `context.variants.matmul` names no variant,
 *   UnsupportedError when it names `quad` and the adapter's subgroups do not have four invocations.
 */
export function matmul(context: Context, operands: MatmulOperands): Dispatch[] {
  const { a, b, bias, output, transposeA = false, transposeB = false, activation } = operands;
  const { m, n, k } = checkOperands(operands);
  const variant = chooseVariant(context, 'matmul', 'matmul');
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

interface Choice {
  readonly kernel: Kernel;
  readonly workgroups: number;
}

const choosers: Record<TiledVariant, (sizes: Sizes, transposeA: boolean, transposeB: boolean) => Choice> = {
  naive: ({ m, n }) => ({ kernel: naiveKernel, workgroups: Math.ceil((m * n) / 64) }),

  register: (sizes, transposeA, transposeB) => {
    const tile = { rows: 8, columns: 8, quad: false };
    const tiles = Math.ceil(sizes.m / tile.rows) * Math.ceil(sizes.n / tile.columns);
    return {
      kernel: fittingRegisterKernel(tile, sizes, transposeA, transposeB),
      workgroups: Math.ceil(tiles / 4),
    };
  },

  quad: (sizes, transposeA, transposeB) => {
    const rows = Math.ceil(sizes.m / 16);
    const wide = Math.ceil(sizes.n / 32);
    const narrow = Math.ceil(sizes.n / 16);
    // a turn of a wide tile costs 1.6 turns of a narrow one (measured): wide, unless it would compute much past the edge
    const columns = 1.6 * wide <= narrow ? 8 : 4;
    const tile = { rows: 16, columns, quad: true };
    return {
      kernel: fittingRegisterKernel(tile, sizes, transposeA, transposeB),
      workgroups: rows * (columns === 8 ? wide : narrow),
    };
  },

  workgroup: ({ m, n }) => {
    const tiles = (edge: number) => Math.ceil(m / (8 * edge)) * Math.ceil(n / (8 * edge));
    const edge = tiles(8) >= ENOUGH_WORKGROUPS ? 8 : 4;
    return { kernel: workgroupKernels[edge], workgroups: tiles(edge) };
  },
};

/** The register kernel that reads each operand by vec4f along its contiguous axis, where that is a multiple of 4 long. */
function fittingRegisterKernel(
  tile: RegisterTile,
  { m, n, k }: Sizes,
  transposeA: boolean,
  transposeB: boolean,
): Kernel {
  const access = (alongK: boolean, axis: number): OperandAccess =>
    (alongK ? k : axis) % 4 !== 0 ? 'scalar' : alongK ? 'k' : 'axis';
  return registerKernel(tile, access(!transposeA, m), access(transposeB, n));
}

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
