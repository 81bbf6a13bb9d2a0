/**
 * Bias calibration (Qu and Horvath 2025, "Vanishing Feature", section on bias calibration; needs no data): in layer h = 1, 2, ...
 *
 *   b_h = sum over models k of c_k^h b_h,k     instead of     sum of c_k b_h,k.
 *
 * Merging shrinks what reaches layer h through the weights by about c_k in each layer, so a bias must shrink with depth to stay in
 * proportion to it. With one model alone (c = 1) nothing changes, so the ends of a sweep are exact.
 */
import { OptionError } from '../../base/errors.ts';
import { axpy, scale } from '../../kernels/arena/arena.ts';
import type { Model } from '../../nn/models/model.ts';
import type { Arena } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { plainChain } from './layers.ts';
import type { Renormaliser } from './renormaliser.ts';

/** Corrects biases by the networks' own, without data. */
export class BiasCalibration implements Renormaliser {
  readonly #context: Context;
  readonly #merged: Arena;
  readonly #endpoints: readonly Arena[];
  /** Name of each bias and the depth of its layer, from 1. */
  readonly #biases: readonly { readonly name: string; readonly depth: number }[];

  /**
   * @param endpoints the merged models, aligned, in arenas of the merged one's layout. All arenas stay the caller's.
   * @throws UnsupportedError for networks with norms, branches or activations other than ReLU: a layer's depth says nothing there.
   */
  constructor(context: Context, merged: Arena, model: Model, endpoints: readonly Arena[]) {
    this.#biases = plainChain('bias calibration', model).flatMap(({ bias }, index) =>
      bias === undefined ? [] : [{ name: bias, depth: index + 1 }],
    );
    this.#context = context;
    this.#merged = merged;
    this.#endpoints = endpoints;
  }

  async correct(coefficients: readonly number[]): Promise<void> {
    if (coefficients.length !== this.#endpoints.length) {
      throw new OptionError(
        `bias calibration: ${this.#endpoints.length} models need as many coefficients, got ${coefficients.length}`,
      );
    }
    const outside = coefficients.find((share) => !(share >= 0 && share <= 1));
    if (outside !== undefined) {
      throw new OptionError(
        `bias calibration: shares must be from 0 to 1, got ${outside}; powers of a negative share change sign from layer to layer`,
      );
    }
    const context = this.#context;
    for (const { name, depth } of this.#biases) {
      const output = [this.#merged.view(name)];
      for (const [k, endpoint] of this.#endpoints.entries()) {
        let alpha = 1;
        for (let h = 0; h < depth; h++) alpha *= coefficients[k]!;
        const x = [endpoint.view(name)];
        context.record(
          ...(k === 0 ? scale(context, { alpha, x, output }) : axpy(context, { alpha, x, y: output })),
        );
      }
    }
  }

  destroy(): void {}
}
