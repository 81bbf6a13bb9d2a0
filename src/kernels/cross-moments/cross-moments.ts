/**
 * Cross moments: the matrix of sums of products between the channels of two activations of the same samples, less a shift a channel.
 *
 * The sums are long and the matrix small. They are cut into chunks of 512; where the matrix alone cannot fill the machine, each chunk is
 * summed by invocations of its own into scratch memory and a second dispatch adds the chunks up, from left to right: the bits of one
 * invocation that takes them one after another. All variants give the same bits: the order stands in cross_moments_naive.wgsl.
 */
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, type Kernel, linearGrid, packParams, type TensorView } from '../../runtime/kernel.ts';
import { checkSeparate, checkSizes, checkView } from '../checks.ts';
import { addChunks, worthSplitting } from '../reduce/add-chunks.ts';
import { chooseVariant, ENOUGH_WORKGROUPS, fittingRows, type TiledVariant } from '../variant.ts';
import {
  naiveKernel,
  type OperandAccess,
  type RegisterTile,
  registerKernel,
  workgroupKernels,
} from './kernels.ts';

/** Sizes of two streams of activations over the same samples. */
export interface CrossMomentsSizes {
  /** Samples. 0 gives zeros. */
  readonly outer: number;
  /** Channels of the first. */
  readonly channelsA: number;
  /** Channels of the second. */
  readonly channelsB: number;
  /** Values of a channel in each sample: H * W of [N, C, H, W], 1 of [N, C]. */
  readonly inner: number;
}

/** What `crossMoments` reads and writes. */
export interface CrossMomentsCall extends CrossMomentsSizes {
  /** f32 [outer, channelsA, inner]. */
  readonly a: TensorView;
  /** f32 [outer, channelsB, inner]. Where `b` and its shift are the same views as `a` and its shift, half the work is done. */
  readonly b: TensorView;
  /** f32 [channelsA]: near the means, so that little cancels. */
  readonly shiftA: TensorView;
  /** f32 [channelsB]. */
  readonly shiftB: TensorView;
  /** f32 [channelsA, channelsB]. In another buffer than the inputs. */
  readonly output: TensorView;
  /** Adds the sums to what the output holds. Default: false. */
  readonly accumulate?: boolean;
  /** Gives an f32 view of a shape, in a buffer of its own, that this call may overwrite. Called at most once. */
  readonly scratch: (shape: readonly number[]) => TensorView;
}

/** Terms of a sum before its sum is added to those of other chunks. */
const CHUNK = 512;

/**
 * `output[i, j] = sum over n, p of (a[n, i, p] - shiftA[i]) (b[n, j, p] - shiftB[j])`, added to the old output with `accumulate`.
 *
 * With K = outer inner, the error is at most about (min(K, 512) + K / 512 + 3) 2^-24 sum |a - shiftA| |b - shiftB|.
 * @returns one dispatch, or two: sums of chunks, and what adds them up.
 * @throws ShapeError when views do not fit; OptionError or UnsupportedError when `context.variants['cross-moments']` names no variant,
 *   or one that does not run on this adapter.
 */
