/**
 * Re-computes what a fixture's reference.json says about its pair: matchings, curves and variance ratios, by the preset `reference`.
 *
 * The ResNets take an hour on two cores, so every finished point is kept in `test/reference/results/<fixture>.json`, with a hash of the
 * sources it was computed by: a broken run goes on where it stopped, and a change to the engine starts anew.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
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

const root = resolve(import.meta.dirname, '../..');
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
  readonly #results: Map<string, unknown>;
  readonly #file: string;

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
    this.#file = resolve(root, `test/reference/results/${fixture.name}.json`);
    this.#results = readResults(this.#file);
  }

  /** What matching by one of the reference's methods gives. */
  matching(name: MatchingName): Promise<MatchingNumbers> {
    return this.#once(`matching ${name}`, async () => {
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
    return this.#once(`${name} ${renormalisation} ${lambda}`, async () => {
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

  /** A result from the file, or computed and kept there. */
  async #once<T>(key: string, compute: () => Promise<T>): Promise<T> {
    const known = this.#results.get(key);
    if (known !== undefined) return known as T;
    const started = performance.now();
    const made = await compute();
    console.info(`${this.#fixture.name}: ${key}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
    this.#results.set(key, made);
    mkdirSync(resolve(this.#file, '..'), { recursive: true });
    const lines = [['sources', sourcesHash()], ...this.#results].map(
      ([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`,
    );
    writeFileSync(`${this.#file}.new`, `{\n${lines.join(',\n')}\n}\n`);
    renameSync(`${this.#file}.new`, this.#file);
    return made;
  }

  destroy(): void {
    this.#evaluation.destroy();
    this.#statistics.destroy();
  }
}

/** Results by key, if they were computed by these very sources. */
function readResults(file: string): Map<string, unknown> {
  if (!existsSync(file)) return new Map();
  const { sources, ...results } = JSON.parse(readFileSync(file, 'utf8'));
  if (sources === sourcesHash()) return new Map(Object.entries(results));
  console.info(`${file} was computed by other sources: everything is computed anew`);
  return new Map();
}

let known: string | undefined;

/** SHA-256 of everything a result can depend on. */
function sourcesHash(): string {
  if (known) return known;
  const folders = ['base', 'runtime', 'kernels', 'nn', 'rebasin', 'io'];
  const files = folders
    .flatMap((folder) =>
      readdirSync(resolve(root, 'src', folder), { recursive: true, encoding: 'utf8' }).map(
        (file) => `src/${folder}/${file}`,
      ),
    )
    .filter((file) => /\.(ts|wgsl)$/.test(file))
    .sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(resolve(root, file)));
  known = hash.digest('hex');
  return known;
}
