/** Task `openImages`: what the chosen images are, and whether the networks take them. */
import { checkDatasetFits, type ImageDataset, type Normalisation, normalisationOfCheckpoint } from 'rebasin';
import type { Task } from '../worker/task.ts';
import { commandImages, type ImageChoice, nameFiles, openImages, toldNormalisation } from './images.ts';
import { type NetworkFiles, openPair } from './networks.ts';
import type { NamedFile } from './settings.ts';

export interface ImagesOptions extends ImageChoice {
  readonly mean: string;
  readonly std: string;
  /** Absent while there are no two networks. */
  readonly networks?: NetworkFiles | undefined;
}

export interface PartFacts
  extends Pick<ImageDataset, 'name' | 'count' | 'channels' | 'height' | 'width' | 'classes'> {}

export interface ImagesFacts {
  readonly train?: PartFacts | undefined;
  readonly test?: PartFacts | undefined;
  readonly normalisation: Normalisation;
  readonly files: readonly NamedFile[];
}

export const openImagesTask: Task<ImagesOptions, never, ImagesFacts> = async (
  options,
  { session, signal },
) => {
  const told = toldNormalisation(options.mean, options.std);
  const parts = await openImages(session, options, signal);
  const pair = options.networks && (await openPair(session, options.networks, signal));
  for (const part of [parts.train, parts.test]) if (pair && part) checkDatasetFits(pair.model, part);
  const ofCheckpoint = pair && normalisationOfCheckpoint(pair.a);
  return {
    train: parts.train && factsOf(parts.train),
    test: parts.test && factsOf(parts.test),
    normalisation: commandImages(parts, options.source, told, ofCheckpoint).normalisation,
    files: options.source === 'files' ? await nameFiles(options.files) : [],
  };
};

function factsOf({ name, count, channels, height, width, classes }: ImageDataset): PartFacts {
  return { name, count, channels, height, width, classes };
}
