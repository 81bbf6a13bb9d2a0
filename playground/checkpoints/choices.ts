/** What settings come to for a pair of networks: the library's options, and the command that gives the same result. */
import type { MergingChoices, Renormalisation } from 'rebasin';
import { shellWord } from '../shell-word.ts';
import { isPicture, type OwnFile } from '../story/own-files.ts';
import type { ImagesFacts } from './images-task.ts';
import { type AnalysisName, type CheckpointSettings, DEFAULT_SETTINGS, usesImages } from './settings.ts';

/** What is needed of a pair to make choices. */
interface Pair {
  readonly batchNorm: boolean;
}

/** The correction: what the reader chose, else what goes with the network. */
export function correctionOf({ renormalise }: CheckpointSettings, { batchNorm }: Pair): Renormalisation {
  return renormalise === '' ? (batchNorm ? 'reset' : 'repair') : renormalise;
}

/** How networks are matched and corrected. */
export function mergingChoices(
  { method, preset }: CheckpointSettings,
  renormalise: Renormalisation,
): MergingChoices {
  return { align: method, renormalise, ...(preset === '' ? {} : { preset }) };
}

/** Which analyses are about one line, and what each is as a command. */
interface CommandParts {
  readonly a: string;
  readonly b: string;
  /** The correction; `none` where an analysis leaves it out. */
  readonly renormalise: Renormalisation;
  readonly on: 'train' | 'test';
}

/**
 * The command that prints the same result, with the same hash on the same adapter.
 * @param part of `line`: which of its three lines.
 */
export function commandOf(
  analysis: AnalysisName,
  settings: CheckpointSettings,
  { a, b, renormalise, on }: CommandParts,
  part: 'naive' | 'aligned' | 'corrected' = 'corrected',
): string | undefined {
  const { method, preset, seed, model, points, grid, prune, pruned } = settings;
  const both = `${fileWord(a)} ${fileWord(b)}`;
  const correct = renormalise === 'none' ? '' : ` --renormalise ${renormalise}`;
  const align = part === 'naive' ? '' : ` --align ${method}${part === 'aligned' ? '' : correct}`;
  const usual = preset === '' ? '' : ` --preset ${preset}`;
  const commands: Readonly<Partial<Record<AnalysisName, string>>> = {
    match: `match ${both}${method === 'weight' ? '' : ` --method ${method}`}${usual}`,
    line: `sweep ${both}${align} --points ${points} --on ${on}${usual}`,
    layers: `stats ${both} --align ${method}${correct} --on ${on}${usual}`,
    merge: `merge ${both} --align ${method}${correct}${usual} --out merged.safetensors`,
    singular: `analyse ${both} --align ${method} --points ${points} --on ${on}${usual}`,
    pruning: `prune ${fileWord(pruned === 'a' ? a : b)} --method ${prune}${usual}`,
    plane: `plane ${both} --align ${method} --grid ${grid} --on ${on}${usual}`,
  };
  const command = commands[analysis];
  if (command === undefined) return undefined;
  return [
    `npx rebasin ${command}`,
    ...(model === '' ? [] : [`--model ${shellWord(model)}`]),
    ...(usesImages(analysis, settings) ? dataOptions(settings) : []),
    ...(seed === DEFAULT_SETTINGS.seed ? [] : [`--seed ${seed}`]),
  ].join(' ');
}

/**
 * Why the command line cannot have the same images, where it cannot.
 * @param known what they are; absent while they are being read.
 */
export function noCommand(
  analysis: AnalysisName,
  settings: CheckpointSettings,
  images: readonly OwnFile[],
  known: Pick<ImagesFacts, 'train' | 'test'> | undefined,
): string | undefined {
  if (settings.data !== 'files' || !usesImages(analysis, settings)) return undefined;
  if (images.some(isPicture)) return 'The command line reads no pictures.';
  if (!known || (known.train && known.test)) return undefined;
  const there = known.train ? 'training images' : 'test images';
  return `The command line needs training and test images in one folder; here are ${there} alone.`;
}

function dataOptions({ data, limit, mean, std }: CheckpointSettings): string[] {
  return [
    `--data ${data === 'files' ? 'FOLDER' : data}`,
    ...(limit === 0 ? [] : [`--limit ${limit}`]),
    ...(mean === '' && std === '' ? [] : [`--mean ${shellWord(mean)} --std ${shellWord(std)}`]),
  ];
}

/** A file as a command takes it: a name that begins like an option is none. */
function fileWord(path: string): string {
  return shellWord(path.startsWith('-') ? `./${path}` : path);
}
