/** Public data sets that `rebasin data` can fetch: where their files are, how long they are, and their published MD5 checksums. */

import { OptionError } from '../base/errors.ts';

/** A file as it is published. */
export interface PublicFile {
  readonly name: string;
  readonly bytes: number;
  /** 32 hexadecimal digits. */
  readonly md5: string;
  /** Of a .tar.gz: the files that are taken out of it, by name without folder. The archive itself is not kept. */
  readonly members?: readonly { readonly name: string; readonly bytes: number }[];
}

/** A data set of one or more files under one address. */
export interface PublicDataset {
  readonly name: string;
  /** Ends in a slash; the names of the files follow. */
  readonly source: string;
  readonly files: readonly PublicFile[];
  /** Whose it is, for people. */
  readonly origin: string;
}

const CIFAR_ORIGIN = 'Alex Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009';
const CIFAR_SOURCE = 'https://www.cs.toronto.edu/~kriz/';
const CIFAR_10_BATCHES = [
  'data_batch_1',
  'data_batch_2',
  'data_batch_3',
  'data_batch_4',
  'data_batch_5',
  'test_batch',
];

/** The data sets, in the order in which they are listed. */
export const PUBLIC_DATASETS: readonly PublicDataset[] = [
  {
    name: 'mnist',
    source: 'https://ossci-datasets.s3.amazonaws.com/mnist/',
    origin: 'Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits"',
    files: [
      { name: 'train-images-idx3-ubyte.gz', bytes: 9912422, md5: 'f68b3c2dcbeaaa9fbdd348bbdeb94873' },
      { name: 'train-labels-idx1-ubyte.gz', bytes: 28881, md5: 'd53e105ee54ea40749a09fcbcd1e9432' },
      { name: 't10k-images-idx3-ubyte.gz', bytes: 1648877, md5: '9fb629c4189551a2d022fa330f9573f3' },
      { name: 't10k-labels-idx1-ubyte.gz', bytes: 4542, md5: 'ec29112dd5afa0611ce80d1b7f02629c' },
    ],
  },
  {
    name: 'fashion-mnist',
    source: 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
    origin: 'H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST", 2017',
    files: [
      { name: 'train-images-idx3-ubyte.gz', bytes: 26421880, md5: '8d4fb7e6c68d591d4c3dfef9ec88bf0d' },
      { name: 'train-labels-idx1-ubyte.gz', bytes: 29515, md5: '25c81989df183df01b3e8a0aad5dffbe' },
      { name: 't10k-images-idx3-ubyte.gz', bytes: 4422102, md5: 'bef4ecab320f06d8554ea6380940ec79' },
      { name: 't10k-labels-idx1-ubyte.gz', bytes: 5148, md5: 'bb300cfdad3c16e7a12a480ee83cd310' },
    ],
  },
  {
    name: 'cifar-10',
    source: CIFAR_SOURCE,
    origin: CIFAR_ORIGIN,
    files: [
      {
        name: 'cifar-10-binary.tar.gz',
        bytes: 170052171,
        md5: 'c32a1d4ab5d03f1284b67883e8d87530',
        members: CIFAR_10_BATCHES.map((batch) => ({ name: `${batch}.bin`, bytes: 30730000 })),
      },
    ],
  },
  {
    name: 'cifar-100',
    source: CIFAR_SOURCE,
    origin: CIFAR_ORIGIN,
    files: [
      {
        name: 'cifar-100-binary.tar.gz',
        bytes: 168513733,
        md5: '03b5dce01913d631647c71ecec9e9cb8',
        members: [
          { name: 'train.bin', bytes: 153700000 },
          { name: 'test.bin', bytes: 30740000 },
        ],
      },
    ],
  },
];

/** The data set of a name. @throws OptionError listing the names there are. */
export function publicDataset(name: string): PublicDataset {
  const found = PUBLIC_DATASETS.find((dataset) => dataset.name === name);
  if (!found) {
    const names = PUBLIC_DATASETS.map((dataset) => dataset.name);
    throw new OptionError(
      `publicDataset: expected one of ${names.join(', ')}, got ${JSON.stringify(name)}. Other data: give their folder to --data.`,
    );
  }
  return found;
}
