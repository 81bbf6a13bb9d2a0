/** The examples run as they are, from the built package. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseSafetensors } from '../../src/io/safetensors.ts';
import { writeSafetensors } from '../../src/io/safetensors-writer.ts';
import { initialiseParameters } from '../../src/nn/initialise.ts';
import { mlp } from '../../src/nn/models/mlp.ts';
import { stateEntries } from '../../src/nn/models/model.ts';

const folder = mkdtempSync(join(tmpdir(), 'rebasin-examples-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('examples/align.mjs', () => {
  it('aligns two checkpoints and writes the permuted one', () => {
    const entries = stateEntries(mlp({ widths: [20, 9, 4] }));
    const files = [1, 2].map((seed) => {
      const values = initialiseParameters(entries, seed);
      const file = join(folder, `${seed}.safetensors`);
      writeFileSync(
        file,
        writeSafetensors(entries.map(({ name, shape }) => [name, { shape, data: values.get(name)! }])),
      );
      return file;
    });
    const out = join(folder, 'aligned.safetensors');
    const { status, stdout, stderr } = spawnSync(process.execPath, ['examples/align.mjs', ...files, out], {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^mlp:20-9-4: distance [\d.]+ -> [\d.]+\n$/);
    const sorted = (file: string) =>
      [...(parseSafetensors(readFileSync(file)).tensors.get('fc1.bias')!.data as Float32Array)].sort();
    expect(sorted(out)).toEqual(sorted(files[1]!)); // the same units in another order
  });
});
