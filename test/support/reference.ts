/** The reference fixtures beside the repository: PyTorch checkpoints with independently computed numbers. Tests skip where they are not. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadImageFiles } from '../../src/io/image-files.ts';
import type { Model } from '../../src/nn/models/model.ts';
import { stateEntries } from '../../src/nn/models/model.ts';
import { recogniseModel } from '../../src/nn/models/recognise.ts';
import { readStateDict, valuesOf } from '../../src/nn/state-dict.ts';
import { GpuDataset } from '../../src/nn/train/gpu-dataset.ts';
import { Arena, ArenaLayout } from '../../src/runtime/arena.ts';
import type { Context } from '../../src/runtime/context.ts';

const shared = resolve(import.meta.dirname, '../../../shared');

/** Whether a fixture and its data are there; if not, a line says that tests are skipped. */
export function hasReference(fixture: string, data: string): boolean {
  const present = existsSync(`${shared}/reference/${fixture}`) && existsSync(`${shared}/data/${data}`);
  if (!present) console.log(`skipped: ../shared/reference/${fixture} or ../shared/data/${data} is not there`);
  return present;
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of the fixtures
export function referenceNumbers(fixture: string): any {
  return JSON.parse(readFileSync(`${shared}/reference/${fixture}/reference.json`, 'utf8'));
}

export interface ReferenceModel {
  readonly model: Model;
  readonly values: Map<string, Float32Array>;
}

export async function referenceModel(fixture: string, file: string): Promise<ReferenceModel> {
  const state = await readStateDict(readFileSync(`${shared}/reference/${fixture}/${file}`), file);
  const shapes = [...state.entries].map(([name, { shape }]) => ({ name, shape }));
  return { model: recogniseModel(shapes), values: valuesOf(state) };
}

/** Images of a file of ../shared/data, normalised as the fixture says. The caller destroys the set. */
export async function referenceData(
  context: Context,
  fixture: string,
  folder: string,
  file: string,
  limit?: number,
): Promise<GpuDataset> {
  const read = async (name: string) => readFileSync(`${shared}/data/${folder}/${name}`);
  const images = await loadImageFiles(read, [file], limit ? { limit } : {});
  return new GpuDataset(context, images, referenceNumbers(fixture).normalisation);
}

/** An arena with the model's values. The caller destroys it. */
export function arenaOf(context: Context, { model, values }: ReferenceModel): Arena {
  const arena = new Arena(context, new ArenaLayout(stateEntries(model)));
  arena.write(values);
  return arena;
}
