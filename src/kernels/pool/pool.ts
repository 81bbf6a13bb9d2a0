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
import poolHalvesTemplate from './pool-halves.wgsl';
import unpoolTemplate from './unpool.wgsl';
import unpoolHalvesTemplate from './unpool-halves.wgsl';

/** Rows, then columns. */
export type Pair = readonly [number, number];

/** Windows over the planes of a tensor, PyTorch's numbers. */
export interface PoolWindow {
  /** Height and width of a window. */
  readonly kernel: Pair;
  /** Steps between windows. */
  readonly stride: Pair;
  /** At most half the kernel, as PyTorch wants, so that every window meets the plane. */
  readonly padding: Pair;
}

/** One pooling: a window over the planes of a tensor. */
export interface PoolCall extends PoolWindow {
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

/** A kernel for any window, and one for windows of 2 x 2 side by side in planes whose width is a multiple of 8. Same bits. */
interface PoolKernels {
  readonly general: Kernel;
  readonly halves: Kernel;
}

const declare = (binding: number, access: 'read' | 'read_write', name: string, element: string) =>
  `@group(0) @binding(${binding}) var<storage, ${access}> ${name}: array<${element}>;`;

function fill(template: string, replacements: Readonly<Record<string, string>>): string {
  return Object.entries(replacements).reduce((text, [from, to]) => text.replace(from, to), template);
}

function poolKernels(
  name: string,
  element: 'f32' | 'u32',
  general: { readonly begin: string; readonly step: string; readonly end: string },
  halves: () => string,
): PoolKernels {
  const bindings = ['read', 'read_write'] as const;
  return {
    general: {
      name,
      file: 'src/kernels/pool/pool.wgsl',
      wgsl: fill(poolTemplate, {
        '// {{output}}': declare(2, 'read_write', 'output', element),
        '// {{begin}}': general.begin,
        '// {{step}}': general.step,
        '// {{end}}': general.end,
      }),
      bindings,
    },
    halves: {
      name: `${name}, halves`,
      file: 'src/kernels/pool/pool-halves.wgsl',
      wgsl: fill(poolHalvesTemplate, {
        '// {{output}}': declare(2, 'read_write', 'output', element === 'f32' ? 'vec4f' : 'vec4u'),
        '// {{result}}': halves(),
      }),
      bindings,
    },
  };
}

const FIND_BEGIN = 'var place = h_start * params.width + w_start;\n    var largest = x[plane + place];';
const FIND_STEP =
  'if (value > largest) {\n          largest = value;\n          place = h * params.width + w;\n        }';
/** The first of equals: a later value takes over only when it is larger. */
const findLargestOfFour = (onLarger: (k: number) => string) =>
  [
    'var largest = values[0];',
    ...[1, 2, 3].map((k) => `${onLarger(k)}largest = select(largest, values[${k}], values[${k}] > largest);`),
  ].join('\n  ');
const maxKernels = /* @__PURE__ */ poolKernels(
  'max pool',
  'f32',
  { begin: FIND_BEGIN, step: FIND_STEP, end: 'output[at] = x[plane + place];' },
  () => `${findLargestOfFour(() => '')}\n  output[index] = largest;`,
);
const indicesKernels = /* @__PURE__ */ poolKernels(
  'max pool indices',
  'u32',
  { begin: FIND_BEGIN, step: FIND_STEP, end: 'output[at] = u32(place);' },
  () => `let first = 8u * r * params.width + 8u * q + vec4u(0u, 2u, 4u, 6u);
  let offsets = array(0u, 1u, 4u * params.width, 4u * params.width + 1u);
  var place = first;
  ${findLargestOfFour((k) => `place = select(place, first + offsets[${k}], values[${k}] > largest);\n  `)}
  output[index] = place;`,
);
const averageKernels = /* @__PURE__ */ poolKernels(
  'average pool',
  'f32',
  {
    begin: 'var total = 0.0;',
    step: 'total += value;',
    end: 'output[at] = total / f32(params.kernel_h * params.kernel_w);',
  },
  () => 'output[index] = (((values[0] + values[1]) + values[2]) + values[3]) / 4.0;',
);

function unpoolKernels(
  name: string,
  indices: boolean,
  general: { readonly term: string; readonly end: string },
  halves: { readonly begin: string; readonly part: (offset: string) => string },
): PoolKernels {
  const bindings = (element: string, index: string) => {
    const lines = indices ? [declare(2, 'read', 'indices', index)] : [];
    return [...lines, declare(2 + lines.length, 'read_write', 'output', element)].join('\n');
  };
  const access = [...Array<'read'>(indices ? 2 : 1).fill('read'), 'read_write' as const];
  return {
    general: {
      name,
      file: 'src/kernels/pool/unpool.wgsl',
      wgsl: fill(unpoolTemplate, {
        '// {{bindings}}': bindings('f32', 'u32'),
        '// {{term}}': general.term,
        '// {{end}}': general.end,
      }),
      bindings: access,
    },
    halves: {
      name: `${name}, halves`,
      file: 'src/kernels/pool/unpool-halves.wgsl',
      wgsl: fill(unpoolHalvesTemplate, {
        '// {{bindings}}': bindings('vec4f', 'vec4u'),
        '// {{begin}}': halves.begin,
        '/* {{top left}} */': halves.part('0u'),
        '/* {{top right}} */': halves.part('1u'),
        '/* {{bottom left}} */': halves.part('4u * params.width'),
        '/* {{bottom right}} */': halves.part('4u * params.width + 1u'),
      }),
      bindings: access,
    },
  };
}

const maxUnpoolKernels = /* @__PURE__ */ unpoolKernels(
  'max unpool',
  true,
  {
    term: 'total += select(0.0, dy[at], i32(indices[at]) == place);',
    end: 'output[plane + place] = total;',
  },
  {
    begin: 'let chosen = indices[window] - (8u * r * params.width + 8u * q + vec4u(0u, 2u, 4u, 6u));',
    part: (offset) => `select(vec4f(0.0), g, chosen == vec4u(${offset}))`,
  },
);
const averageUnpoolKernels = /* @__PURE__ */ unpoolKernels(
  'average unpool',
  false,
  {
    term: 'total += dy[at];',
    end: 'output[plane + place] = total / f32(params.kernel_h * params.kernel_w);',
  },
  { begin: '', part: () => 'g / 4.0' },
);

const gatherKernel: Kernel = {
  name: 'gather indices of planes',
  file: 'src/kernels/pool/gather-indices.wgsl',
  wgsl: gatherWgsl,
  bindings: ['read', 'read', 'read_write'],
};

/** The largest value of each window; padding never wins. @throws ShapeError when views do not fit. */
export function maxPool(_context: Context, call: PoolCall): Dispatch[] {
  return pool('maxPool', maxKernels, call);
}

/** Where each window's largest value lies, `h * W + w` (u32); the first of equals, as in PyTorch. @throws ShapeError */
export function maxPoolIndices(_context: Context, call: PoolCall): Dispatch[] {
  return pool('maxPoolIndices', indicesKernels, call);
}

/** The mean of each window, padding counted as zeros (PyTorch's `count_include_pad`). @throws ShapeError when views do not fit. */
export function averagePool(_context: Context, call: PoolCall): Dispatch[] {
  return pool('averagePool', averageKernels, call);
}

/**
 * Sends each value back to where its window's index points: the adjoint of max pooling.
 * @param call.input f32 [N, C, OH, OW] @param call.indices u32 of that shape @param call.output f32 [N, C, H, W]
 * @throws ShapeError when views do not fit.
 */
export function maxUnpool(_context: Context, call: PoolCall & { readonly indices: TensorView }): Dispatch[] {
  const { input, indices } = call;
  checkView('maxUnpool', 'indices', indices, 'u32', elementCount(input.shape));
  return unpool('maxUnpool', maxUnpoolKernels, call, { indices });
}

/** Spreads each value evenly over its window: the adjoint of average pooling, [N, C, OH, OW] to [N, C, H, W]. @throws ShapeError */
export function averageUnpool(_context: Context, call: PoolCall): Dispatch[] {
  return unpool('averageUnpool', averageUnpoolKernels, call, {});
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

function pool(caller: string, kernels: PoolKernels, call: PoolCall): Dispatch[] {
  const { input, output, kernel, stride, padding } = call;
  const [planes, plane] = planesOf(caller, 'input', input);
  const [height, width] = [input.shape[2]!, input.shape[3]!];
  const pooled = pooledSize(caller, [height, width], call);
  const outputs = planes * pooled[0] * pooled[1];
  checkView(caller, 'input', input, 'f32', planes * plane);
  checkView(caller, 'output', output, kernels === indicesKernels ? 'u32' : 'f32', outputs);
  checkSeparate(caller, { output }, { input });
  if (outputs === 0) return [];
  const halves = areHalves(call, width);
  return [
    {
      kernel: halves ? kernels.halves : kernels.general,
      views: [input, output],
      params: halves
        ? packParams('uuuuu', outputs / 4, height, width / 4, pooled[0], pooled[1] / 4)
        : packParams('uuuuuuuuuuu', outputs, height, width, ...pooled, ...kernel, ...stride, ...padding),
      workgroups: linearGrid(Math.ceil(outputs / 256)),
      work: 4 * outputs * kernel[0] * kernel[1],
    },
  ];
}

function unpool(
  caller: string,
  kernels: PoolKernels,
  call: PoolCall,
  others: Readonly<Record<string, TensorView>>,
): Dispatch[] {
  const { input, output, kernel, stride, padding } = call;
  const [planes, plane] = planesOf(caller, 'output', output);
  const [height, width] = [output.shape[2]!, output.shape[3]!];
  const pooled = pooledSize(caller, [height, width], call);
  checkView(caller, 'input', input, 'f32', planes * pooled[0] * pooled[1]);
  checkView(caller, 'output', output, 'f32', planes * plane);
  checkSeparate(caller, { output }, { input, ...others });
  if (planes === 0) return [];
  const views = [input, ...Object.values(others), output];
  const work = 4 * planes * (plane + pooled[0] * pooled[1] * kernel[0] * kernel[1]);
  if (areHalves(call, width)) {
    const blocks = (planes * Math.ceil(height / 2) * width) / 8;
    const params = packParams('uuuuu', blocks, height, width / 4, pooled[0], pooled[1] / 4);
    return [{ kernel: kernels.halves, views, params, workgroups: linearGrid(Math.ceil(blocks / 64)), work }];
  }
  const rows = Math.ceil((height + padding[0]) / stride[0]);
  const columns = Math.ceil((width + padding[1]) / stride[1]);
  const cells = planes * rows * columns;
  const sizes = [height, width, ...pooled, ...kernel, ...stride, ...padding];
  return [
    {
      kernel: kernels.general,
      views,
      params: packParams('uuuuuuuuuuuuu', cells, rows, columns, ...sizes),
      workgroups: linearGrid(Math.ceil(cells / 64)),
      work,
    },
  ];
}

/** Windows of 2 x 2 side by side, in rows of whole groups of eight. */
function areHalves({ kernel, stride, padding }: PoolWindow, width: number): boolean {
  const two = [...kernel, ...stride].every((size) => size === 2);
  return two && padding[0] === 0 && padding[1] === 0 && width % 8 === 0;
}
