/** Small checkpoints in files, as a user would have them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeSafetensors } from '../../src/io/safetensors-writer.ts';
import { initialiseParameters } from '../../src/nn/initialise.ts';
import { mlp } from '../../src/nn/models/mlp.ts';
import { stateEntries } from '../../src/nn/models/model.ts';

/** Writes a.safetensors and b.safetensors, MLPs 20-9-4 from two seeds, and other.safetensors, 20-8-4. @returns their paths. */
export function twoCheckpoints(folder: string): { a: string; b: string; other: string } {
  const write = (name: string, hidden: number, seed: number) => {
    const entries = stateEntries(mlp({ widths: [20, hidden, 4] }));
    const values = initialiseParameters(entries, seed);
    const path = join(folder, `${name}.safetensors`);
    const tensors = entries.map(
      ({ name, shape }) => [name, { dtype: 'F32', shape, data: values.get(name)! }] as const,
    );
    writeFileSync(path, writeSafetensors(tensors));
    return path;
  };
  return { a: write('a', 9, 1), b: write('b', 9, 2), other: write('other', 8, 3) };
}
