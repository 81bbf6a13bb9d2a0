/** Task `story`: two networks trained side by side, matched, and both lines between them. The very function that `rebasin demo` runs. */
import {
  type DemoNetworks,
  type DemoOptions,
  type DemoPart,
  type DemoProgress,
  type HostTensors,
  hashResult,
  limitDataset,
  numericsField,
  OptionError,
  runDemo,
  VERSION,
  valuesOf,
} from 'rebasin';
import type { DemoResult, LossAndAccuracy } from '../../src/report/results.ts';
import type { Task } from '../worker/task.ts';
import type { LineName } from './line-name.ts';
import { StoryNetworks } from './networks.ts';
import type { OwnFile } from './own-files.ts';
import { readOwnImages } from './own-images.ts';
import { choicesOf, type StorySettings } from './settings.ts';
import { uncorrectedMidpoints } from './uncorrected.ts';

/** The slider classifies the first so many test images. */
const SAMPLES = 20;

export interface StoryOptions {
  readonly settings: StorySettings;
  /** Of the data set `files`. */
  readonly files?: readonly OwnFile[];
}

export type StoryEvent = DemoProgress | DemoPart;

/** Images as bytes, [N, C, H, W]. */
export interface Samples {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly classes: number;
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

export interface Story {
  readonly result: DemoResult;
  readonly samples: Samples;
  /** Whether the networks are those of an earlier story. */
  readonly reused: boolean;
  /** What every point was corrected by. */
  readonly correction: string;
  /** Half-way on both lines without the correction, on the test images. Absent where nothing is corrected. */
  readonly uncorrected?: Readonly<Record<LineName, LossAndAccuracy>>;
}

/** What the session keeps of a story beside its networks: enough to match them again in another way. */
class Trained {
  readonly #key: string;
  readonly #networks: DemoNetworks;

  constructor(key: string, networks: DemoNetworks) {
    this.#key = key;
    this.#networks = networks;
  }

  networks(key: string): DemoNetworks | undefined {
    return key === this.#key ? this.#networks : undefined;
  }

  destroy(): void {} // all of it is on the host
}

export const NETWORKS = 'networks of the story';
const TRAINED = 'trained networks of the story';

export const runStory: Task<StoryOptions, StoryEvent, Story> = async ({ settings, files }, tools) => {
  const { session, signal, report } = tools;
  const started = performance.now();
  const own = settings.data === 'files' ? await readOwnImages(files ?? [], settings) : undefined;
  if (settings.learningRate <= 0) {
    throw new OptionError(`story: the learning rate is a number above 0, got ${settings.learningRate}`);
  }
  const choices: DemoOptions = { ...choicesOf(settings), ...(own ? { data: own } : {}) };
  const context = await session.context();
  session.drop(NETWORKS);
  const key = trainingKey(settings, own);
  const kept = session.kept(TRAINED);
  const trained = kept instanceof Trained ? kept.networks(key) : undefined;
  const demo = await runDemo(context, {
    ...choices,
    trained,
    signal,
    onProgress: (progress) => {
      // The page shows the new curves from now on: those of the networks before cannot come back.
      if (progress.stage.startsWith('train')) session.drop(TRAINED);
      report(progress);
    },
    onPart: report,
  });
  session.keep(TRAINED, new Trained(key, demo.trained));
  const { checkpoints, fields, hash, normalisation, plan } = demo;
  const samples = limitDataset(plan.images.test, SAMPLES);
  const [a, naive] = demo.trained.values as readonly [HostTensors, HostTensors];
  const ends = { naive, aligned: valuesOf(checkpoints.aligned) };
  const { model, renormalise, statistics } = plan;
  const { test } = plan.images;
  const uncorrected =
    renormalise === 'none'
      ? undefined
      : await uncorrectedMidpoints(context, { model, a, ends, test, normalisation, signal });
  const networks = new StoryNetworks(context, {
    ...{ model, a, ends, renormalise, statistics, samples, normalisation },
  });
  session.keep(NETWORKS, networks);
  const { channels, height, width, classes, images, labels } = samples;
  return {
    result: {
      command: 'demo',
      version: VERSION,
      adapter: context.adapterName,
      ...numericsField(context),
      seed: settings.seed,
      seconds: Math.round(performance.now() - started) / 1000,
      hash,
      ...fields,
    },
    samples: { channels, height, width, classes, images: images.slice(), labels: labels.slice() },
    reused: trained !== undefined,
    correction: renormalise === 'reset' ? 'RESET' : renormalise === 'repair' ? 'REPAIR' : renormalise,
    ...(uncorrected ? { uncorrected } : {}),
  };
};

/** What training depends on. */
function trainingKey(settings: StorySettings, own: object | undefined): string {
  const { method: _, steps: _steps, renormalise: _renormalise, points: _points, ...training } = settings;
  return hashResult({ training, own: own ?? null });
}
