/** The example for Node runs as it is, from the built package. Those for browsers: embedding-examples.test.ts. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseSafetensors } from '../../src/io/safetensors.ts';
import { twoCheckpoints } from '../support/checkpoints.ts';

const folder = mkdtempSync(join(tmpdir(), 'rebasin-examples-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('examples/align.mjs', () => {
  it('aligns two checkpoints and writes the permuted one', () => {
    const { a, b } = twoCheckpoints(folder);
    const out = join(folder, 'aligned.safetensors');
    const { status, stdout, stderr } = spawnSync(process.execPath, ['examples/align.mjs', a, b, out], {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^mlp:20-9-4: distance [\d.]+ -> [\d.]+\n$/);
    const sorted = (file: string) =>
      [...(parseSafetensors(readFileSync(file)).tensors.get('fc1.bias')!.data as Float32Array)].sort();
    expect(sorted(out)).toEqual(sorted(b)); // the same units in another order
  });
});
