/** What the reader chose for two checkpoints: as a value, and as text in the address. Files are named there, with their hashes, never held. */
import {
  MATCHING_METHODS,
  PRESETS,
  PRUNING_METHODS,
  type PresetName,
  type PruningMethod,
  RENORMALISATIONS,
  type Renormalisation,
} from 'rebasin';
import type { MatchingMethod } from '../../src/report/results.ts';
import type { Values } from '../state.ts';

export const ANALYSES = [
  'spec',
  'match',
  'units',
  'line',
  'layers',
  'merge',
  'singular',
  'pruning',
  'plane',
] as const;

export type AnalysisName = (typeof ANALYSES)[number];

export type DataSource = 'none' | 'digits' | 'colours' | 'files';

/** Everything that decides results, but for the files. */
export interface CheckpointSettings {
  /** What `--model` says; empty: recognised. */
  readonly model: string;
  readonly method: MatchingMethod;
  /** Empty: what goes with the network, `reset` with batch norm, else `repair`. */
  readonly renormalise: Renormalisation | '';
  readonly preset: PresetName | '';
  readonly seed: number;
  readonly data: DataSource;
  /** Images of each part; 0: all. */
  readonly limit: number;
  /** As `--mean` and `--std` have them; empty: of the checkpoint, else customary. */
  readonly mean: string;
  readonly std: string;
  /** Values of lambda. */
  readonly points: number;
  /** Of the plane, along each axis. */
  readonly grid: number;
  readonly prune: PruningMethod;
  /** Which network is pruned. */
  readonly pruned: 'a' | 'b';
  readonly analyses: readonly AnalysisName[];
}

export const DEFAULT_SETTINGS: CheckpointSettings = {
  model: '',
  method: 'weight',
  renormalise: '',
  preset: '',
  seed: 0,
  data: 'none',
  limit: 1000,
  mean: '',
  std: '',
  points: 11,
  grid: 11,
  prune: 'magnitude',
  pruned: 'a',
  analyses: ['spec', 'match', 'units', 'line', 'layers', 'merge'],
};

/** Ends of numbers that decide how long the work takes; a link must not ask for more than the form does. */
export const LIMITS = {
  limit: { min: 0, max: 100_000 },
  points: { min: 2, max: 101 },
  grid: { min: 2, max: 61 },
} as const;

/** The choices that an analysis depends on, beside the networks: others may change without it. */
export function relevantChoices(analysis: AnalysisName, settings: CheckpointSettings): readonly unknown[] {
  const { model, seed, method, preset, renormalise, data, limit, mean, std, points, grid } = settings;
  const images = [data, limit, mean, std];
  const matching = [method, preset, ...(looksAtImages(method) ? images : [])];
  const own: Readonly<Record<AnalysisName, readonly unknown[]>> = {
    spec: [],
    match: matching,
    units: matching,
    line: [...matching, images, renormalise, points],
    layers: [...matching, images, renormalise],
    merge: [...matching, images, renormalise],
    singular: [...matching, images, points],
    pruning: [images, preset, settings.prune, settings.pruned],
    plane: [...matching, images, grid],
  };
  return [model, seed, ...own[analysis]];
}

/** Whether a method of matching looks at images. */
export function looksAtImages(method: MatchingMethod): boolean {
  return method.startsWith('activation') || method === 'straight-through';
}

/** Whether an analysis depends on images: it evaluates on them, or its method of matching looks at them. */
export function usesImages(analysis: AnalysisName, { method }: Pick<CheckpointSettings, 'method'>): boolean {
  if (analysis === 'spec') return false;
  return looksAtImages(method) || !['match', 'units'].includes(analysis);
}

/** A file that a link names. */
export interface NamedFile {
  readonly name: string;
  readonly sha256: string;
}

/** What a link says: choices, and the files that it was made with. */
export interface LinkState {
  readonly settings: CheckpointSettings;
  readonly a?: NamedFile | undefined;
  readonly b?: NamedFile | undefined;
  readonly images: readonly NamedFile[];
  /** What came out where the link was made: hashes by the names of results, such as `merge`. */
  readonly hashes: Readonly<Record<string, string>>;
}

/** Settings as the values of an address; what is as usual is left out. */
export function addressValues({ settings, a, b, images, hashes }: LinkState): Values {
  const values: Record<string, string> = {};
  if (a) values.a = fileText(a);
  if (b) values.b = fileText(b);
  if (images.length > 0 && settings.data === 'files') values.images = images.map(fileText).join(',');
  for (const [name, value] of Object.entries(settings)) {
    const text = Array.isArray(value) ? value.join(',') : String(value);
    if (text !== String(DEFAULT_SETTINGS[name as keyof CheckpointSettings])) values[name] = text;
  }
  const found = Object.entries(hashes).map(([name, hash]) => `${name}:${hash}`);
  if (found.length > 0) values.hashes = found.join(',');
  return values;
}

/** Which texts are choices, where not every text is one. */
const KNOWN: Readonly<Record<string, (text: string) => boolean>> = {
  method: oneOf(MATCHING_METHODS),
  renormalise: oneOf(['', ...RENORMALISATIONS]),
  preset: oneOf(['', ...Object.keys(PRESETS)]),
  data: oneOf(['none', 'digits', 'colours', 'files']),
  prune: (text) => oneOf(PRUNING_METHODS)(text) || /^[1-9]\d?:[1-9]\d?$/.test(text),
  pruned: oneOf(['a', 'b']),
};

function oneOf(known: readonly string[]): (text: string) => boolean {
  return (text) => known.includes(text);
}

/** Choices from an address; what is missing or not understood is as usual. */
export function linkOf(values: Values): LinkState {
  const entries = Object.entries(DEFAULT_SETTINGS).map(([name, usual]) => {
    const text = values[name];
    if (text === undefined) return [name, usual];
    if (name === 'analyses') return [name, ANALYSES.filter((each) => text.split(',').includes(each))];
    const known = KNOWN[name];
    if (known) return [name, known(text) ? text : usual];
    if (typeof usual !== 'number') return [name, text];
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 0) return [name, usual];
    const { min, max } = name in LIMITS ? LIMITS[name as keyof typeof LIMITS] : { min: 0, max: value };
    return [name, Math.min(Math.max(value, min), max)];
  });
  const settings = Object.fromEntries(entries) as CheckpointSettings;
  const list = (text: string | undefined) => (text ? text.split(',').flatMap(namedFile) : []);
  return {
    settings,
    a: list(values.a)[0],
    b: list(values.b)[0],
    images: list(values.images),
    hashes: Object.fromEntries(list(values.hashes).map(({ name, sha256 }) => [name, sha256])),
  };
}

/** `name:sha256`, with what would end it escaped. */
function fileText({ name, sha256 }: NamedFile): string {
  return `${encodeURIComponent(name)}:${sha256}`;
}

function namedFile(text: string): NamedFile[] {
  const [, name, sha256] = /^(.+):([0-9a-f]{64})$/.exec(text) ?? [];
  try {
    return name && sha256 ? [{ name: decodeURIComponent(name), sha256 }] : [];
  } catch {
    return []; // an escape that is none
  }
}
