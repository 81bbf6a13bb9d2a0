/**
 * Matrix products on software adapters whose subgroups are quads: where that pays, both operands are put into textures first, which
 * SwiftShader reads faster than buffers. Elsewhere, and with the same bits, `matmul`. A module of its own, so that an application that
 * only multiplies matrices need not ship it.
 */
import type { Context } from '../../runtime/context.ts';
import { type Dispatch, linearGrid, packParams, type TensorView } from '../../runtime/kernel.ts';
import { PackingTextures } from '../../runtime/packing-textures.ts';
import { PACKED_TILE, packedKernel, packKernel } from './kernels.ts';
import { type MatmulOperands, matmul, type Task, taskOf } from './matmul.ts';

/**
 * As `matmul`, faster for large products on SwiftShader. Textures that it needs belong to the context.
 * @returns what `matmul` does, or three dispatches: both operands packed, and multiplied.
 */
export function packedMatmul(context: Context, operands: MatmulOperands): Dispatch[] {
  const task = taskOf(context, operands);
  const textures = packs(task) ? texturesOf(context) : undefined;
  if (!textures || !fits(task, textures)) return matmul(context, operands);
  const { m, n, k, strides, epilogue, numerics } = task;
  const { a, b, bias, output } = operands;
  const pack = (matrix: TensorView, name: string, height: number, width: number, at: 0 | 2) => {
    const texture = textures.get(name, Math.ceil(width / 4), height);
    const dispatch: Dispatch = {
      kernel: packKernel(numerics),
      views: [matrix, texture],
      params: packParams('uuuu', height, width, strides[at], strides[at + 1]!),
      workgroups: [Math.ceil(width / 64), Math.ceil(height / 32), 1], // 16 texels across, 4 runs of 8 rows down
      work: height * width,
    };
    return { texture, dispatch };
  };
  const packedA = pack(a, 'matmul a', m, k, 0);
  const packedB = pack(b, 'matmul b', k, n, 2);
  const { rows, columns } = PACKED_TILE;
  const product: Dispatch = {
    kernel: packedKernel(k % 8 !== 0),
    views: [packedA.texture, packedB.texture, textures.sampler, bias ?? b, output],
    params: packParams('uuuu', m, n, k, epilogue),
    workgroups: linearGrid(Math.ceil(m / rows) * Math.ceil(n / (4 * columns))),
    work: m * n * k,
  };
  return [packedA.dispatch, packedB.dispatch, product];
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

function fits({ m, n, k }: Task, textures: PackingTextures): boolean {
  return textures.holds(Math.ceil(k / 4), m) && textures.holds(Math.ceil(n / 4), k);
}
