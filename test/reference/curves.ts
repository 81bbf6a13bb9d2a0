/**
 * Re-computes what a fixture's reference.json says about its pair: matchings, curves and variance ratios, by the preset `reference`.
 * The ResNets take an hour on two cores, so every finished point is kept.
 */
import { interpolate } from '../../src/kernels/arena/arena.ts';
import { stateEntries } from '../../src/nn/models/model.ts';
import { Evaluator } from '../../src/nn/train/evaluate.ts';
import type { GpuDataset } from '../../src/nn/train/gpu-dataset.ts';
import { findPermutations, provenSpec } from '../../src/rebasin/matching/match.ts';
import { PRESETS } from '../../src/rebasin/presets.ts';
import { type Renormalisation, renormaliserFactory } from '../../src/rebasin/renormalise/renormalisations.ts';
import { permuteValues } from '../../src/rebasin/spec/apply-permutation.ts';
import { ActivationStatistics } from '../../src/rebasin/statistics/activation-statistics.ts';
import { Arena, ArenaLayout } from '../../src/runtime/arena.ts';
import type { Context } from '../../src/runtime/context.ts';
import { type ReferenceModel, referenceData, referenceModel } from '../support/reference.ts';
import { KeptResults } from './kept-results.ts';

const preset = PRESETS.reference;

export interface Fixture {
  readonly name: string;
  readonly data: string;
  readonly evaluation: { readonly file: string; readonly limit?: number };
  readonly statistics: { readonly file: string; readonly limit: number };
  /** Taps that variance ratios are given for, by name. */
  readonly ratioTaps: 'normalised' | 'weighted';
  readonly renormalisation: Renormalisation;
}

/** The reference's names of matchings. */
export const MATCHINGS = {
  naive: { method: 'none', similarity: preset.similarity },
  wm: { method: 'weight', similarity: preset.similarity },
  am_corr: { method: 'activation', similarity: preset.similarity },
  am_inner: { method: 'activation', similarity: { ...preset.similarity, statistic: 'second-moment' } },
} as const;

export type MatchingName = keyof typeof MATCHINGS;

/** One point of a curve. */
export interface Point {
  readonly lambda: number;
  readonly loss: number;
  readonly accuracy: number;
  /** At lambda 0.5, by tap. */
  readonly varianceRatio?: Readonly<Record<string, number>>;
}

export interface MatchingNumbers {
  readonly permutations: Readonly<Record<string, readonly number[]>>;
  readonly groups: Readonly<Record<string, { readonly identity: number; readonly matched: number }>>;
}

export class ReferencePair {
  readonly #context: Context;
  readonly #fixture: Fixture;
  readonly #models: readonly [ReferenceModel, ReferenceModel];
  readonly #evaluation: GpuDataset;
  readonly #statistics: GpuDataset;
  readonly #results: KeptResults;

  static async open(context: Context, fixture: Fixture): Promise<ReferencePair> {
    const { name, data, evaluation, statistics } = fixture;
    return new ReferencePair(
      context,
      fixture,
      [await referenceModel(name, 'model-a.safetensors'), await referenceModel(name, 'model-b.safetensors')],
      await referenceData(context, name, data, evaluation.file, evaluation.limit),
      await referenceData(context, name, data, statistics.file, statistics.limit),
    );
  }

  private constructor(
    context: Context,
    fixture: Fixture,
    models: readonly [ReferenceModel, ReferenceModel],
    evaluation: GpuDataset,
    statistics: GpuDataset,
  ) {
    this.#context = context;
    this.#fixture = fixture;
    this.#models = models;
    this.#evaluation = evaluation;
    this.#statistics = statistics;
    this.#results = new KeptResults(fixture.name);
  }

  /** What matching by one of the reference's methods gives. */
  matching(name: MatchingName): Promise<MatchingNumbers> {
    return this.#results.once(`matching ${name}`, async () => {
      const [{ model, values: a }, { values: b }] = this.#models;
      const { spec } = await provenSpec(this.#context, model);
      const { permutations, details } = await findPermutations(this.#context, spec, {
        model,
        a,
        b,
        ...MATCHINGS[name],
        order: preset.order,
        statistics: this.#statistics,
      });
      return {
        permutations: Object.fromEntries(Object.entries(permutations).map(([group, p]) => [group, [...p]])),
        groups: details.groups ?? {},
      };
    });
  }

  /** The point at lambda after that matching, plain or re-normalised. */
  async point(name: MatchingName, renormalised: boolean, lambda: number): Promise<Point> {
    const { permutations } = await this.matching(name);
    const renormalisation = renormalised ? this.#fixture.renormalisation : 'none';
    return this.#results.once(`${name} ${renormalisation} ${lambda}`, async () => {
      const context = this.#context;
      const [{ model, values }, b] = this.#models;
      const { spec } = await provenSpec(context, model);
      const asArrays = Object.fromEntries(
        Object.entries(permutations).map(([group, p]) => [group, Int32Array.from(p)]),
      );
      const layout = new ArenaLayout(stateEntries(model));
      const ends = [new Arena(context, layout), new Arena(context, layout)] as const;
      const merged = new Arena(context, layout);
      const owned: { destroy(): void }[] = [...ends, merged];
      try {
        ends[0].write(values);
        ends[1].write(permuteValues(spec, asArrays, b.values));
        const [x, y] = [ends[0].windows, ends[1].windows];
        context.record(...interpolate(context, { a: x, b: y, lambda, output: merged.windows }));
        const renormaliser = renormaliserFactory(context, renormalisation, {
          ...preset.renormalisation,
          model,
          endpoints: ends,
          data: this.#statistics,
        })?.(merged);
        if (renormaliser) owned.push(renormaliser);
        await renormaliser?.correct([1 - lambda, lambda]);
        const evaluator = new Evaluator(context, model, [merged], this.#evaluation, 100);
        owned.push(evaluator);
        const { loss, accuracy } = await evaluator.evaluate();
        const varianceRatio = lambda === 0.5 ? await this.#varianceRatio(ends, merged) : undefined;
        return { lambda, loss, accuracy, ...(varianceRatio ? { varianceRatio } : {}) };
      } finally {
        for (const made of owned) made.destroy();
      }
    });
  }

  /** Mean over channels of the merged variance over that of the ends' average, over the statistics set. */
  async #varianceRatio(ends: readonly Arena[], merged: Arena): Promise<Record<string, number>> {
    const { model } = this.#models[0];
    const measure = async (arena: Arena) => {
      const statistics = new ActivationStatistics(this.#context, {
        model,
        arenas: [arena],
        wanted: ({ kind }) => kind === this.#fixture.ratioTaps,
        batchSize: 100,
      });
      try {
        return await statistics.measure(this.#statistics);
      } finally {
        statistics.destroy();
      }
    };
    const [a, b, m] = [await measure(ends[0]!), await measure(ends[1]!), await measure(merged)];
    const total = (values: Float64Array) => values.reduce((sum, value) => sum + value, 0);
    return Object.fromEntries(
      m.map(({ name, variance }, i) => [
        name,
        total(variance) / ((total(a[i]!.variance) + total(b[i]!.variance)) / 2),
      ]),
    );
  }

  destroy(): void {
    this.#evaluation.destroy();
    this.#statistics.destroy();
  }
}
