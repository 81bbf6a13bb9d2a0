/** The two networks of the last story, on the GPU, mixed at any point of both lines: what the slider asks, and what is saved. */
import {
  Arena,
  type Context,
  checkpointMetadata,
  type Endpoints,
  Evaluator,
  GpuDataset,
  type HostTensors,
  type ImageDataset,
  interpolate,
  type Model,
  type Normalisation,
  type Renormalisation,
  type Renormaliser,
  stateDictOf,
  stateEntries,
  uploadEndpoints,
  writeStateDict,
} from 'rebasin';
import type { LineName } from './line-name.ts';

export interface StoryNetworksOptions {
  readonly model: Model;
  readonly a: HostTensors;
  /** The second network as it was trained, and permuted. */
  readonly ends: Readonly<Record<LineName, HostTensors>>;
  readonly renormalise: Renormalisation;
  /** Images that corrections are measured on. */
  readonly statistics: ImageDataset;
  /** Images to classify. */
  readonly samples: ImageDataset;
  readonly normalisation: Normalisation;
}

/** One line: its two ends, and the network that is being looked at. */
interface Line {
  readonly ends: Endpoints;
  readonly mixed: Arena;
  readonly renormaliser: Renormaliser | undefined;
  readonly evaluator: Evaluator;
}

export class StoryNetworks {
  readonly #context: Context;
  readonly #normalisation: Normalisation;
  readonly #owned: { destroy(): void }[] = [];
  readonly #lines: Readonly<Record<LineName, Line>>;
  /** One question after the other: each overwrites the mixed networks. */
  #last: Promise<unknown> = Promise.resolve();

  /** The caller destroys it. */
  constructor(context: Context, options: StoryNetworksOptions) {
    this.#context = context;
    this.#normalisation = options.normalisation;
    try {
      const upload = (images: ImageDataset) =>
        this.#own(new GpuDataset(context, images, options.normalisation));
      const statistics = options.renormalise === 'none' ? undefined : upload(options.statistics);
      const samples = upload(options.samples);
      this.#lines = {
        naive: this.#line('naive', options, statistics, samples),
        aligned: this.#line('aligned', options, statistics, samples),
      };
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  #own<T extends { destroy(): void }>(made: T): T {
    this.#owned.unshift(made); // what was made last goes first
    return made;
  }

  #line(
    name: LineName,
    { model, a, ends, renormalise }: StoryNetworksOptions,
    statistics: GpuDataset | undefined,
    samples: GpuDataset,
  ): Line {
    const context = this.#context;
    const networks = [a, ends[name]];
    const uploaded = this.#own(uploadEndpoints(context, { model, networks, renormalise, data: statistics }));
    const mixed = this.#own(new Arena(context, uploaded.arenas[0]!.layout, `${name} mix`));
    const renormaliser = uploaded.renormalise?.(mixed);
    if (renormaliser) this.#own(renormaliser);
    const evaluator = this.#own(new Evaluator(context, uploaded.model, [mixed], samples));
    return { ends: uploaded, mixed, renormaliser, evaluator };
  }

  /** Logits [samples, classes] of the network at `lambda` of a line: a real forward pass. */
  classify(name: LineName, lambda: number, signal?: AbortSignal): Promise<Float32Array> {
    return this.#at(name, lambda, signal, ({ evaluator }) => evaluator.logits(undefined, { signal }));
  }

  /** The network at `lambda` of a line as the bytes of a safetensors file. */
  checkpoint(name: LineName, lambda: number, signal?: AbortSignal): Promise<Uint8Array> {
    return this.#at(name, lambda, signal, async ({ ends: { model }, mixed }) => {
      const metadata = checkpointMetadata(model, this.#normalisation, this.#context.numerics);
      return writeStateDict(stateDictOf(stateEntries(model), await mixed.read(), metadata));
    });
  }

  #at<T>(
    name: LineName,
    lambda: number,
    signal: AbortSignal | undefined,
    look: (line: Line) => Promise<T>,
  ): Promise<T> {
    const answer = this.#last.then(async () => {
      signal?.throwIfAborted();
      const line = this.#lines[name];
      const [a, b] = line.ends.arenas as [Arena, Arena];
      const output = line.mixed.windows;
      this.#context.record(...interpolate(this.#context, { a: a.windows, b: b.windows, lambda, output }));
      await line.renormaliser?.correct([1 - lambda, lambda], signal);
      return await look(line);
    });
    this.#last = answer.catch(() => {});
    return answer;
  }

  destroy(): void {
    for (const made of this.#owned.splice(0)) made.destroy();
  }
}
