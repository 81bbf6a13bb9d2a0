/** The kernels of matrix products: the WGSL texts with their repetitions written out, made once and shared. */
import type { Kernel, Numerics } from '../../runtime/kernel.ts';
import { SAMPLER, TEXTURE, WRITTEN_TEXTURE } from '../../runtime/packing-textures.ts';
import { kernelFamily } from '../numerics.ts';
import naiveText from './matmul_naive.wgsl';
import packText from './matmul_pack.wgsl';
import packedText from './matmul_packed.wgsl';
import registerText from './matmul_register.wgsl';
import workgroupText from './matmul_workgroup.wgsl';
import { expand } from './template.ts';

const bindings = ['read', 'read', 'read', 'read_write'] as const;

const kernelOf = /* @__PURE__ */ kernelFamily('matmul', 'matmul/matmul', bindings);

/** One output an invocation: the definition. */
export const naiveKernel = (numerics: Numerics) => kernelOf('naive', '', numerics, () => naiveText);

/** How an operand is read: vec4f along k, vec4f along the output's axis (m for a, n for b), or by scalars through its strides. */
export type OperandAccess = 'k' | 'axis' | 'scalar';

/** A register tile: `rows` x `columns` outputs an invocation, both multiples of 4. */
export interface RegisterTile {
  readonly rows: number;
  readonly columns: number;
  /** Four invocations side by side share what they load of a. Only where subgroups have exactly four invocations. */
  readonly quad: boolean;
}

/** Tiles that are used; the name says rows and columns. */
export const REGISTER_TILES = {
  '8x8': { rows: 8, columns: 8 },
  '8x4': { rows: 8, columns: 4 },
  '4x4': { rows: 4, columns: 4 },
  '16x8': { rows: 16, columns: 8 },
  '16x4': { rows: 16, columns: 4 },
  packed: { rows: 16, columns: 8 }, // what takes its place where no textures are used
} as const;

/** Register tiles without barriers. One kernel for each tile and pair of accesses that is used. */
export function registerKernel(
  tile: RegisterTile,
  a: OperandAccess,
  b: OperandAccess,
  numerics: Numerics,
): Kernel {
  const { rows, columns, quad } = tile;
  const traits = `${rows}x${columns}${quad ? ' quad' : ''} a:${a} b:${b}`;
  return kernelOf('register', traits, numerics, () =>
    expand(registerText, {
      ROWS: rows,
      ROWQUADS: rows / 4,
      COLUMNS: columns,
      QUADS: columns / 4,
      QUAD: quad,
      SINGLE: !quad,
      SWAPS: quad && a !== 'axis' ? 3 : 0, // the bits of the lane that say with whom
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
    }),
  );
}

const packKernelOf = /* @__PURE__ */ kernelFamily('matmul', 'matmul/matmul', ['read', WRITTEN_TEXTURE]);

/** Puts an operand into a texture, rounded as the class says: texels along k for a, across it for b. */
export const packKernel = (operand: 'a' | 'b', numerics: Numerics) =>
  packKernelOf('pack', operand, numerics, () =>
    expand(packText, { ALONG_K: operand === 'a', ACROSS: operand === 'b' }),
  );

const packedKernelOf = /* @__PURE__ */ kernelFamily('matmul', 'matmul/matmul', [
  TEXTURE,
  TEXTURE,
  SAMPLER,
  'read',
  'read_write',
]);

/** What an invocation of `packedKernel` computes; a workgroup is four of them side by side. */
export const PACKED_TILE = { rows: 32, columns: 16 } as const;

/** Register tiles from operands in textures. `four`: n is a multiple of 4. */
export function packedKernel(four: boolean): Kernel {
  const { rows, columns } = PACKED_TILE;
  return packedKernelOf('packed', four ? 'four' : '', 'f32', () =>
    expand(packedText, {
      ROWS: rows,
      ROWQUADS: rows / 4,
      COLUMNS: columns,
      QUADS: columns / 4,
      OUT4: four,
      OUT1: !four,
    }),
  );
}

/** A tile in workgroup memory. */
export interface WorkgroupTile {
  readonly rows: number;
  readonly columns: number;
  /** Invocations across and down. */
  readonly threads: readonly [number, number];
  /** Elements along k that are copied at a time. */
  readonly step: number;
}

/** Largest first; the name says rows and columns. Two buffers of each fit into the 16 KiB that every adapter has. */
export const WORKGROUP_TILES: Readonly<Record<string, WorkgroupTile>> = {
  '128x128': { rows: 128, columns: 128, threads: [16, 16], step: 8 },
  '64x64': { rows: 64, columns: 64, threads: [8, 8], step: 16 },
  '64x32': { rows: 64, columns: 32, threads: [8, 8], step: 16 },
  '32x32': { rows: 32, columns: 32, threads: [8, 8], step: 16 },
};

/** Tiles in workgroup memory, for sizes of which it is known at compile time whether they are multiples of the tile. */
export function workgroupKernel(
  tileName: string,
  a: OperandAccess,
  b: OperandAccess,
  { m, n, k }: { readonly m: number; readonly n: number; readonly k: number },
  numerics: Numerics,
): Kernel {
  const { rows, columns, threads, step } = WORKGROUP_TILES[tileName]!;
  const fits = m % rows === 0 && n % columns === 0;
  const steps = k % step === 0;
  const four = n % 4 === 0;
  const traits = `${fits ? ' fits' : ''}${steps ? ' steps' : ''}${four ? ' four' : ''}`;
  return kernelOf('workgroup', `${tileName} a:${a} b:${b}${traits}`, numerics, () => {
    const [threadsX, threadsY] = threads;
    const [blocksA, blocksB] = [(step * rows) / 16, (step * columns) / 16];
    const either = blocksA + blocksB <= threadsX * threadsY;
    return expand(workgroupText, {
      STEP: step,
      TILE_M: rows,
      TILE_N: columns,
      THREADS_X: threadsX,
      THREADS_Y: threadsY,
      ROWBLOCKS: rows / (4 * threadsY),
      COLUMNBLOCKS: columns / (4 * threadsX),
      EITHER: either,
      BOTH: !either,
      ALL_B: blocksB === threadsX * threadsY,
      SOME_B: blocksB < threadsX * threadsY,
      A4: a !== 'scalar',
      A_K: a === 'k',
      A_M: a === 'axis',
      A_SCALAR: a === 'scalar',
      B4: b !== 'scalar',
      B_K: b === 'k',
      B_N: b === 'axis',
      B_SCALAR: b === 'scalar',
      FITS: fits,
      EDGES: !fits,
      STEPS: steps,
      TAIL: !steps,
      OUT4: four,
      OUT1: !four,
    });
  });
}
