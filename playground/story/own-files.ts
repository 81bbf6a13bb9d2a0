/** Files of the reader's own as both threads have them, and what their names and first bytes say about the images in them. */
import type { ImageShape } from './architecture.ts';

/** A file with its path: of a folder's files the folders too, which a copy in the worker no longer knows. */
export interface OwnFile {
  readonly path: string;
  readonly file: File;
}

export interface OwnImageFacts {
  readonly shape: ImageShape;
  readonly classes: number;
}

/** Side of the pictures that are made of image files, in pixels. */
export const PICTURE_SIDE = 32;

export function ownFiles(files: Iterable<File>): OwnFile[] {
  return [...files].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** Pictures that a browser can read. */
export function isPicture({ path }: OwnFile): boolean {
  return /\.(png|jpe?g|webp|gif|bmp|avif)$/i.test(path);
}

/** The class of a picture is the folder that it lies in. */
export function classOf({ path }: OwnFile): string {
  return path.split('/').at(-2) ?? '';
}

/** Sorted names of the classes of pictures. */
export function classesOf(pictures: readonly OwnFile[]): string[] {
  return [...new Set(pictures.map(classOf))].sort();
}

/** Undefined where no file is known or can be read. */
export async function ownImageFacts(files: readonly OwnFile[]): Promise<OwnImageFacts | undefined> {
  const pictures = files.filter(isPicture);
  if (pictures.length > 0) {
    return { shape: [3, PICTURE_SIDE, PICTURE_SIDE], classes: Math.max(2, classesOf(pictures).length) };
  }
  for (const { file } of files) {
    if (/^(train|test)\.bin(\.gz)?$/i.test(file.name)) return { shape: [3, 32, 32], classes: 100 };
    if (/\.bin(\.gz)?$/i.test(file.name)) return { shape: [3, 32, 32], classes: 10 };
    if (!/images[-.]idx3-ubyte(\.gz)?$/i.test(file.name)) continue;
    const header = await firstBytes(file, 16);
    if (header) return { shape: [1, header.getUint32(8), header.getUint32(12)], classes: 10 };
  }
  return undefined;
}

/** The first `count` bytes of a file's content, which may be compressed; undefined where it has fewer or cannot be read. */
async function firstBytes(file: File, count: number): Promise<DataView | undefined> {
  const found: number[] = [];
  try {
    const bytes = file.stream();
    const content = /\.gz$/i.test(file.name) ? bytes.pipeThrough(new DecompressionStream('gzip')) : bytes;
    const reader = content.getReader();
    while (found.length < count) {
      const { value, done } = await reader.read();
      if (done) break;
      found.push(...value.subarray(0, count - found.length));
    }
    await reader.cancel();
  } catch {
    // Whoever reads all of it says what is wrong with it.
  }
  return found.length === count ? new DataView(Uint8Array.from(found).buffer) : undefined;
}
