/** What the reader chose for the story: as a value, as text in the address, and as the command that gives the same result. */
import type { DemoChoices, Renormalisation } from 'rebasin';
import type { MatchingMethod } from '../../src/report/results.ts';
import { shellWord } from '../shell-word.ts';
import type { Values } from '../state.ts';
import { isPicture, type OwnFile } from './own-files.ts';

export type DataName = 'digits' | 'colours' | 'files';

/** Everything that decides the result of a story, but for images of one's own. */
export interface StorySettings {
  /** A name that `parseModel` reads. */
  readonly model: string;
  readonly seed: number;
  readonly secondSeed: number;
  readonly epochs: number;
  readonly learningRate: number;
  readonly batchSize: number;
  readonly data: DataName;
  readonly trainCount: number;
  readonly testCount: number;
  readonly points: number;
  readonly method: MatchingMethod;
  /** Of straight-through matching. */
  readonly steps: number;
  readonly renormalise: Renormalisation;
}

/** Small enough for a software adapter to tell the whole story in half a minute. */
export const DEFAULT_SETTINGS: StorySettings = {
  model: 'mlp:784-128-128-128-10',
  seed: 0,
  secondSeed: 1,
  epochs: 5,
  learningRate: 0.2,
  batchSize: 128,
  data: 'digits',
  trainCount: 3000,
  testCount: 500,
  points: 13,
  method: 'weight',
  steps: 100,
  renormalise: 'none',
};

/** How each setting is called in an address. */
const KEYS = {
  model: 'model',
  seed: 'seed',
  secondSeed: 'seed2',
  epochs: 'epochs',
  learningRate: 'rate',
  batchSize: 'batch',
  data: 'data',
  trainCount: 'train',
  testCount: 'test',
  points: 'points',
  method: 'match',
  steps: 'steps',
  renormalise: 'correct',
} as const satisfies Record<keyof StorySettings, string>;

type NumberName = {
  [Name in keyof StorySettings]: StorySettings[Name] extends number ? Name : never;
}[keyof StorySettings];

/** What a link may ask of the reader's machine, and what the fields take. */
export const LIMITS: Readonly<Record<NumberName, { readonly min: number; readonly max: number }>> = {
  seed: { min: 0, max: Number.MAX_SAFE_INTEGER },
  secondSeed: { min: 0, max: Number.MAX_SAFE_INTEGER },
  epochs: { min: 1, max: 1000 },
  learningRate: { min: 0, max: 100 }, // 0 is refused where it is used
  batchSize: { min: 1, max: 10_000 },
  trainCount: { min: 1, max: 100_000 },
  testCount: { min: 1, max: 100_000 },
  points: { min: 2, max: 201 },
  steps: { min: 1, max: 100_000 },
};

/** Settings as the values of an address. */
export function valuesOf(settings: StorySettings): Values {
  return Object.fromEntries(
    Object.entries(KEYS).map(([name, key]) => [key, String(settings[name as keyof StorySettings])]),
  );
}

/** Settings from an address; what is missing or no number where one belongs is the default's, and a number is brought into its limits. */
export function settingsOf(values: Values): StorySettings {
  const entries = Object.entries(KEYS).map(([name, key]) => {
    const usual = DEFAULT_SETTINGS[name as keyof StorySettings];
    const text = values[key];
    if (text === undefined || text === '') return [name, usual];
    if (typeof usual === 'string') return [name, text];
    const value = Number(text);
    const { min, max } = LIMITS[name as NumberName];
    return [name, Number.isFinite(value) ? Math.min(Math.max(value, min), max) : usual];
  });
  return Object.fromEntries(entries) as StorySettings;
}

/** What `runDemo` takes; images from files are added by the task. */
export function choicesOf(settings: StorySettings): DemoChoices {
  const { data, steps, ...rest } = settings;
  return {
    ...rest,
    ...(settings.method === 'straight-through' ? { steps } : {}),
    ...(data === 'files' ? {} : { data }),
  };
}

/** The command that gives the same result, hash included, on the same adapter; none where it could not read the images: pictures. */
export function commandOf(settings: StorySettings, files: readonly OwnFile[]): string | undefined {
  const { model, seed, secondSeed, epochs, learningRate, batchSize, data, trainCount, testCount } = settings;
  const { points, method, steps, renormalise } = settings;
  if (data === 'files' && files.some(isPicture)) return undefined;
  return [
    'npx rebasin demo',
    `--model ${shellWord(model)} --seed ${seed} --second-seed ${secondSeed}`,
    `--data ${data === 'files' ? 'FOLDER' : shellWord(data)} --train-images ${trainCount} --test-images ${testCount}`,
    `--epochs ${epochs} --batch-size ${batchSize} --learning-rate ${learningRate}`,
    `--align ${shellWord(method)}${method === 'straight-through' ? ` --steps ${steps}` : ''} --renormalise ${shellWord(renormalise)} --points ${points}`,
  ].join(' ');
}
