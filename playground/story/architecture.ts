/** A network as the controls have it, and the name that the library reads. */
import type { StorySettings } from './settings.ts';

export const FAMILIES = ['mlp', 'resnet', 'vgg'] as const;

export type Family = (typeof FAMILIES)[number];

export interface Architecture {
  readonly family: Family;
  /** Hidden layers of an MLP; else the number in the network's name. */
  readonly depth: number;
  /** Units of each hidden layer of an MLP; else the factor of all channels. */
  readonly width: number;
  readonly norm: 'none' | 'batch' | 'layer';
}

/** Shape of one image. */
export type ImageShape = readonly [channels: number, height: number, width: number];

export const IMAGE_SHAPES: Readonly<Record<'digits' | 'colours', ImageShape>> = {
  digits: [1, 28, 28],
  colours: [3, 32, 32],
};

/** What there is to choose. */
export const DEPTHS: Readonly<Record<Family, readonly number[]>> = {
  mlp: [1, 2, 3, 4, 5],
  resnet: [8, 14, 20],
  vgg: [11, 13, 16],
};
export const WIDTHS: Readonly<Record<Family, readonly number[]>> = {
  mlp: [16, 32, 64, 128, 256, 512],
  resnet: [0.25, 0.5, 1, 2],
  vgg: [0.0625, 0.125, 0.25, 0.5],
};

/** Where each kind of network starts: small enough for any machine. */
export const START: Readonly<
  Record<Family, { architecture: Architecture; training: Partial<StorySettings> }>
> = {
  mlp: {
    architecture: { family: 'mlp', depth: 3, width: 128, norm: 'none' },
    training: { epochs: 5, trainCount: 3000, testCount: 500, batchSize: 128, learningRate: 0.2, points: 13 },
  },
  resnet: {
    architecture: { family: 'resnet', depth: 8, width: 0.5, norm: 'batch' },
    training: { epochs: 6, trainCount: 1200, testCount: 250, batchSize: 50, learningRate: 0.1, points: 9 },
  },
  vgg: {
    architecture: { family: 'vgg', depth: 11, width: 0.125, norm: 'batch' },
    training: { epochs: 6, trainCount: 3000, testCount: 250, batchSize: 50, learningRate: 0.02, points: 9 },
  },
};

/** The name of a network for images of a shape, such as `mlp:784-128-128-10` or `resnet8:width=0.25:input=1x28x28`. */
export function modelNameOf(architecture: Architecture, shape: ImageShape, classes = 10): string {
  const { family, depth, width, norm } = architecture;
  const usual = family === 'resnet' ? 'batch' : 'none';
  const ending = norm === usual ? '' : `:norm=${norm}`;
  if (family === 'mlp') {
    const features = shape[0] * shape[1] * shape[2];
    return `mlp:${[features, ...Array.from({ length: depth }, () => width), classes].join('-')}${ending}`;
  }
  const input = family === 'vgg' || shape.join('x') === '3x32x32' ? '' : `:input=${shape.join('x')}`;
  const classCount = classes === 10 ? '' : `:classes=${classes}`;
  return `${family}${depth}${width === 1 ? '' : `:width=${width}`}${ending}${classCount}${input}`;
}

/** The choices behind a name; undefined where the name says more than the controls have. */
export function architectureOf(name: string): Architecture | undefined {
  const [head = '', ...parts] = name.split(':');
  const options = new Map(
    parts.map((part): [string, string] => {
      const [key = '', value = ''] = part.split('=', 2);
      return [key, value];
    }),
  );
  const norm = options.get('norm');
  if (norm !== undefined && norm !== 'none' && norm !== 'batch' && norm !== 'layer') return undefined;
  const known = parts.every((part) => /^(\d+(-\d+)+|(norm|width|input|classes)=.+)$/.test(part));
  if (!known) return undefined;
  if (head === 'mlp') {
    const widths = (parts[0] ?? '').split('-').map(Number);
    const hidden = widths.slice(1, -1);
    if (hidden.length === 0 || hidden.some((width) => width !== hidden[0])) return undefined;
    return { family: 'mlp', depth: hidden.length, width: hidden[0]!, norm: norm ?? 'none' };
  }
  const [, family, depth] = /^(resnet|vgg)(\d+)$/.exec(head) ?? [];
  if (family !== 'resnet' && family !== 'vgg') return undefined;
  const width = Number(options.get('width') ?? 1);
  return { family, depth: Number(depth), width, norm: norm ?? (family === 'resnet' ? 'batch' : 'none') };
}
