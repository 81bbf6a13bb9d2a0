/**
 * The alignment score R(gamma) of the singular vectors of two networks (Ito, Yamada and Kumagai 2024; ALGORITHMS 4.5): whether the
 * directions that their layers amplify most are the same.
 *
 *   R = sum over layers l, pairs i, j of (u_i^A . u_j^B) (v_i^A . v_j^B) / sum over l of n_l
 *
 * over singular pairs with sigma_i >= gamma sigma_1, each network by its own sigma_1; n_l is how many pairs that leaves in the network that
 * has more of them, so that R is 1 only for equal subspaces, equally paired, and at most 1 (Cauchy and Schwarz). The sign that a singular
 * pair has by chance cancels. At gamma = 0 it is <polar factor of W_A, polar factor of W_B> / rank.
 */
import { packedMatmul } from '../../kernels/matmul/packed.ts';
import type { SingularValueDecomposition } from '../../kernels/svd/singular-value-decomposition.ts';
import type { Context } from '../../runtime/context.ts';
import { Scope } from '../../runtime/scope.ts';

/** Of one layer, at each gamma. */
export interface LayerAlignment {
  /** Sums over pairs. */
  readonly sum: number[];
  /** n_l. */
  readonly kept: number[];
}

/**
 * Sums of one layer.
 * @param a @param b decompositions of matrices of one shape; only pairs within their ranks count.
 * @param gammas each from 0 to 1.
 */
export async function layerAlignment(
  context: Context,
  a: SingularValueDecomposition,
  b: SingularValueDecomposition,
  gammas: readonly number[],
): Promise<LayerAlignment> {
  const [left, right] = [await innerProducts(context, a, b, 'u'), await innerProducts(context, a, b, 'v')];
  const size = a.singularValues.length;
  const sum: number[] = [];
  const kept: number[] = [];
  for (const gamma of gammas) {
    const [ofA, ofB] = [countAbove(a, gamma), countAbove(b, gamma)];
    let total = 0;
    for (let i = 0; i < ofA; i++)
      for (let j = 0; j < ofB; j++) total += left[i * size + j]! * right[i * size + j]!;
    sum.push(total);
    kept.push(Math.max(ofA, ofB));
  }
  return { sum, kept };
}

/** R at each gamma over some layers: 0 where nothing is kept. */
export function alignmentScores(layers: readonly LayerAlignment[]): { score: number[]; kept: number[] } {
  const gammas = layers[0]?.kept.length ?? 0;
  const total = (of: 'sum' | 'kept', at: number) => layers.reduce((sum, layer) => sum + layer[of][at]!, 0);
  const kept = Array.from({ length: gammas }, (_, at) => total('kept', at));
  return { score: kept.map((count, at) => (count === 0 ? 0 : total('sum', at) / count)), kept };
}

/** How many singular values, of those that are not noise, are at least gamma times the first. */
function countAbove({ singularValues, rank }: SingularValueDecomposition, gamma: number): number {
  const least = gamma * (singularValues[0] ?? 0);
  return singularValues.subarray(0, rank).filter((sigma) => sigma >= least).length;
}

/** All products of the columns of one side: [r, r]. */
async function innerProducts(
  context: Context,
  a: SingularValueDecomposition,
  b: SingularValueDecomposition,
  side: 'u' | 'v',
): Promise<Float32Array> {
  const size = a.singularValues.length;
  const scope = new Scope();
  try {
    const [x, y] = [a, b].map((found) =>
      scope.own(context.tensorFrom(found[side], [found[side].length / size, size])),
    );
    const output = scope.own(context.tensor([size, size]));
    context.record(...packedMatmul(context, { a: x!, b: y!, transposeA: true, output, numerics: 'f32' }));
    return await output.read();
  } finally {
    scope.destroy();
  }
}
