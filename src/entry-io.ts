/**
 * `rebasin/io`: bytes to arrays and back. No GPU, runs anywhere; nothing here reads a file or asks a network, it takes and gives bytes.
 * @module rebasin/io
 */
export * from './base/errors.ts';
export { type CheckpointFile, type CheckpointFormat, readCheckpointFile } from './io/checkpoint.ts';
export { parseCifar10, parseCifar100 } from './io/cifar.ts';
export {
  COLOUR_IMAGES_NORMALISATION,
  type ColourImagesOptions,
  colourImages,
} from './io/colour-images.ts';
export { concatDatasets, type ImageDataset, limitDataset, validateDataset } from './io/dataset.ts';
export { DIGITS_NORMALISATION, type DigitsOptions, digits } from './io/digits.ts';
export { gunzip, isGzip } from './io/gzip.ts';
export { type IdxArray, parseIdx } from './io/idx.ts';
export { type LoadImageOptions, loadImageFiles, type ReadFile } from './io/image-files.ts';
export { type NpyArray, parseNpy } from './io/npy.ts';
export { type NpzFile, parseNpz } from './io/npz.ts';
export { type PytorchFile, parsePytorchArchive, parsePytorchStream } from './io/pytorch.ts';
export {
  type FileTensor,
  parseSafetensors,
  type SafetensorsFile,
  type TensorData,
} from './io/safetensors.ts';
export { type WritableTensor, writeSafetensors } from './io/safetensors-writer.ts';
export { biasedHalves, randomParts } from './io/split.ts';
export { parseCsv, parseLibsvm, type Table } from './io/table.ts';
