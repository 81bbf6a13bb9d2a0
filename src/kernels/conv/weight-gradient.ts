/**
 * The weight gradient of a convolution: few, long sums over every output of a batch.
 *
 * Lines of outputs are cut into chunks. Where there are few weights, each chunk is summed by invocations of its own into scratch memory
 * and a second dispatch adds the chunks up, from left to right: the bits of one invocation that takes them one after another.
 */
import type { Context } from '../../runtime/context.ts';
import {
  type Dispatch,
  type Kernel,
  linearGrid,
  type Numerics,
  packParams,
  type TensorView,
} from '../../runtime/kernel.ts';
import { checkSeparate } from '../checks.ts';
import { expand } from '../matmul/template.ts';
import { kernelFamily } from '../numerics.ts';
import { addChunks, worthSplitting } from '../reduce/add-chunks.ts';
import { chooseVariant, fittingRows, shapeClass, type TiledVariant } from '../variant.ts';
import { CHUNK, type Geometry } from './geometry.ts';
import { CONV_TILES, chooseWorkgroupTile, workgroupValues } from './tiles.ts';
import libraryText from './weight_gradient.wgsl';
import naiveText from './weight_gradient_naive.wgsl';
import registerText from './weight_gradient_register.wgsl';
import workgroupText from './weight_gradient_workgroup.wgsl';

export interface WeightGradientViews {
  readonly input: TensorView;
  readonly outputGradient: TensorView;
  readonly output: TensorView;
}

/** The dispatches of a weight gradient. Its output must not be empty. */
export function weightGradientDispatches(
  context: Context,
  geometry: Geometry,
  views: WeightGradientViews,
  scratch?: (shape: readonly number[]) => TensorView,
): Dispatch[] {
  const g = geometry;
  const { input, outputGradient, output } = views;
  const linesInChunk = Math.max(1, Math.floor(CHUNK / g.outW));
  const chunks = Math.max(1, Math.ceil((g.batch * g.outH) / linesInChunk));
  const size = g.groups * g.rows * g.depth * g.kernelH * g.kernelW;
  const sizes = () => {
    const traits = `weights ${g.kernelH}x${g.kernelW} stride ${g.strideH}x${g.strideW}`;
    return shapeClass(traits, g.groups * g.rows, g.depth, g.batch * g.outH * g.outW);
  };
  const { variant, tile } = chooseVariant(context, 'conv', 'conv2d', CONV_TILES, sizes);
  const choose = (from: Geometry, parts: number) => choosers[variant](from, parts, context.numerics, tile);
  const splits = worthSplitting(context, chunks, size, choose(g, 1).workgroups);

  const sums = (target: TensorView, parts: number): Dispatch => {
    const { kernel, workgroups } = choose(g, parts);
    return {
      kernel,
      views: [input, outputGradient, target],
      params: packParams(
        'uuuuuuuuuuuuiiuuu',
        ...[g.batch, g.groups, g.rows, g.depth, g.inH, g.inW, g.outH, g.outW, g.kernelH, g.kernelW],
        ...[g.strideH, g.strideW, g.padH, g.padW, linesInChunk, chunks, chunks / parts],
      ),
      workgroups: linearGrid(workgroups),
      work: size * Math.max(1, g.batch * g.outH * g.outW),
    };
  };
  if (!scratch || !splits) return [sums(output, 1)];
  const caller = 'conv2dWeightGradient';
  const chunkSums = scratch([chunks, size]);
  checkSeparate(caller, { scratch: chunkSums }, { input, outputGradient });
  const addition = addChunks({ caller, chunks: chunkSums, count: chunks, rows: 1, columns: size, output });
  return [sums(chunkSums, chunks), addition];
}

interface Choice {
  readonly kernel: Kernel;
  readonly workgroups: number;
}

type Choose = (geometry: Geometry, parts: number, numerics: Numerics, tile?: string) => Choice;

