/** What jobs work with: a context, images on the GPU, and trained networks from the store. */
import { DataError } from '../base/errors.ts';
import { COLOUR_IMAGES_NORMALISATION, colourImages } from '../io/colour-images.ts';
import { type ImageDataset, limitDataset } from '../io/dataset.ts';
import { DIGITS_NORMALISATION, digits } from '../io/digits.ts';
import { biasedHalves } from '../io/split.ts';
import type { Model } from '../nn/models/model.ts';
import { parseModel } from '../nn/models/parse-model.ts';
import { readStateDict, valuesOf } from '../nn/state-dict.ts';
import { GpuDataset, type Normalisation } from '../nn/train/gpu-dataset.ts';
import type { Context } from '../runtime/context.ts';
import type { DataSpec, TrainSpec } from './job-spec.ts';
import { checkpointName, type ResultStore } from './result-store.ts';

/** Images that a study names. */
export interface StudyImages {
  readonly train: ImageDataset;
  readonly test: ImageDataset;
  readonly normalisation: Normalisation;
}

/** Finds images that are not built in. @throws OptionError when it cannot. */
export type ImageSource = (name: string) => Promise<StudyImages>;

export interface WorkbenchOptions {
  readonly store: ResultStore;
  readonly source: ImageSource;
  readonly signal?: AbortSignal | undefined;
  /** Progress of the job at hand. */
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/** Images of the built-in sets where a spec gives no number. */
const TRAIN = 10_000;
const TEST = 2_000;

export class Workbench {
  readonly context: Context;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: WorkbenchOptions['onProgress'];
  readonly #options: WorkbenchOptions;
  readonly #hosts = new Map<string, Promise<StudyImages>>();
  readonly #uploaded = new Map<string, GpuDataset>();

  /** The caller destroys it, and keeps the context. */
  constructor(context: Context, options: WorkbenchOptions) {
    this.context = context;
    this.signal = options.signal;
    this.onProgress = options.onProgress;
    this.#options = options;
  }

  /** Images on the host. */
  async images(spec: DataSpec): Promise<StudyImages> {
    const key = JSON.stringify([spec.name, spec.train, spec.test]);
    const known = this.#hosts.get(key);
    if (known) return await known;
    const found = this.#load(spec);
    this.#hosts.set(key, found);
    return await found;
  }

  /** The images that a network was trained on, on the host. */
  async training({ data, half }: TrainSpec): Promise<ImageDataset> {
    const { train } = await this.images(data);
    return half ? biasedHalves(train, 0)[half - 1]! : train;
  }

  /** The same on the GPU: the workbench's, kept until it is destroyed. */
  async uploadTraining(spec: TrainSpec): Promise<GpuDataset> {
    const key = JSON.stringify([spec.data.name, spec.data.train, spec.data.test, 'train', spec.half]);
    return await this.#upload(key, spec.data, () => this.training(spec));
  }

  /** Test images on the GPU: the workbench's, kept until it is destroyed. */
  async uploadTest(spec: DataSpec): Promise<GpuDataset> {
    const key = JSON.stringify([spec.name, spec.train, spec.test, 'test']);
    return await this.#upload(key, spec, async () => (await this.images(spec)).test);
  }

  async #upload(key: string, spec: DataSpec, load: () => Promise<ImageDataset>): Promise<GpuDataset> {
    const known = this.#uploaded.get(key);
    if (known) return known;
    const { normalisation } = await this.images(spec);
    const uploaded = new GpuDataset(this.context, await load(), normalisation);
    this.#uploaded.set(key, uploaded);
    return uploaded;
  }

  async #network(spec: TrainSpec): Promise<Map<string, Float32Array>> {
    const name = checkpointName(spec);
    const bytes = await this.#options.store.read(name);
    if (!bytes) throw new DataError(`study: ${name} is missing: run the job that trains it first`);
    return valuesOf(await readStateDict(bytes, name));
  }

  /** The values of networks, in order, and the model that they all have. @throws DataError when one was not trained or differs. */
  async networks(
    specs: readonly TrainSpec[],
  ): Promise<{ model: Model; values: Map<string, Float32Array>[] }> {
    const names = [...new Set(specs.map(({ model }) => model))];
    if (names.length !== 1)
      throw new DataError(`study: networks of one job are of different models: ${names.join(', ')}`);
    const values: Map<string, Float32Array>[] = [];
    for (const spec of specs) values.push(await this.#network(spec));
    return { model: parseModel(names[0]!), values };
  }

  destroy(): void {
    for (const images of this.#uploaded.values()) images.destroy();
  }

  async #load({ name, train, test }: DataSpec): Promise<StudyImages> {
    const builtIn = { digits, colours: colourImages }[name];
    if (builtIn) {
      return {
        train: builtIn({ count: train ?? TRAIN, seed: 0, split: 'train' }),
        test: builtIn({ count: test ?? TEST, seed: 0, split: 'test' }),
        normalisation: name === 'digits' ? DIGITS_NORMALISATION : COLOUR_IMAGES_NORMALISATION,
      };
    }
    const found = await this.#options.source(name);
    return {
      train: train === undefined ? found.train : limitDataset(found.train, train),
      test: test === undefined ? found.test : limitDataset(found.test, test),
      normalisation: found.normalisation,
    };
  }
}
