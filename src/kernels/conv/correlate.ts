/**
 * Correlations: what a convolution and its input gradient have in common, so that one family of kernels computes both.
 *
 * The input gradient of a convolution with stride s is, for each of the s x s residues of the input's coordinates, a correlation of the
 * output gradient with those taps of the (transposed, flipped) weights that can reach it, with stride 1: nothing is multiplied by the
 * zeros that a dilated gradient would have. Which residue a tap has is arithmetic on where weights and outputs lie.
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
import { expand } from '../matmul/template.ts';
import type { ChannelNorm } from '../norm/normalise.ts';
import { kernelFamily } from '../numerics.ts';
import { chooseVariant, fittingRows, shapeClass, type TiledVariant } from '../variant.ts';
import libraryText from './correlate.wgsl';
import naiveText from './correlate_naive.wgsl';
import registerText from './correlate_register.wgsl';
import workgroupText from './correlate_workgroup.wgsl';
import { CHUNK, type Geometry } from './geometry.ts';
import { CONV_TILES, chooseWorkgroupTile, workgroupValues } from './tiles.ts';

/** What correlate.wgsl computes, in its words. */
export interface Correlation {
  readonly batch: number;
  readonly groups: number;
  readonly rows: number;
  readonly depth: number;
  readonly inH: number;
  readonly inW: number;
  readonly outH: number;
  readonly outW: number;
  readonly tapsY: number;
  readonly tapsX: number;
  readonly strideY: number;
  readonly strideX: number;
  readonly padY: number;
  readonly padX: number;
  readonly chunk: number;
  /** Where weights lie: first, group, row, depth, y, x. */
  readonly weights: readonly [number, number, number, number, number, number];
  /** Where outputs lie: plane, first, step y, step x. */
  readonly outputs: readonly [number, number, number, number];
}

/** The forward pass as a correlation. */
export function forwardCorrelation(geometry: Geometry): Correlation {
  const { rows, depth, kernelH, kernelW, outH, outW } = geometry;
  const taps = kernelH * kernelW;
  return {
    ...geometry,
    ...{ tapsY: kernelH, tapsX: kernelW, strideY: geometry.strideH, strideX: geometry.strideW },
    ...{ padY: geometry.padH, padX: geometry.padW, chunk: channelsInChunk(geometry) },
    weights: [0, rows * depth * taps, depth * taps, taps, kernelW, 1],
    outputs: [outH * outW, 0, outW, 1],
  };
}

/** The input gradient as correlations, one for each residue of the input's coordinates; together they write every element once. */
export function inputGradientCorrelations(geometry: Geometry): Correlation[] {
  const { rows, depth, kernelH, kernelW, inH, inW, outH, outW, strideH, strideW } = geometry;
  const taps = kernelH * kernelW;
  const along = (size: number, kernel: number, stride: number, padding: number) =>
    Array.from({ length: Math.min(stride, size) }, (_, first) =>
      residue(first, size, kernel, stride, padding),
    );
  return along(inH, kernelH, strideH, geometry.padH).flatMap((y) =>
    along(inW, kernelW, strideW, geometry.padW).map((x) => ({
      ...{ batch: geometry.batch, groups: geometry.groups, rows: depth, depth: rows },
      ...{ inH: outH, inW: outW, outH: y.count, outW: x.count },
      ...{ tapsY: y.taps, tapsX: x.taps, strideY: 1, strideX: 1, padY: y.pad, padX: x.pad },
      chunk: channelsInChunk(geometry),
      weights: [
        y.lastTap * kernelW + x.lastTap,
        rows * depth * taps,
        taps,
        depth * taps,
        -strideH * kernelW,
        -strideW,
      ],
      outputs: [inH * inW, y.first * inW + x.first, strideH * inW, strideW],
    })),
  );
}

const channelsInChunk = ({ kernelH, kernelW }: Geometry): number =>
  Math.max(1, Math.floor(CHUNK / (kernelH * kernelW)));