/** What computes `parts` sums of each weight. */
const choosers: Record<TiledVariant, Choose> = {
  naive: ({ groups, rows, depth, kernelH, kernelW }, parts, numerics) => ({
    kernel: naiveKernel(numerics),
    workgroups: Math.ceil((parts * groups * rows * depth * kernelH * kernelW) / 64),
  }),
  register: (geometry, parts, numerics) => chooseTile(geometry, parts, numerics, false),
  quad: (geometry, parts, numerics) => chooseTile(geometry, parts, numerics, true),
  workgroup: ({ groups, rows, depth, kernelH, kernelW }, parts, numerics, asked) => {
    const columns = depth * kernelH * kernelW;
    const { tile, workgroups } = chooseWorkgroupTile(rows, columns, parts * groups, asked);
    return { kernel: workgroupKernel(tile, kernelH, kernelW, numerics), workgroups };
  },
};

/** A register tile: `rows` channels by `units` rows of taps (or single taps) an invocation, and what a turn of its loop takes. */
interface Tile {
  readonly rows: number;
  readonly units: number;
  readonly quad: boolean;
  /** Taps of a row that share a window of inputs; 0: each tap is a unit, at any stride. */
  readonly taps: number;
  readonly stride: number;
  readonly positions: number;
}

function chooseTile(g: Geometry, parts: number, numerics: Numerics, quads: boolean): Choice {
  const slides = g.kernelW <= 7 && (g.strideW === 1 || (g.strideW === 2 && g.kernelW > 1));
  const taps = slides ? g.kernelW : 1;
  const units = (g.depth * g.kernelH * g.kernelW) / taps;
  // inputs are shared by the taps of a row, gradients by all columns: few taps want more rows
  const columns = quads ? (taps > 1 ? 12 : 4) : 6;
  const unitsInTile = Math.min(Math.max(1, Math.floor(columns / taps)), units);
  const quad = quads && g.rows > 1 && units > unitsInTile;
  const rows = fittingRows(g.rows, quad && taps === 1 ? 16 : 8);
  const tile: Tile = {
    ...{ rows, units: unitsInTile, quad },
    taps: slides ? taps : 0,
    stride: slides ? g.strideW : 1,
    positions: [4, 3, 2].find((p) => g.outW % p === 0) ?? 1,
  };
  const others = parts * g.groups * Math.ceil(g.rows / rows);
  const workgroups = quad
    ? others * Math.ceil(units / (4 * unitsInTile))
    : Math.ceil((others * Math.ceil(units / unitsInTile)) / 4);
  return { kernel: registerKernel(tile, numerics), workgroups };
}

const bindings = ['read', 'read', 'read_write'] as const;

const kernelOf = /* @__PURE__ */ kernelFamily(
  'weight gradient',
  'conv/weight_gradient',
  bindings,
  libraryText,
);

const naiveKernel = (numerics: Numerics) => kernelOf('naive', '', numerics, () => naiveText);

function registerKernel(tile: Tile, numerics: Numerics): Kernel {
  const { rows, units, quad, taps, stride, positions } = tile;
  const how = taps > 0 ? `${taps} taps stride ${stride}` : 'single taps';
  const name = `${rows}x${units}${quad ? ' quad' : ''} ${how} positions ${positions}`;
  return kernelOf('register', name, numerics, () =>
    expand(registerText, {
      ROWS: rows,
      ROWQUADS: rows / 4,
      UNITS: units,
      QUAD: quad,
      SINGLE: !quad,
      SWAPS: quad ? 3 : 0, // the bits of the lane that say with whom
      LOADS: quad ? rows / 4 : rows, // of gradients, an invocation
      SLIDES: taps > 0,
      STEPS: taps === 0,
      TAPS: Math.max(1, taps),
      STRIDE: stride,
      POSITIONS: positions,
      WINDOW: (positions - 1) * stride + Math.max(1, taps),
    }),
  );
}

function workgroupKernel(tile: string, tapsY: number, tapsX: number, numerics: Numerics): Kernel {
  return kernelOf('workgroup', `${tile} ${tapsY}x${tapsX} taps`, numerics, () =>
    expand(workgroupText, { ...workgroupValues(tile, 'weights'), TAPS_X: tapsX, TAPS: tapsY * tapsX }),
  );
}
