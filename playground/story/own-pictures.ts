/**
 * A folder of pictures as a data set: a folder a class, as in `cats/1.jpg`, `dogs/1.jpg`. Under folders named `train` and `test` (or `val`)
 * they are what these say; otherwise every fifth picture of a class is for testing. Pictures are cut to their middle square and scaled.
 */
import { DataError, type ImageDataset, OptionError, RandomStream } from 'rebasin';
import { classesOf, classOf, type OwnFile, PICTURE_SIDE } from './own-files.ts';

const SIDE = PICTURE_SIDE;

/** @throws OptionError with fewer than two classes; DataError naming a picture that the browser cannot read. */
export async function readPictures(
  pictures: readonly OwnFile[],
  counts: { readonly trainCount: number; readonly testCount: number },
): Promise<{ train: ImageDataset; test: ImageDataset }> {
  const classes = classesOf(pictures);
  if (classes.length < 2 || classes.length > 256) {
    throw new OptionError(
      `Own images: pictures lie in a folder for each class, 2 to 256 of them, got ${classes.length}. Choose the folder above them.`,
    );
  }
  const { train, test } = partsOf(pictures);
  if (train.length === 0 || test.length === 0) {
    const missing = train.length === 0 ? 'train' : 'test';
    throw new OptionError(`Own images: no pictures are left to ${missing} on. Choose more of each class.`);
  }
  return {
    train: await datasetOf('pictures, train', shuffled(train, counts.trainCount), classes),
    test: await datasetOf('pictures, test', shuffled(test, counts.testCount), classes),
  };
}

function partsOf(pictures: readonly OwnFile[]): { train: OwnFile[]; test: OwnFile[] } {
  const sorted = [...pictures].sort((a, b) => (a.path < b.path ? -1 : 1));
  const under = (names: readonly string[]) =>
    sorted.filter(({ path }) =>
      path
        .split('/')
        .slice(0, -2)
        .some((folder) => names.includes(folder.toLowerCase())),
    );
  const named = {
    train: under(['train', 'training']),
    test: under(['test', 'testing', 'val', 'valid', 'validation']),
  };
  if (named.train.length > 0 && named.test.length > 0) return named;
  const seen = new Map<string, number>();
  const isTest = (picture: OwnFile) => {
    const place = seen.get(classOf(picture)) ?? 0;
    seen.set(classOf(picture), place + 1);
    return place % 5 === 4;
  };
  const parts = { train: [] as OwnFile[], test: [] as OwnFile[] };
  for (const picture of sorted) parts[isTest(picture) ? 'test' : 'train'].push(picture);
  return parts;
}

/** The first `count` in an order that is always the same and mixes the classes. */
function shuffled(pictures: readonly OwnFile[], count: number): OwnFile[] {
  const order = new RandomStream(0, 'order of pictures').permutation(pictures.length);
  return Array.from(order.subarray(0, count), (index) => pictures[index]!);
}

async function datasetOf(
  name: string,
  pictures: readonly OwnFile[],
  classes: readonly string[],
): Promise<ImageDataset> {
  const plane = SIDE * SIDE;
  const images = new Uint8Array(pictures.length * 3 * plane);
  const canvas = new OffscreenCanvas(SIDE, SIDE);
  const drawing = canvas.getContext('2d', { willReadFrequently: true })!;
  drawing.imageSmoothingQuality = 'high';
  for (const [index, { path, file }] of pictures.entries()) {
    let bitmap: ImageBitmap;
    try {
      bitmap = await createImageBitmap(file);
    } catch (cause) {
      throw new DataError(`Own images: ${path} is no picture that this browser can read. Leave it out.`, {
        cause,
      });
    }
    const { width, height } = bitmap;
    const side = Math.min(width, height);
    drawing.fillRect(0, 0, SIDE, SIDE); // under what is transparent
    drawing.drawImage(bitmap, (width - side) / 2, (height - side) / 2, side, side, 0, 0, SIDE, SIDE);
    bitmap.close();
    const { data } = drawing.getImageData(0, 0, SIDE, SIDE);
    for (let i = 0; i < plane; i++) {
      for (let c = 0; c < 3; c++) images[(3 * index + c) * plane + i] = data[4 * i + c]!;
    }
  }
  return {
    ...{
      name,
      count: pictures.length,
      channels: 3,
      height: SIDE,
      width: SIDE,
      classes: classes.length,
      images,
    },
    labels: Uint8Array.from(pictures, (picture) => classes.indexOf(classOf(picture))),
  };
}
