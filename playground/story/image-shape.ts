/** The size of images in files, from their names and first bytes: networks are built for it before the worker reads them. */
import type { ImageShape } from './architecture.ts';

/** Undefined where no file is known, or an IDX file is compressed and its size not there to read. */
export async function imageShapeOf(files: readonly File[]): Promise<ImageShape | undefined> {
  for (const file of files) {
    if (/\.bin(\.gz)?$/i.test(file.name)) return [3, 32, 32];
    if (!/images[-.]idx3-ubyte$/i.test(file.name)) continue;
    const header = new DataView(await file.slice(0, 16).arrayBuffer());
    if (header.byteLength === 16) return [1, header.getUint32(8), header.getUint32(12)];
  }
  return undefined;
}
