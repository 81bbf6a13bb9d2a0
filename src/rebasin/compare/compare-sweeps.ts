/** Sweeps from A to permuted Bs with one re-normalisation after another: arenas are made once for each set of parameters. */
import { type Model, stateEntries } from '../../nn/models/model.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { CalibratedLoss, ComparedCurve, ComparedRow } from '../../report/results.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { Scorer } from '../interpolation/scores.ts';
import { sweep } from '../interpolation/sweep.ts';
import {
  type Renormalisation,
  renormalisedModel,
  renormaliserFactory,
  withZeroBiases,
} from '../renormalise/renormalisations.ts';
import type { ComparedSplit, CompareOptions } from './compare.ts';

interface Ends {
  readonly model: Model;
  readonly a: Arena;
  readonly b: Arena;
}

export class PairSweeps {
  readonly #context: Context;
  readonly #options: CompareOptions;
  /** By the name of the model, which has biases where a re-normalisation needs them. */
  readonly #ends = new Map<string, Ends>();

  /** The caller destroys it; images stay the caller's. */
  constructor(context: Context, options: CompareOptions) {
    this.#context = context;
    this.#options = options;
  }

  /**
   * One sweep, each data set's curve with the loss that calibration leaves half-way.
   * @param aligned B permuted. @param onPart called with the part that is done, from 0 to 1.
   */
  async sweep(
    renormalise: Renormalisation,
    aligned: HostTensors,
    onPart: (part: number) => void,
  ): Promise<Omit<ComparedRow['runs'][number], 'seed'>> {
    const { lambda, data, statistics, renormalisation, ends = 'raw', signal } = this.#options;
    const started = performance.now();
    const { model, a, b } = this.#endsOf(renormalisedModel(renormalise, this.#options.model));
    b.write(withZeroBiases(model, aligned));
    const splits = (['train', 'test'] as const).flatMap((split) => {
      const images = data[split];
      return images ? [{ split, images }] : [];
    });
    const calibrated = new Map<ComparedSplit, CalibratedLoss>();
    const halfWay = lambda.indexOf(0.5);
    const curves = await sweep(this.#context, {
      model,
      a,
      b,
      lambda,
      data: Object.fromEntries(splits.map(({ split, images }) => [split, images])),
      renormalise: renormaliserFactory(this.#context, renormalise, {
        ...renormalisation,
        model,
        endpoints: [a, b],
        data: statistics,
      }),
      ends,
      observe: async (merged, point) => {
        if (point !== halfWay) return;
        for (const { split, images } of splits) {
          calibrated.set(split, await this.#calibrate(model, merged, images));
        }
      },
      onProgress: ({ done, total }) => onPart(done / total),
      ...(signal ? { signal } : {}),
    });
    const found = splits.map(({ split }): readonly [ComparedSplit, ComparedCurve] => [
      split,
      { ...curves[split]!, calibrated: calibrated.get(split)! },
    ]);
    return { seconds: (performance.now() - started) / 1000, ...Object.fromEntries(found) };
  }

  async #calibrate(model: Model, merged: Arena, images: GpuDataset): Promise<CalibratedLoss> {
    const scorer = new Scorer(this.#context, model, merged, images);
    try {
      return (await scorer.score(this.#options.signal)).score.calibrated;
    } finally {
      scorer.destroy();
    }
  }

  #endsOf(model: Model): Ends {
    const known = this.#ends.get(model.name);
    if (known) return known;
    const layout = new ArenaLayout(stateEntries(model));
    const ends = {
      model,
      a: new Arena(this.#context, layout, 'A'),
      b: new Arena(this.#context, layout, 'B permuted'),
    };
    this.#ends.set(model.name, ends);
    ends.a.write(withZeroBiases(model, this.#options.a));
    return ends;
  }

  destroy(): void {
    for (const { a, b } of this.#ends.values()) {
      a.destroy();
      b.destroy();
    }
  }
}
