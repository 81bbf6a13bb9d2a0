/** The kernels of matrix products: the WGSL texts with their repetitions written out, made once and shared. */
import type { Kernel } from '../../runtime/kernel.ts';
import naiveText from './matmul_naive.wgsl';
import registerText from './matmul_register.wgsl';
import workgroupText from './matmul_workgroup.wgsl';
import { expand } from './template.ts';

const bindings = ['read', 'read', 'read', 'read_write'] as const;

/** One output an invocation: the definition. */
export const naiveKernel: Kernel = {
  name: 'matmul naive',
  file: 'src/kernels/matmul/matmul_naive.wgsl',
  wgsl: naiveText,
  bindings,
};

/** How an operand is read: vec4f along k, vec4f along the output's axis (m for a, n for b), or by scalars through its strides. */
export type OperandAccess = 'k' | 'axis' | 'scalar';

/** A register tile: `rows` x `columns` outputs an invocation, both multiples of 4. */
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
  const name = `matmul register ${rows}x${columns}${quad ? ' quad' : ''} a:${a} b:${b}`;
  let kernel = registerKernels.get(name);
  if (!kernel) {
    const wgsl = expand(registerText, {
      ROWS: rows,
      ROWQUADS: rows / 4,
      COLUMNS: columns,
      QUADS: columns / 4,
      QUAD: quad,
      SINGLE: !quad,
      LOADS: quad ? rows / 4 : rows, // of a, an invocation, where it is read row by row
      A4: a !== 'scalar',
      A1: a === 'scalar',
      A4_K: a === 'k',
      A4_M: a === 'axis',
      A_ROWS: a !== 'axis',
      B4: b !== 'scalar',
      B1: b === 'scalar',
      B4_K: b === 'k',
      B4_N: b === 'axis',
      TAIL: a !== 'k' && b !== 'k', // a vec4f along k means that k is a multiple of 4
    });
    kernel = { name, file: 'src/kernels/matmul/matmul_register.wgsl', wgsl, bindings };
    registerKernels.set(name, kernel);
  }
  return kernel;
}

/** Tiles in workgroup memory, `edge` x `edge` outputs an invocation, 8 edge x 8 edge a workgroup. */
function makeWorkgroupKernel(edge: 4 | 8): Kernel {
  return {
    name: `matmul workgroup ${8 * edge}x${8 * edge}`,
    file: 'src/kernels/matmul/matmul_workgroup.wgsl',
    wgsl: expand(workgroupText, { EDGE: edge, QUADS: edge / 4 }),
    bindings,
  };
}

export const workgroupKernels = {
  4: /* @__PURE__ */ makeWorkgroupKernel(4),
  8: /* @__PURE__ */ makeWorkgroupKernel(8),
} as const;