/** One residue along one axis: inputs first, first + stride, ..., the taps residue, residue + stride, ... that reach them. */
function residue(first: number, size: number, kernel: number, stride: number, padding: number) {
  const offset = (first + padding) % stride;
  const taps = Math.max(0, Math.ceil((kernel - offset) / stride));
  return {
    first,
    count: Math.ceil((size - first) / stride),
    taps,
    /** The tap that belongs to the smallest output coordinate. */
    lastTap: offset + (taps - 1) * stride,
    pad: taps - 1 - Math.floor((first + padding) / stride),
  };
}

export interface CorrelationViews {
  readonly input: TensorView;
  readonly weight: TensorView;
  readonly output: TensorView;
  readonly bias?: TensorView;
  readonly norm?: ChannelNorm;
  readonly addend?: TensorView;
  readonly relu?: boolean;
}

const FLAG_BIAS = 1;
const FLAG_NORM = 2;
const FLAG_ADDEND = 4;
const FLAG_RELU = 8;

/** The dispatch that computes a correlation. Its output must not be empty. */
export function correlate(context: Context, correlation: Correlation, views: CorrelationViews): Dispatch {
  const c = correlation;
  const { input, weight, output, bias = weight, norm, addend = weight, relu } = views;
  const { mean, factor, shift } = norm ?? { mean: weight, factor: weight, shift: weight };
  const taps = c.tapsY * c.tapsX;
  const sizes = () => {
    const traits = `correlate ${c.tapsY}x${c.tapsX} stride ${c.strideY}x${c.strideX}`;
    return shapeClass(traits, c.rows, c.depth, c.batch * c.groups * c.outH * c.outW);
  };
  const chosen = chooseVariant(context, 'conv', 'conv2d', CONV_TILES, sizes);
  const choose = choosers[c.depth * taps === 0 ? 'naive' : chosen.variant];
  const { kernel, workgroups } = choose(c, context.numerics, chosen.tile, views.addend !== undefined);
  const flags =
    (views.bias ? FLAG_BIAS : 0) +
    (norm ? FLAG_NORM : 0) +
    (views.addend ? FLAG_ADDEND : 0) +
    (relu ? FLAG_RELU : 0);
  const shape = [c.batch, c.groups, c.rows, c.depth, c.inH, c.inW, c.outH, c.outW, c.tapsY, c.tapsX];
  return {
    kernel,
    views: [input, weight, bias, mean, factor, shift, addend, output],
    params: packParams(
      'uuuuuuuuuuuuiiuuiiiiiiuuuu',
      ...shape,
      ...[c.strideY, c.strideX, c.padY, c.padX, c.chunk, flags],
      ...c.weights,
      ...c.outputs,
    ),
    workgroups: linearGrid(workgroups),
    work: c.batch * c.groups * c.rows * c.outH * c.outW * Math.max(1, c.depth * taps),
  };
}

interface Choice {
  readonly kernel: Kernel;
  readonly workgroups: number;
}

type Choose = (
  correlation: Correlation,
  numerics: Numerics,
  tile: string | undefined,
  adds: boolean,
) => Choice;

const choosers: Record<TiledVariant, Choose> = {
  naive: ({ batch, groups, rows, outH, outW }, numerics) => ({
    kernel: naiveKernel(numerics),
    workgroups: Math.ceil((batch * groups * rows * outH * outW) / 64),
  }),
  register: (correlation, numerics, _, adds) => chooseTile(correlation, numerics, false, adds),
  quad: (correlation, numerics, _, adds) => chooseTile(correlation, numerics, true, adds),
  workgroup: ({ batch, groups, rows, outH, outW, tapsY, tapsX }, numerics, asked) => {
    const { tile, workgroups } = chooseWorkgroupTile(rows, batch * outH * outW, groups, asked);
    return { kernel: workgroupKernel(tile, tapsY, tapsX, numerics), workgroups };
  },
};

