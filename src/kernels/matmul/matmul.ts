/**
 * Matrix products in f32: `output = activation(a b + bias)`, with either operand transposed.
 *
 * All variants give the same bits (the order of summation stands in matmul_naive.wgsl), so which one runs is only a matter of speed:
 * `naive` documents the formula, `register` and `quad` are for adapters that compute on the CPU (`quad` where subgroups have exactly
 * four invocations: SwiftShader; its tile `packed` is in packed.ts), `workgroup` is for GPUs. `context.variants.matmul` forces one.
 */
import { ShapeError } from '../../base/errors.ts';
import type { Context } from '../../runtime/context.ts';
import {
  type Dispatch,
  type Kernel,
  linearGrid,
  type Numerics,
  packParams,
  type TensorView,
} from '../../runtime/kernel.ts';
import { checkSeparate, checkView } from '../checks.ts';
import { addChunks, MOST_SCRATCH } from '../reduce/add-chunks.ts';
import {
  type Candidate,
  chooseVariant,
  ENOUGH_WORKGROUPS,
  shapeClass,
  type TiledVariant,
  type TileNames,
} from '../variant.ts';
import {
  naiveKernel,
  type OperandAccess,
  REGISTER_TILES,
  registerKernel,
  WORKGROUP_TILES,
  workgroupKernel,
} from './kernels.ts';

/** What `matmul` reads and writes. */
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
  /** Default: the context's. `f32` for what decides something, whatever networks compute in. */
  readonly numerics?: Numerics;
  /**
   * Gives an f32 view of a shape, in a buffer of its own, that this call may overwrite. Called at most once, when there are few outputs
   * and long sums. The bits stay the same. Default: each output is summed in one go.
   */
  readonly scratch?: (shape: readonly number[]) => TensorView;
}

const FLAG_BIAS = 1;
const FLAG_RELU = 2;
const FLAG_APART = 4;

/** Terms of a sum before its sum is added to those of other chunks. */
export const CHUNK = 512;

