/** Max and average pooling of planes, and the adjoints: any kernel, stride and padding. */
import { ShapeError } from '../../base/errors.ts';
import type { Context } from '../../runtime/context.ts';
import {
  type Dispatch,
  elementCount,
  type Kernel,
  linearGrid,
  packParams,
  type TensorView,
} from '../../runtime/kernel.ts';
import { checkSeparate, checkSizes, checkView } from '../checks.ts';
import gatherWgsl from './gather-indices.wgsl';
import poolTemplate from './pool.wgsl';
import unpoolTemplate from './unpool.wgsl';

/** Rows, then columns. */
export type Pair = readonly [number, number];

export interface PoolWindow {
  readonly kernel: Pair;
  readonly stride: Pair;
  /** At most half the kernel, as PyTorch wants, so that every window meets the plane. */
  readonly padding: Pair;
}

interface PoolCall extends PoolWindow {
  /** f32 [N, C, H, W]. */
  readonly input: TensorView;
  /** [N, C, OH, OW], f32, or u32 for indices. */
  readonly output: TensorView;
}

/** `floor((size + 2 padding - kernel) / stride) + 1` of each spatial axis. @throws ShapeError when a window does not fit. */
export function pooledSize(
  caller: string,
  [height, width]: Pair,
  { kernel, stride, padding }: PoolWindow,
): Pair {
  const one = (size: number, axis: 0 | 1): number => {
    checkSizes(caller, { kernel: kernel[axis], stride: stride[axis] }, 1);
    checkSizes(caller, { padding: padding[axis] });
    if (2 * padding[axis] > kernel[axis]) {
      throw new ShapeError(
        `${caller}: padding ${padding[axis]} must be at most half the kernel ${kernel[axis]}; pad the tensor itself`,
      );
    }
    const pooled = Math.floor((size + 2 * padding[axis] - kernel[axis]) / stride[axis]) + 1;
    if (pooled < 1) {
      throw new ShapeError(
        `${caller}: kernel [${kernel}] with padding [${padding}] does not fit into a plane of ${height} x ${width}; use a smaller one`,
      );
    }
    return pooled;
  };
  return [one(height, 0), one(width, 1)];
}

function poolKernel(name: string, element: string, begin: string, step: string, end: string): Kernel {
  return {
    name,
    file: 'src/kernels/pool/pool.wgsl',
    wgsl: poolTemplate
      .replace('// {{output}}', `@group(0) @binding(2) var<storage, read_write> output: array<${element}>;`)
      .replace('// {{begin}}', begin)
      .replace('// {{step}}', step)
      .replace('// {{end}}', end),
    bindings: ['read', 'read_write'],
  };
}

const findLargest = [
  'var place = h_start * params.width + w_start;\n    var largest = x[plane + place];',
  'if (value > largest) {\n          largest = value;\n          place = h * params.width + w;\n        }',
] as const;
const maxKernel = poolKernel('max pool', 'f32', ...findLargest, 'output[at] = x[plane + place];');
const indicesKernel = poolKernel('max pool indices', 'u32', ...findLargest, 'output[at] = u32(place);');
const averageKernel = poolKernel(
  'average pool',
  'f32',
  'var total = 0.0;',
  'total += value;',
  'output[at] = total / f32(params.kernel_h * params.kernel_w);',
);

const output = (binding: number) =>
  `@group(0) @binding(${binding}) var<storage, read_write> output: array<f32>;`;
const maxUnpoolKernel: Kernel = {
  name: 'max unpool',
  file: 'src/kernels/pool/unpool.wgsl',
  wgsl: unpoolTemplate
    .replace('// {{bindings}}', `@group(0) @binding(2) var<storage, read> indices: array<u32>;\n${output(3)}`)
    .replace('// {{term}}', 'total += select(0.0, dy[row + c], indices[row + c] == place);')
    .replace('// {{end}}', 'output[at] = total;'),
  bindings: ['read', 'read', 'read_write'],
};
const averageUnpoolKernel: Kernel = {
  name: 'average unpool',
  file: 'src/kernels/pool/unpool.wgsl',
  wgsl: unpoolTemplate
    .replace('// {{bindings}}', output(2))
    .replace('    let place = at - m * params.height * params.width;\n', '')
    .replace('// {{term}}', 'total += dy[row + c];')
    .replace('// {{end}}', 'output[at] = total / f32(params.kernel_h * params.kernel_w);'),
  bindings: ['read', 'read_write'],
};
const gatherKernel: Kernel = {
  name: 'gather indices of planes',
  file: 'src/kernels/pool/gather-indices.wgsl',
  wgsl: gatherWgsl,
  bindings: ['read', 'read', 'read_write'],
};

/** The largest value of each window; padding never wins. @throws ShapeError when views do not fit. */
export function maxPool(_context: Context, call: PoolCall): Dispatch[] {
  return pool('maxPool', maxKernel, call);
}

