/** What a demo is asked for, and what it comes to: sizes, images and methods, each with a default that depends on the network. */
import { OptionError } from '../base/errors.ts';
import { type ImageDataset, limitDataset } from '../io/dataset.ts';
import { BUILT_IN_DATA } from '../io/known-data.ts';
import type { Model } from '../nn/models/model.ts';
import { parseModel, parseModelName } from '../nn/models/parse-model.ts';
import { checkDatasetFits, type Normalisation } from '../nn/train/gpu-dataset.ts';
import type { MatchingMethod } from '../report/results.ts';
import { hasBatchNorm } from './renormalise/layers.ts';
import { checkRenormalisation, type Renormalisation } from './renormalise/renormalisations.ts';

/** `mlp`: an MLP. `resnet`: a small residual network with batch norm. `vgg`: a small VGG, for 32 x 32 images in colour. */
export type DemoNetwork = 'mlp' | 'resnet' | 'vgg';

/** Images of one's own. */
export interface DemoImages {
  /** Training images. */
  readonly train: ImageDataset;
  /** Test images. */
  readonly test: ImageDataset;
  /** Of both. */
  readonly normalisation: Normalisation;
}

/** What decides the result of a demo. */
export interface DemoChoices {
  /** Default: what `model` is, else `mlp`. */
  readonly network?: DemoNetwork | undefined;
  /** A name that `parseModel` reads. Default: of the network. */
  readonly model?: string | undefined;
  /** Of the first network, of matching and of everything else. Default: 0. */
  readonly seed?: number | undefined;
  /** Of the second network. Default: `seed` + 1. */
  readonly secondSeed?: number | undefined;
  /** Of an MLP that `model` does not name: widths of the hidden layers. Default: 256, 256, 256. */
  readonly hidden?: readonly number[] | undefined;
  /** Of training. */
  readonly epochs?: number | undefined;
  /** Samples a step. */
  readonly batchSize?: number | undefined;
  /** Falls to 0 by half a cosine. */
  readonly learningRate?: number | undefined;
  /** A built-in data set, or images. Default: `digits`; of `vgg` `colours`. */
  readonly data?: 'digits' | 'colours' | DemoImages | undefined;
  /** Images to train on, at most. */
  readonly trainCount?: number | undefined;
  /** Test images. */
  readonly testCount?: number | undefined;
  /** Points of lambda. */
  readonly points?: number | undefined;
  /** Default: `weight`. */
  readonly method?: MatchingMethod | undefined;
  /** Of straight-through matching. Default: 100. */
  readonly steps?: number | undefined;
  /** Of straight-through matching: its learning rate. Default: 0.005. */
  readonly stepRate?: number | undefined;
  /** What every point of both lines is corrected by. Default: `reset` with batch norm, else `none`. */
  readonly renormalise?: Renormalisation | undefined;
}

/**
 * What the demos differ in. Sizes that two CPU cores train in about a minute (the VGG's: several); SGD with a high rate, because it finds networks that
 * lie in one basin once aligned (Adam's do so less).
 */
const RECIPES = {
  mlp: { epochs: 6, trainCount: 6000, testCount: 2000, points: 25, batchSize: 128, learningRate: 0.1 },
  resnet: { epochs: 6, trainCount: 1200, testCount: 250, points: 11, batchSize: 50, learningRate: 0.1 },
  vgg: { epochs: 6, trainCount: 3000, testCount: 250, points: 11, batchSize: 50, learningRate: 0.02 },
} as const;

type Sizes = Readonly<Record<keyof typeof RECIPES.mlp, number>>;

/** Training images that convolutional networks' statistics are estimated on, and that their sweeps are evaluated on. */
const STATISTICS_COUNT = 250;