/** A register tile: `rows` channels by `height` x `width` outputs an invocation, and what a turn of its loop takes. */
interface Tile {
  readonly rows: number;
  readonly height: number;
  readonly width: number;
  readonly quad: boolean;
  /** Taps of a row that share a window of inputs; 0: each tap for itself, at any stride. */
  readonly taps: number;
  readonly stride: number;
  readonly depths: number;
  /** Whether there is an addend. */
  readonly adds: boolean;
}

/** Outputs of a tile, as height x width; images narrower than 8 take higher tiles. */
const SHAPES = [
  { height: 1, width: 8 },
  { height: 2, width: 4 },
  { height: 4, width: 2 },
] as const;

function chooseTile(c: Correlation, numerics: Numerics, quads: boolean, adds: boolean): Choice {
  const slides = c.tapsX <= 7 && (c.strideX === 1 || (c.strideX === 2 && c.tapsX > 1));
  const tilesOf = ({ height, width }: { height: number; width: number }) =>
    Math.ceil(c.outH / height) * Math.ceil(c.outW / width);
  const shape = SHAPES.reduce((best, next) => (tilesOf(next) < tilesOf(best) ? next : best));
  const pointwise = c.tapsX * c.tapsY === 1 && c.depth % 2 === 0 && c.chunk % 2 === 0;
  // the largest tile whose kernel still compiles in some 150 ms
  const largest = c.tapsX > 4 ? 4 : quads && pointwise ? 16 : 8;
  const tile: Tile = {
    ...shape,
    rows: fittingRows(c.rows, largest),
    quad: quads && c.rows > 1,
    taps: slides ? c.tapsX : 0,
    stride: slides ? c.strideX : 1,
    depths: pointwise ? 2 : 1,
    adds,
  };
  const workgroups = c.groups * Math.ceil(c.rows / tile.rows) * Math.ceil((c.batch * tilesOf(shape)) / 4);
  return { kernel: registerKernel(tile, numerics), workgroups };
}

const bindings = ['read', 'read', 'read', 'read', 'read', 'read', 'read', 'read_write'] as const;

const kernelOf = /* @__PURE__ */ kernelFamily('correlate', 'conv/correlate', bindings, libraryText);

const naiveKernel = (numerics: Numerics) => kernelOf('naive', '', numerics, () => naiveText);

function registerKernel(tile: Tile, numerics: Numerics): Kernel {
  const { rows, height, width, quad, taps, stride, depths, adds } = tile;
  const how = taps > 0 ? `${taps} taps stride ${stride}` : 'single taps';
  const name = `${rows}x${height}x${width}${quad ? ' quad' : ''} ${how} depths ${depths}${adds ? ' adds' : ''}`;
  return kernelOf('register', name, numerics, () =>
    expand(registerText, {
      ROWS: rows,
      ROWQUADS: rows / 4,
      TILE_H: height,
      TILE_W: width,
      OUTPUTS: height * width,
      QUADS: (height * width) / 4,
      QUAD: quad,
      SINGLE: !quad,
      SWAPS: quad ? 3 : 0, // the bits of the lane that say with whom
      LOADS: quad ? rows / 4 : rows, // of weights, an invocation
      SLIDES: taps > 0,
      STEPS: taps === 0,
      TAPS: Math.max(1, taps),
      STRIDE: stride,
      WINDOW: taps > 0 ? (width - 1) * stride + taps : width,
      DEPTHS: depths,
      ADDS: adds,
      PLAIN: !adds,
    }),
  );
}

function workgroupKernel(tile: string, tapsY: number, tapsX: number, numerics: Numerics): Kernel {
  return kernelOf('workgroup', `${tile} ${tapsY}x${tapsX} taps`, numerics, () =>
    expand(workgroupText, { ...workgroupValues(tile, 'outputs'), TAPS_X: tapsX, TAPS: tapsY * tapsX }),
  );
}
