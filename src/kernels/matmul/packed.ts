/**
 * Matrix products on software adapters whose subgroups are quads: where that pays, both operands are put into textures first, which
 * SwiftShader reads faster than buffers. Elsewhere, and with the same bits, `matmul`. A module of its own, so that an application that
 * only multiplies matrices need not ship it.
 */
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, linearGrid, packParams, type TensorView } from '../../runtime/kernel.ts';
import { type PackingTexture, PackingTextures } from '../../runtime/packing-textures.ts';
import { PACKED_TILE, packedKernel, packKernel } from './kernels.ts';
import { CHUNK, type MatmulOperands, matmul, type Task, taskOf } from './matmul.ts';

/**
 * As `matmul`, faster for large products on SwiftShader. Textures that it needs belong to the context.
 * @returns what `matmul` does, or three dispatches: both operands packed, and multiplied.
 */
export function packedMatmul(context: Context, operands: MatmulOperands): Dispatch[] {
  const task = taskOf(context, operands);
  const textures = packs(task) ? texturesOf(context) : undefined;
  const [sizeA, sizeB] = [textureSize('a', task.m, task.k), textureSize('b', task.n, task.k)];
  if (!textures?.holds(...sizeA) || !textures.holds(...sizeB)) return matmul(context, operands);
  const { m, n, k, strides, epilogue, numerics } = task;
  const { a, b, bias, output } = operands;
  const textureA = textures.get('matmul a', ...sizeA);
  const textureB = textures.get('matmul b', ...sizeB);
  const pack = (
    operand: 'a' | 'b',
    matrix: TensorView,
    texture: PackingTexture,
    params: number[],
  ): Dispatch => {
    const [width, height] = operand === 'a' ? sizeA : sizeB;
    return {
      kernel: packKernel(operand, numerics),
      views: [matrix, texture],
      params: packParams('uuuuu', ...params, Math.ceil(k / CHUNK)),
      workgroups: [Math.ceil(width / 128), Math.ceil(height / 8), 1],
      work: params[0]! * k,
    };
  };
  const { rows, columns } = PACKED_TILE;
  const product: Dispatch = {
    kernel: packedKernel(n % 4 === 0),
    views: [textureA, textureB, textures.sampler, bias ?? b, output],
    params: packParams('uuuu', m, n, k, epilogue),
    workgroups: linearGrid(Math.ceil(m / rows) * Math.ceil(n / (4 * columns))),
    work: m * n * k,
  };
  return [
    pack('a', a, textureA, [m, k, strides[0], strides[1]]),
    pack('b', b, textureB, [n, k, strides[3], strides[2]]),
    product,
  ];
}

/** Texels across and down for an operand of so many rows (a) or columns (b): as matmul_pack.wgsl writes them. */
function textureSize(operand: 'a' | 'b', lines: number, k: number): [width: number, height: number] {
  const across = roundUp(Math.min(k, CHUNK), 16);
  const chunks = Math.ceil(k / CHUNK);
  return operand === 'a'
    ? [across, Math.ceil(lines / 4) * chunks]
    : [4 * across, Math.ceil(lines / 16) * chunks];
}

function texturesOf({ attachments, device, guard }: Context): PackingTextures {
  const known = attachments.get(PackingTextures) as PackingTextures | undefined;
  if (known) return known;
  const made = new PackingTextures(device, guard);
  attachments.set(PackingTextures, made);
  return made;
}

/**
 * Where asked for, or where packing saves at least 0.2 ms: less is not worth the 1.3 s that the kernels take to compile. Nanoseconds: of
 * packed products 0.086 each (tiles that reach past the edge are computed whole), 0.92 an output, 1.8 an element packed, 0.15 ms for three
 * dispatches in place of one; of others 0.2 and 7.5. Measured on one machine (docs/performance.md): it is their proportions that count.
 */
function packs({ variant, tile, m, n, k }: Task): boolean {
  if (variant !== 'quad' || m * n * k === 0) return false;
  if (tile !== undefined) return tile === 'packed';
  const { rows, columns } = PACKED_TILE;
  const products = roundUp(m, rows) * roundUp(n, 4 * columns) * roundUp(k, 16);
  const packed = 0.086 * products + 0.92 * m * n + 1.8 * (m + n) * k + 1.5e5;
  const unpacked = 0.2 * roundUp(m, 16) * roundUp(n, 16) * roundUp(k, 4) + 7.5 * m * n;
  return unpacked - packed >= 2e5;
}

const roundUp = (size: number, step: number) => Math.ceil(size / step) * step;
