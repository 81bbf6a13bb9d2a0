/**
 * A data set on the GPU: images as packed bytes (a quarter of the memory of f32), normalised while a batch is gathered.
 *
 * Normalisation is a table of 256 values a channel, `(byte / 255 - mean) / std` in float64 rounded once to float32 on the host, so
 * that every adapter feeds a network the same bits.
 */
import { OptionError, ShapeError } from '../../base/errors.ts';
import { hashResult } from '../../base/hash.ts';
import type { RandomStream } from '../../base/random.ts';
import type { ImageDataset } from '../../io/dataset.ts';
import { type Augmentation, gatherAugmented } from '../../kernels/augment/gather-augmented.ts';
import { gatherImages, gatherLabels } from '../../kernels/gather/gather-batch.ts';
import type { Context } from '../../runtime/context.ts';
import { elementCount, type TensorView } from '../../runtime/kernel.ts';
import type { Tensor } from '../../runtime/tensor.ts';
import type { Model } from '../models/model.ts';
import type { Program } from '../program.ts';

/** Per channel; pixels are divided by 255 first. One number serves all channels. */
export interface Normalisation {
  /** Of pixels / 255. */
  readonly mean: readonly number[];
  /** Of pixels / 255. */
  readonly std: readonly number[];
}

/** An augmentation and the random numbers of one epoch (`augmentationStream`). */
export interface Augment {
  /** What is done. */
  readonly augmentation: Augmentation;
  /** Of the epoch. */
  readonly stream: RandomStream;
}

/** Images and labels on the GPU, as bytes; normalised while a batch is gathered. */
export class GpuDataset {
  /** Where it lies. */
  readonly context: Context;
  /** Shown in results. */
  readonly name: string;
  /** Samples. */
  readonly count: number;
  /** Labels are below this. */
  readonly classes: number;
  /** C. */
  readonly channels: number;
  /** H. */
  readonly height: number;
  /** W. */
  readonly width: number;
  /** Pixels of one image, all channels. */
  readonly features: number;
  /** [count], on the host: the very array that was uploaded. */
  readonly labels: Uint8Array;
  /** Hashing takes a third of a second for MNIST, so it waits until someone asks. */
  readonly #hash: () => string;
  #digest: string | undefined;
  readonly #images: Tensor;
  readonly #labels: Tensor;
  readonly #table: Tensor;
  readonly #inOrder: Tensor;

  /** Uploads a data set. The caller destroys it. */
  constructor(
    context: Context,
    dataset: ImageDataset,
    normalisation: Normalisation = { mean: [0], std: [1] },
  ) {
    const { count, channels, height, width } = dataset;
    this.context = context;
    this.name = dataset.name;
    this.count = count;
    this.classes = dataset.classes;
    this.channels = channels;
    this.height = height;
    this.width = width;
    this.features = channels * height * width;
    this.labels = dataset.labels;
    const table = normalisationTable(normalisation, channels); // may throw: before anything is made
    this.#hash = () => hashResult([dataset.images, dataset.labels, table, channels, height, width]);
    this.#images = packBytes(context, dataset.images);
    this.#labels = packBytes(context, dataset.labels);
    this.#table = context.tensorFrom(table, [channels, 256]);
    this.#inOrder = context.tensorFrom(Uint32Array.from({ length: count }, (_, i) => i));
  }

  /** SHA-256 of images, labels and normalisation: what a result depends on, whatever the files were called. */
  get digest(): string {
    this.#digest ??= this.#hash();
    return this.#digest;
  }

  /** The positions 0, 1, 2, ... to gather in the data set's own order. Owned by the data set. */
  get inOrder(): TensorView {
    return this.#inOrder;
  }

  /**
   * Records the gathering of samples `indices[start .. start + batchSize - 1]` into a program's inputs `images` and `labels`.
   * @param augment what happens to the images on the way. Default: nothing.
   */
  fill(program: Program, indices: TensorView, start: number, batchSize: number, augment?: Augment): void {
    this.fillImages(program, indices, start, batchSize, augment);
    this.fillLabels(program, indices, start, batchSize);
  }

  /** The same for labels alone. */
  fillLabels(program: Program, indices: TensorView, start: number, batchSize: number): void {
    const { context } = this;
    const output = { ...viewOf(program, 'labels'), shape: [batchSize] };
    context.record(...gatherLabels(context, { labels: this.#labels, indices, start, output }));
  }

  /** The same for images alone. */
  fillImages(
    program: Program,
    indices: TensorView,
    start: number,
    batchSize: number,
    augment?: Augment,
  ): void {
    const { context, channels, height, width } = this;
    const view = viewOf(program, 'images');
    const expected = elementCount(view.shape.slice(1));
    if (expected !== this.features) {
      throw new ShapeError(
        `data set ${this.name}: images of ${channels}x${height}x${width} = ${this.features} values do not fit a network that takes ` +
          `${expected}; choose a matching data set`,
      );
    }
    const output = { ...view, shape: [batchSize, this.features] };
    const call = { images: this.#images, table: this.#table, channels, indices, start, output };
    const dispatches = augment
      ? gatherAugmented(context, { ...call, ...augment, height, width })
      : gatherImages(context, call);
    context.record(...dispatches);
  }

  /** Returns its buffers to the context's pool. */
  destroy(): void {
    for (const tensor of [this.#images, this.#labels, this.#table, this.#inOrder]) tensor.destroy();
  }
}

/** @throws ShapeError unless images of the data set fit the model's input and its labels the model's classes. */
export function checkDatasetFits(
  model: Model,
  dataset: Pick<ImageDataset, 'name' | 'channels' | 'height' | 'width' | 'classes'>,
): void {
  const features = dataset.channels * dataset.height * dataset.width;
  const expected = model.inputShape.reduce((product, size) => product * size, 1);
  if (features !== expected) {
    throw new ShapeError(
      `data set ${dataset.name}: images of ${dataset.channels}x${dataset.height}x${dataset.width} = ${features} values do not fit ` +
        `${model.name}, which takes ${expected}; choose a matching data set`,
    );
  }
  if (dataset.classes > model.classes) {
    throw new ShapeError(
      `data set ${dataset.name}: has ${dataset.classes} classes, ${model.name} predicts ${model.classes}; choose a matching data set`,
    );
  }
}

function viewOf(program: Program, name: string): TensorView {
  const { buffer, offset, shape, dtype } = program.input(name);
  return { buffer, offset, shape, dtype };
}

function packBytes(context: Context, bytes: Uint8Array): Tensor {
  const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  padded.set(bytes);
  return context.tensorFrom(new Uint32Array(padded.buffer));
}

function normalisationTable({ mean, std }: Normalisation, channels: number): Float32Array {
  const of = (values: readonly number[], what: string, channel: number): number => {
    const value = values.length === 1 ? values[0]! : values[channel];
    if (
      value === undefined ||
      values.length > channels ||
      !Number.isFinite(value) ||
      (what === 'std' && value <= 0)
    ) {
      throw new OptionError(
        `normalisation: ${what} must be ${channels === 1 ? 'one number' : `1 or ${channels} numbers`}${what === 'std' ? ' above 0' : ''}, got ${values.join(',')}`,
      );
    }
    return value;
  };
  const table = new Float32Array(256 * channels);
  for (let channel = 0; channel < channels; channel++) {
    const [m, s] = [of(mean, 'mean', channel), of(std, 'std', channel)];
    for (let byte = 0; byte < 256; byte++) table[256 * channel + byte] = (byte / 255 - m) / s;
  }
  return table;
}