export function crossMoments(context: Context, call: CrossMomentsCall): Dispatch[] {
  const caller = 'crossMoments';
  const { outer, channelsA, channelsB, inner, a, b, shiftA, shiftB, output, accumulate, scratch } = call;
  checkSizes(caller, { outer });
  checkSizes(caller, { channelsA, channelsB, inner }, 1);
  checkView(caller, 'a', a, 'f32', outer * channelsA * inner);
  checkView(caller, 'b', b, 'f32', outer * channelsB * inner);
  checkView(caller, 'shiftA', shiftA, 'f32', channelsA);
  checkView(caller, 'shiftB', shiftB, 'f32', channelsB);
  checkView(caller, 'output', output, 'f32', channelsA * channelsB);
  const read = { a, b, shiftA, shiftB };
  checkSeparate(caller, { output }, read);
  const symmetric = channelsA === channelsB && isSame(a, b) && isSame(shiftA, shiftB);
  const choose = choosers[chooseVariant(context, 'cross-moments', caller).variant];
  const total = outer * inner;
  const chunks = Math.max(1, Math.ceil(total / CHUNK));
  const size = channelsA * channelsB;
  const whole = choose({ ...call, symmetric, parts: 1 });
  const parts = worthSplitting(context, chunks, size, whole.workgroups) ? chunks : 1;

  const sums = (target: TensorView): Dispatch => {
    const { kernel, workgroups } = parts === 1 ? whole : choose({ ...call, symmetric, parts });
    const flag = symmetric ? 1 : 0;
    return {
      kernel,
      views: [a, b, shiftA, shiftB, target],
      params: packParams('uuuuuuu', channelsA, channelsB, inner, total, chunks, chunks / parts, flag),
      workgroups: linearGrid(workgroups),
      work: (size * Math.max(1, total)) / (symmetric ? 2 : 1),
    };
  };
  if (parts === 1 && !accumulate && !symmetric) return [sums(output)];
  const partials = scratch([parts, channelsA, channelsB]);
  checkSeparate(caller, { output, scratch: partials }, read);
  const matrix = { rows: channelsA, columns: channelsB, symmetric, accumulate: accumulate ?? false };
  return [sums(partials), addChunks({ caller, chunks: partials, count: parts, output, ...matrix })];
}

function isSame(x: TensorView, y: TensorView): boolean {
  return x.buffer === y.buffer && x.offset === y.offset;
}

interface Task extends CrossMomentsSizes {
  readonly symmetric: boolean;
  /** Sums that each element of the matrix is cut into. */
  readonly parts: number;
}

interface Choice {
  readonly kernel: Kernel;
  readonly workgroups: number;
}

const choosers: Record<TiledVariant, (task: Task) => Choice> = {
  naive: ({ channelsA, channelsB, parts }) => ({
    kernel: naiveKernel,
    workgroups: Math.ceil((parts * channelsA * channelsB) / 64),
  }),
  register: (task) => {
    const tile = { rows: tileRows(task.channelsA, 8), columns: 8, quad: false };
    const tiles = Math.ceil(task.channelsA / tile.rows) * Math.ceil(task.channelsB / tile.columns);
    return { kernel: fittingKernel(tile, task), workgroups: Math.ceil((task.parts * tiles) / 4) };
  },
  quad: (task) => {
    const rows = tileRows(task.channelsA, 16);
    // a turn of a wide tile costs 1.6 turns of a narrow one: wide, unless it would compute much that nobody needs
    const columns = 1.6 * neededTiles(task, rows, 32) <= neededTiles(task, rows, 16) ? 8 : 4;
    const tiles = Math.ceil(task.channelsA / rows) * Math.ceil(task.channelsB / (4 * columns));
    return { kernel: fittingKernel({ rows, columns, quad: true }, task), workgroups: task.parts * tiles };
  },
  workgroup: ({ channelsA, channelsB, parts }) => {
    const tiles = (edge: number) =>
      parts * Math.ceil(channelsA / (8 * edge)) * Math.ceil(channelsB / (8 * edge));
    const edge = channelsA > 32 && channelsB > 32 && tiles(8) >= ENOUGH_WORKGROUPS ? 8 : 4;
    return { kernel: workgroupKernels[edge], workgroups: tiles(edge) };
  },
};

/** Rows of a register tile, which are a multiple of 4. */
const tileRows = (channels: number, largest: number): number => Math.max(4, fittingRows(channels, largest));

/** Tiles of rows x columns that are computed: of a symmetric matrix those that reach the diagonal or lie above it. */
function neededTiles({ channelsA, channelsB, symmetric }: Task, rows: number, columns: number): number {
  const across = Math.ceil(channelsB / columns);
  let count = 0;
  for (let row = 0; row < channelsA; row += rows)
    count += symmetric ? across - Math.floor(row / columns) : across;
  return count;
}

/** The register kernel that reads each operand by vec4f along what is contiguous, where that is a multiple of 4 long. */
function fittingKernel(tile: RegisterTile, { channelsA, channelsB, inner }: Task): Kernel {
  const access = (channels: number): OperandAccess => {
    if (inner % 4 === 0) return 'k';
    return inner === 1 && channels % 4 === 0 ? 'axis' : 'scalar';
  };
  return registerKernel(tile, access(channelsA), access(channelsB));
}
