/** Images of the reader's own: IDX or CIFAR files as they are published, or a folder of pictures. Read in the worker; they go nowhere. */
import {
  customaryNormalisation,
  type DemoImages,
  loadImageFiles,
  OptionError,
  recogniseImageFiles,
} from 'rebasin';
import { isPicture, type OwnFile } from './own-files.ts';
import { readPictures } from './own-pictures.ts';
import type { StorySettings } from './settings.ts';

/** @throws OptionError where the files are no data set that is known; FormatError, DataError or ShapeError naming a bad file. */
export async function readOwnImages(
  files: readonly OwnFile[],
  counts: Pick<StorySettings, 'trainCount' | 'testCount'>,
): Promise<DemoImages> {
  if (files.length === 0) {
    throw new OptionError(
      'Own images: no files are chosen. Choose them under "Data", or take a built-in data set. ' +
        'A link cannot hold images: whoever follows it chooses the same files.',
    );
  }
  const pictures = files.filter(isPicture);
  const { train, test } =
    pictures.length > 0 ? await readPictures(pictures, counts) : await readPublished(files, counts);
  return { train, test, normalisation: customaryNormalisation(train.channels) };
}

async function readPublished(
  files: readonly OwnFile[],
  { trainCount, testCount }: Pick<StorySettings, 'trainCount' | 'testCount'>,
): Promise<Pick<DemoImages, 'train' | 'test'>> {
  const byName = new Map(files.map(({ file }) => [file.name, file]));
  const names = recogniseImageFiles([...byName.keys()], 'the chosen files');
  const read = async (name: string) => {
    const file = byName.get(name);
    if (file === undefined)
      throw new OptionError(`Own images: ${name} belongs to the others. Choose it too.`);
    return new Uint8Array(await file.arrayBuffer());
  };
  if (names.train.length === 0 || names.test.length === 0) {
    const missing = names.train.length === 0 ? 'training' : 'test';
    throw new OptionError(`Own images: there are no ${missing} images among the files. Choose both at once.`);
  }
  return {
    train: await loadImageFiles(read, names.train, { limit: trainCount }),
    test: await loadImageFiles(read, names.test, { limit: testCount }),
  };
}