/** Where each window's largest value lies, `h * W + w` (u32); the first of equals, as in PyTorch. @throws ShapeError */
export function maxPoolIndices(_context: Context, call: PoolCall): Dispatch[] {
  return pool('maxPoolIndices', indicesKernel, call);
}

/** The mean of each window, padding counted as zeros (PyTorch's `count_include_pad`). @throws ShapeError when views do not fit. */
export function averagePool(_context: Context, call: PoolCall): Dispatch[] {
  return pool('averagePool', averageKernel, call);
}

/**
 * Sends each value back to where its window's index points: the adjoint of max pooling.
 * @param call.input f32 [N, C, OH, OW] @param call.indices u32 of that shape @param call.output f32 [N, C, H, W]
 * @throws ShapeError when views do not fit.
 */
export function maxUnpool(_context: Context, call: PoolCall & { readonly indices: TensorView }): Dispatch[] {
  const { input, indices } = call;
  checkView('maxUnpool', 'indices', indices, 'u32', elementCount(input.shape));
  return unpool('maxUnpool', maxUnpoolKernel, call, { indices });
}

/** Spreads each value evenly over its window: the adjoint of average pooling, [N, C, OH, OW] to [N, C, H, W]. @throws ShapeError */
export function averageUnpool(_context: Context, call: PoolCall): Dispatch[] {
  return unpool('averageUnpool', averageUnpoolKernel, call, {});
}

/**
 * `output[n, c, o] = input[n, c, indices[n, c, o]]`, both planes flat: the adjoint of `maxUnpool`.
 * @throws ShapeError when views do not fit.
 */
export function gatherIndices(
  _context: Context,
  call: { readonly input: TensorView; readonly indices: TensorView; readonly output: TensorView },
): Dispatch[] {
  const caller = 'gatherIndices';
  const { input, indices, output } = call;
  const [planes, plane] = planesOf(caller, 'input', input);
  const [outputPlanes, windows] = planesOf(caller, 'output', output);
  checkView(caller, 'input', input, 'f32', outputPlanes * plane);
  checkView(caller, 'output', output, 'f32', planes * windows);
  checkView(caller, 'indices', indices, 'u32', planes * windows);
  checkSeparate(caller, { output }, { input, indices });
  const outputs = planes * windows;
  if (outputs === 0) return [];
  return [
    {
      kernel: gatherKernel,
      views: [input, indices, output],
      params: packParams('uuu', outputs, windows, plane),
      workgroups: linearGrid(Math.ceil(outputs / 256)),
      work: outputs,
    },
  ];
}

/** Number of planes and elements of one. */
function planesOf(caller: string, name: string, { shape }: TensorView): [number, number] {
  if (shape.length !== 4)
    throw new ShapeError(`${caller}: ${name} must be [N, C, H, W], got shape [${shape}]; reshape the view`);
  return [shape[0]! * shape[1]!, shape[2]! * shape[3]!];
}

function pool(caller: string, kernel: Kernel, call: PoolCall): Dispatch[] {
  const { input, output } = call;
  const [planes] = planesOf(caller, 'input', input);
  const pooled = pooledSize(caller, [input.shape[2]!, input.shape[3]!], call);
  const outputs = planes * pooled[0] * pooled[1];
  checkView(caller, 'input', input, 'f32', elementCount(input.shape));
  checkView(caller, 'output', output, kernel === indicesKernel ? 'u32' : 'f32', outputs);
  checkSeparate(caller, { output }, { input });
  return dispatch(kernel, [input, output], outputs, outputs, input, pooled, call);
}

function unpool(
  caller: string,
  kernel: Kernel,
  call: PoolCall,
  others: Record<string, TensorView>,
): Dispatch[] {
  const { input, output } = call;
  const [planes] = planesOf(caller, 'output', output);
  const pooled = pooledSize(caller, [output.shape[2]!, output.shape[3]!], call);
  checkView(caller, 'input', input, 'f32', planes * pooled[0] * pooled[1]);
  checkView(caller, 'output', output, 'f32', elementCount(output.shape));
  checkSeparate(caller, { output }, { input, ...others });
  const views = [input, ...Object.values(others), output];
  return dispatch(
    kernel,
    views,
    elementCount(output.shape),
    planes * pooled[0] * pooled[1],
    output,
    pooled,
    call,
  );
}

/** @param count elements that are written @param windows of all planes @param plane the tensor of the larger planes */
function dispatch(
  kernel: Kernel,
  views: readonly TensorView[],
  count: number,
  windows: number,
  plane: TensorView,
  pooled: Pair,
  { kernel: size, stride, padding }: PoolWindow,
): Dispatch[] {
  if (count === 0) return [];
  const [height, width] = [plane.shape[2]!, plane.shape[3]!];
  return [
    {
      kernel,
      views,
      params: packParams('uuuuuuuuuuu', count, height, width, ...pooled, ...size, ...stride, ...padding),
      workgroups: linearGrid(Math.ceil(count / 256)),
      work: 4 * windows * size[0] * size[1] + 4 * count,
    },
  ];
}
