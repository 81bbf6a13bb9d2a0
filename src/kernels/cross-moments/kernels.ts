/** The kernels of cross moments: the WGSL texts with their repetitions written out, made once and shared. */
import type { Kernel } from '../../runtime/kernel.ts';
import { expand } from '../matmul/template.ts';
import libraryText from './cross_moments.wgsl';
import naiveText from './cross_moments_naive.wgsl';
import registerText from './cross_moments_register.wgsl';
import workgroupText from './cross_moments_workgroup.wgsl';

const bindings = ['read', 'read', 'read', 'read', 'read_write'] as const;

/** One element an invocation: the definition. */
export const naiveKernel: Kernel = {
  name: 'cross moments naive',
  file: 'src/kernels/cross-moments/cross_moments_naive.wgsl',
  wgsl: /* @__PURE__ */ naiveText.concat(libraryText),
  bindings,
};

/** How an operand is read: vec4f along k (both or none), vec4f along its channels, or by scalars. */
export type OperandAccess = 'k' | 'axis' | 'scalar';

/** A register tile: `rows` x `columns` elements an invocation, both multiples of 4. */
export interface RegisterTile {
  readonly rows: number;
  readonly columns: number;
  /** Four invocations side by side share what they load of a. Only where subgroups have exactly four invocations. */
  readonly quad: boolean;
}

const registerKernels = new Map<string, Kernel>();

/** Register tiles without barriers. One kernel for each tile and pair of accesses that is used. */
export function registerKernel(tile: RegisterTile, a: OperandAccess, b: OperandAccess): Kernel {
  const { rows, columns, quad } = tile;
  const name = `cross moments register ${rows}x${columns}${quad ? ' quad' : ''} a:${a} b:${b}`;
  let kernel = registerKernels.get(name);
  if (!kernel) {
    const alongK = a === 'k';
    const wgsl = expand(registerText, {
      ROWS: rows,
      ROWQUADS: rows / 4,
      COLUMNS: columns,
      QUADS: columns / 4,
      QUAD: quad,
      SWAPS: quad && a !== 'axis' ? 3 : 0, // the bits of the lane that say with whom
      SINGLE: !quad,
      LOADS: quad ? rows / 4 : rows, // of a, an invocation, where it is read row by row
      A4: a !== 'scalar',
      A_K: a === 'k',
      A_AXIS: a === 'axis',
      A_SCALAR: a === 'scalar',
      A_ROWS: a !== 'axis',
      B4: b !== 'scalar',
      B_K: b === 'k',
      B_AXIS: b === 'axis',
      B_SCALAR: b === 'scalar',
      B_COLUMNS: b !== 'axis',
      WALK: a !== 'axis' || b !== 'axis',
      PACK: alongK ? 4 : 1, // elements of the binding's element along k
      STEPS: alongK ? 1 : 4, // loads that a turn of four k takes
      TAIL: !alongK, // a vec4f along k means that k is a multiple of 4
    });
    const file = 'src/kernels/cross-moments/cross_moments_register.wgsl';
    kernel = { name, file, wgsl: wgsl + libraryText, bindings };
    registerKernels.set(name, kernel);
  }
  return kernel;
}

/** Tiles in workgroup memory, `edge` x `edge` elements an invocation, 8 edge x 8 edge a workgroup. */
function makeWorkgroupKernel(edge: 4 | 8): Kernel {
  return {
    name: `cross moments workgroup ${8 * edge}x${8 * edge}`,
    file: 'src/kernels/cross-moments/cross_moments_workgroup.wgsl',
    wgsl: expand(workgroupText, { EDGE: edge, QUADS: edge / 4 }) + libraryText,
    bindings,
  };
}

export const workgroupKernels = {
  4: /* @__PURE__ */ makeWorkgroupKernel(4),
  8: /* @__PURE__ */ makeWorkgroupKernel(8),
} as const;