interface Sizes {
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** Tiles of each variant, largest first. */
export const MATMUL_TILES: TileNames = {
  register: ['8x8', '8x4', '4x4'],
  quad: ['packed', '16x8', '16x4'],
  workgroup: /* @__PURE__ */ Object.keys(WORKGROUP_TILES),
};

/**
 * `output = activation(a b + bias)`, bias and activation in the same dispatch.
 *
 * K = 0 gives the bias, or zeros. Not supported: both operands transposed, batches, broadcasting.
 * @returns one dispatch, two where chunks of long sums are computed side by side, none when the output is empty.
 * @throws ShapeError when shapes or element types do not fit; OptionError when `context.variants.matmul` names no variant,
 *   UnsupportedError when it names `quad` and the adapter's subgroups do not have four invocations.
 */
export function matmul(context: Context, operands: MatmulOperands): Dispatch[] {
  const { a, b, bias, output, scratch } = operands;
  const task = taskOf(context, operands);
  const { m, n, k, epilogue, strides } = task;
  if (m * n === 0) return [];
  const { kernel, workgroups, parts = 1 } = choosers[k === 0 ? 'naive' : task.variant](task);
  const product = (target: TensorView, flags: number): Dispatch => ({
    kernel,
    views: [a, b, bias ?? b, target],
    params: packParams('uuuuuuuu', m, n, k, flags, ...strides),
    workgroups: linearGrid(workgroups * parts),
    work: m * n * Math.max(k, 1),
  });
  if (!scratch || parts === 1) return [product(output, epilogue)];
  const chunks = scratch([parts, m, n]);
  checkSeparate('matmul', { scratch: chunks }, { a, b });
  const relu = operands.activation === 'relu';
  const addition = { caller: 'matmul', chunks, count: parts, rows: m, columns: n, output, relu };
  return [product(chunks, FLAG_APART), addChunks({ ...addition, ...(bias ? { bias } : {}) })];
}

/** A product, taken apart. */
export interface Task extends Sizes, Candidate {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  /** In elements: along m and k of a, along k and n of b. */
  readonly strides: readonly [number, number, number, number];
  /** What kernels do to the sums: `FLAG_BIAS`, `FLAG_RELU`. */
  readonly epilogue: number;
  /** Chunks along k may be computed side by side. */
  readonly mayPart: boolean;
  readonly numerics: Numerics;
}

/** Checks a product, and chooses how it is computed. Without a tile it is that which suits the sizes. @throws as `matmul`. */
export function taskOf(context: Context, operands: MatmulOperands): Task {
  const { transposeA = false, transposeB = false, numerics = context.numerics } = operands;
  const { m, n, k } = checkOperands(operands);
  const layout = transposeA ? 'TN' : transposeB ? 'NT' : 'NN';
  return {
    ...chooseVariant(context, 'matmul', 'matmul', MATMUL_TILES, () => shapeClass(layout, m, n, k)),
    m,
    n,
    k,
    transposeA,
    transposeB,
    numerics,
    strides: [transposeA ? 1 : k, transposeA ? m : 1, transposeB ? 1 : n, transposeB ? k : 1],
    epilogue: (operands.bias ? FLAG_BIAS : 0) + (operands.activation === 'relu' ? FLAG_RELU : 0),
    mayPart: operands.scratch !== undefined,
  };
}

interface Choice {
  readonly kernel: Kernel;
  /** For each part. */
  readonly workgroups: number;
  /** Chunks along k that are computed side by side. Default: 1. */
  readonly parts?: number;
}

const choosers: Record<TiledVariant, (task: Task) => Choice> = {
  naive: (task) => ({ kernel: naiveKernel(task.numerics), workgroups: Math.ceil((task.m * task.n) / 64) }),

  register: (task) => {
    const name = (task.tile ?? '8x8') as keyof typeof REGISTER_TILES;
    const tile = { ...REGISTER_TILES[name], quad: false };
    const tiles = Math.ceil(task.m / tile.rows) * Math.ceil(task.n / tile.columns);
    return {
      kernel: registerKernel(tile, ...accesses(task), task.numerics),
      workgroups: Math.ceil(tiles / 4),
    };
  },

  quad: (task) => {
    const wide = Math.ceil(task.n / 32);
    const narrow = Math.ceil(task.n / 16);
    // a turn of a wide tile costs 1.6 turns of a narrow one (measured): wide, unless it would compute much past the edge
    const name = (task.tile ?? (1.6 * wide <= narrow ? '16x8' : '16x4')) as keyof typeof REGISTER_TILES;
    const tile = { ...REGISTER_TILES[name], quad: true };
    const workgroups = Math.ceil(task.m / tile.rows) * (tile.columns === 8 ? wide : narrow);
    return { kernel: registerKernel(tile, ...accesses(task), task.numerics), workgroups };
  },

  workgroup: (task) => {
    const { m, n, k } = task;
    const chunks = task.mayPart && Math.ceil(k / CHUNK) * m * n <= MOST_SCRATCH ? Math.ceil(k / CHUNK) : 1;
    // the largest tile that keeps the GPU busy, with a workgroup for each chunk before the tile gets smaller
    const fits = Object.keys(WORKGROUP_TILES).map((tile) => {
      const { rows, columns } = WORKGROUP_TILES[tile]!;
      const workgroups = Math.ceil(m / rows) * Math.ceil(n / columns);
      return { tile, workgroups, parts: workgroups < ENOUGH_WORKGROUPS && rows < 128 ? chunks : 1 };
    });
    const { tile, ...grid } =
      fits.find((fit) => task.tile === fit.tile) ??
      fits.find((fit) => fit.workgroups * fit.parts >= ENOUGH_WORKGROUPS) ??
      fits.at(-1)!;
    return { kernel: workgroupKernel(tile, ...accesses(task), task, task.numerics), ...grid };
  },
};

/** How to read each operand: by vec4f along its contiguous axis, where that is a multiple of 4 long. */
function accesses({ m, n, k, transposeA, transposeB }: Task): [OperandAccess, OperandAccess] {
  const access = (alongK: boolean, axis: number): OperandAccess =>
    (alongK ? k : axis) % 4 !== 0 ? 'scalar' : alongK ? 'k' : 'axis';
  return [access(!transposeA, m), access(transposeB, n)];
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
      `matmul: both operands are transposed (a [${a.shape}], b [${b.shape}]); transpose one`,
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