/** A demo with every choice made. */
export interface DemoPlan extends Sizes {
  /** Name of the architecture. */
  readonly network: DemoNetwork;
  /** The architecture. */
  readonly model: Model;
  /** Of A and B. */
  readonly seeds: readonly [number, number];
  /** What is trained and tested on. */
  readonly images: DemoImages;
  /** Training images that statistics are estimated on, and that sweeps are evaluated on. */
  readonly statistics: ImageDataset;
  /** How B is matched to A. */
  readonly method: MatchingMethod;
  /** Of straight-through matching. */
  readonly steps: number;
  /** Of straight-through matching. */
  readonly stepRate: number;
  /** What is done to the network at each point. */
  readonly renormalise: Renormalisation;
  /** What the hash of the result holds beside the fields of the result; what was not chosen is left out. */
  readonly hashed: Readonly<Record<string, unknown>>;
}

/**
 * Makes every choice that was left open.
 * @throws OptionError, ShapeError or UnsupportedError where choices do not fit each other: before any work on a GPU.
 */
export function planDemo(choices: DemoChoices): DemoPlan {
  const { seed = 0, secondSeed = seed + 1, method = 'weight', steps = 100, stepRate = 0.005 } = choices;
  const network =
    choices.network ?? (choices.model === undefined ? 'mlp' : parseModelName(choices.model).family);
  const model = parseModel(modelName(network, choices));
  const recipe: Sizes = RECIPES[network];
  const sizes = Object.fromEntries(
    Object.entries(recipe).map(([name, value]) => [name, choices[name as keyof Sizes] ?? value]),
  ) as Sizes;
  for (const name of ['epochs', 'trainCount', 'testCount', 'batchSize', 'points'] as const) {
    const least = name === 'points' ? 2 : 1;
    if (!Number.isSafeInteger(sizes[name]) || sizes[name] < least) {
      throw new OptionError(`demo: ${name} must be an integer of at least ${least}, got ${sizes[name]}`);
    }
  }
  const images = imagesOf(choices.data ?? (network === 'vgg' ? 'colours' : 'digits'), sizes);
  checkDatasetFits(model, images.train);
  checkDatasetFits(model, images.test);
  const usual = hasBatchNorm(model) ? 'reset' : 'none';
  const renormalise = choices.renormalise ?? usual;
  checkRenormalisation(renormalise, model);
  return {
    ...sizes,
    ...{ network, model, seeds: [seed, secondSeed], images, method, steps, stepRate, renormalise },
    statistics: network === 'mlp' ? images.train : limitDataset(images.train, STATISTICS_COUNT),
    hashed: {
      network,
      seed,
      epochs: sizes.epochs,
      batchSize: sizes.batchSize,
      ...(sizes.learningRate === recipe.learningRate ? {} : { learningRate: sizes.learningRate }),
      ...(renormalise === usual ? {} : { renormalise }),
      ...(method === 'straight-through' ? { steps, stepRate } : {}),
    },
  };
}

function modelName(network: DemoNetwork, { model, hidden = [256, 256, 256] }: DemoChoices): string {
  if (model !== undefined) return model;
  if (network === 'mlp') return `mlp:${[784, ...hidden, 10].join('-')}`;
  return network === 'resnet' ? 'resnet8:width=0.5:input=1x28x28' : 'vgg11:width=0.125:norm=batch';
}

function imagesOf(data: 'digits' | 'colours' | DemoImages, { trainCount, testCount }: Sizes): DemoImages {
  if (typeof data !== 'string') {
    return { ...data, train: limitDataset(data.train, trainCount), test: limitDataset(data.test, testCount) };
  }
  const builtIn = BUILT_IN_DATA[data];
  if (builtIn === undefined) {
    throw new OptionError(
      `demo: unknown data "${data}"; expected ${Object.keys(BUILT_IN_DATA).join(', ')}, or images`,
    );
  }
  return {
    train: builtIn.make({ count: trainCount, seed: 0, split: 'train' }),
    test: builtIn.make({ count: testCount, seed: 0, split: 'test' }),
    normalisation: builtIn.normalisation,
  };
}
