/**
 * Matrix products on software adapters whose subgroups are quads: where that pays, both operands are put into textures first, which
 * SwiftShader reads faster than buffers. Elsewhere, and with the same bits, `matmul`. A module of its own, so that an application that
 * only multiplies matrices need not ship it.
 */
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, linearGrid, packParams, type TensorView } from '../../runtime/kernel.ts';
import { type PackingTexture, PackingTextures } from '../../runtime/packing-textures.ts';
import { PACKED_TILE, packedKernel, packKernel } from './kernels.ts';
import { type MatmulOperands, matmul, type Task, taskOf } from './matmul.ts';

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

/** Of k, in a row of texels. */
const CHUNK = 512;

/** Texels across and down for an operand of so many rows (a) or columns (b): as matmul_pack.wgsl writes them. */
function textureSize(operand: 'a' | 'b', lines: number, k: number): [width: number, height: number] {
  const across = Math.ceil(Math.min(k, CHUNK) / 8) * 8;
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
 * Where asked for, or where packing takes less time than it saves: an element costs some 5 ns to pack and saves 0.15 ns for each product it
 * is part of (measured). Small products are not worth the 0.3 s that the kernel takes to compile.
 */
function packs({ variant, tile, m, n, k }: Task): boolean {
  const pays = m * n * k >= 2 ** 23 && m * n >= 40 * (m + n);
  return variant === 'quad' && m * n * k > 0 && (tile === undefined ? pays : tile === 'packed');
}
