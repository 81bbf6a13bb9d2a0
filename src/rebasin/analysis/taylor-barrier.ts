/**
 * The Taylor estimate of the loss barrier (Ito, Yamada and Kumagai 2024, arXiv 2402.04051; ALGORITHMS 4.2): what the barrier between two
 * networks would be if the loss were quadratic about each of them as far as the other.
 *
 * On the line theta(lambda) = (1 - lambda) A + lambda B let delta = B - A, g the gradient and H the Hessian of the mean loss L. About A,
 * theta = A + lambda delta, and about B, theta = B - (1 - lambda) delta, so to second order
 *
 *   L(theta) ~ L_A + lambda <g_A, delta> + lambda^2 / 2 <delta, H_A delta>,
 *   L(theta) ~ L_B - (1 - lambda) <g_B, delta> + (1 - lambda)^2 / 2 <delta, H_B delta>.
 *
 * Their mean with weights 1 - lambda and lambda is the straight line between L_A and L_B and, over it,
 *
 *   E(lambda) = lambda (1 - lambda) [<g_A - g_B, delta> + lambda / 2 <delta, H_A delta> + (1 - lambda) / 2 <delta, H_B delta>],
 *
 * exact where L is quadratic. (The paper counts lambda from B: its lambda is 1 - lambda here, its mu is -delta.) The barrier is the
 * largest E. Where that is far from the barrier that was measured, the networks are not close: what makes the line flat is not curvature.
 */
import { HessianVector } from '../../nn/hessian-vector.ts';
import { type Model, stateEntries } from '../../nn/models/model.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { Scope } from '../../runtime/scope.ts';

/** At one end of a line, along all of it: delta leads from A to B at both ends. */
export interface EndDerivatives {
  /** <g, delta>. */
  readonly slope: number;
  /** <delta, H delta>. */
  readonly curvature: number;
}

/** A barrier estimated from losses, slopes and curvatures at both ends. */
export interface TaylorEstimate {
  /** The largest estimated excess over the straight line between the ends; 0 where there is none. */
  readonly barrier: number;
  /** Where that is; undefined where the barrier is 0. */
  readonly lambda: number | undefined;
  /** Estimated excess at each lambda that was asked for; negative below the line. */
  readonly excess: readonly number[];
}

/**
 * The estimate from derivatives at both ends. E is a cubic that is 0 at both ends: its greatest value lies at a root of a quadratic.
 * @param lambda where to give the excess
 */
export function taylorEstimate(
  a: EndDerivatives,
  b: EndDerivatives,
  lambda: readonly number[],
): TaylorEstimate {
  // E = lambda (1 - lambda) (constant + linear lambda)
  const constant = a.slope - b.slope + b.curvature / 2;
  const linear = (a.curvature - b.curvature) / 2;
  const excessAt = (at: number) => at * (1 - at) * (constant + linear * at) + 0; // never -0
  const excess = lambda.map(excessAt);
  if (!Number.isFinite(constant) || !Number.isFinite(linear)) {
    return { barrier: Number.NaN, lambda: undefined, excess };
  }
  let best: { at: number; value: number } | undefined;
  for (const at of extrema(constant, linear)) {
    const value = excessAt(at);
    if (at > 0 && at < 1 && value > (best?.value ?? 0)) best = { at, value };
  }
  return { barrier: best?.value ?? 0, lambda: best?.at, excess };
}

/** Where lambda (1 - lambda) (c + d lambda) has slope 0: 3 d lambda^2 - 2 (d - c) lambda - c = 0, solved without cancellation. */
function extrema(c: number, d: number): number[] {
  const half = d - c;
  const root = Math.sqrt(c * c + c * d + d * d); // of half^2 + 3 c d, as a sum that is never negative
  const sum = half + (half < 0 ? -root : root);
  return sum === 0 ? [] : [sum / (3 * d), -c / sum];
}

/** Of `taylorBarrier`. */
export interface TaylorBarrierOptions {
  /** The architecture. */
  readonly model: Model;
  /** The ends, by name, exactly the model's entries. */
  readonly a: HostTensors;
  /** f32 by name, every entry of the model. Read, never changed. */
  readonly b: HostTensors;
  /** Images of which L is the mean loss. */
  readonly data: GpuDataset;
  /** Where to give the loss. */
  readonly lambda: readonly number[];
  /** See `HessianVector`. */
  readonly batchSize?: number;
  /** Called with the number of samples done, of twice the data set. */
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
  /** Stops the work: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** The barrier that the loss would have if slope and curvature at both ends said all. */
export interface TaylorBarrier extends TaylorEstimate {
  /** A and B: mean loss, and the derivatives along the line. */
  readonly ends: readonly [
    EndDerivatives & { readonly loss: number },
    EndDerivatives & { readonly loss: number },
  ];
  /** Estimated loss at each lambda. */
  readonly loss: readonly number[];
}

/**
 * The estimate for two networks, with exact Hessian-vector products: one pass over the data for each.
 *
 * It is of the line that `sweep` draws without re-normalisation, so everything that is mixed there counts: running statistics of batch
 * norm, too. Of ReLU networks each Hessian is that of the linear piece on which the end lies.
 * @throws ShapeError or FormatError where data or values do not fit; the signal's reason when aborted.
 */
export async function taylorBarrier(
  context: Context,
  { model, a, b, data, lambda, batchSize, onProgress, signal }: TaylorBarrierOptions,
): Promise<TaylorBarrier> {
  const scope = new Scope();
  try {
    const entries = stateEntries(model);
    const arena = scope.own(new Arena(context, new ArenaLayout(entries), 'end of a line'));
    arena.write(b); // before anything is subtracted: it names what does not fit
    arena.write(a);
    const delta = new Map(
      entries.map(({ name }) => [name, b.get(name)!.map((value, i) => value - a.get(name)![i]!)]),
    );
    const hessian = scope.own(
      new HessianVector(context, {
        ...{ model, arenas: [arena], data, variables: 'all' },
        ...(batchSize === undefined ? {} : { batchSize }),
      }),
    );
    const derive = async (done: number) => {
      const { loss, slope, curvature } = await hessian.along(delta, {
        signal,
        onProgress: (samples) => onProgress?.({ done: done + samples, total: 2 * data.count }),
      });
      return { loss, slope, curvature };
    };
    const atA = await derive(0);
    arena.write(b);
    const atB = await derive(data.count);
    const estimate = taylorEstimate(atA, atB, lambda);
    const loss = lambda.map((at, i) => (1 - at) * atA.loss + at * atB.loss + estimate.excess[i]!);
    return { ...estimate, ends: [atA, atB], loss };
  } finally {
    scope.destroy();
  }
}
