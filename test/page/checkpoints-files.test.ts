/** What the worker keeps for "Your checkpoints", without a browser: files are told apart whatever they are called, and only what is asked for is saved. */
import { describe, expect, it } from 'vitest';
import { chosenFile } from '../../playground/checkpoints/chosen-file.ts';
import { keepMerged, savedCheckpoint } from '../../playground/checkpoints/made.ts';
import { forgetOtherFiles, openFile } from '../../playground/checkpoints/networks.ts';
import { Session } from '../../playground/worker/session.ts';
import { mlp } from '../../src/nn/models/mlp.ts';
import { stateEntries } from '../../src/nn/models/model.ts';
import { stateDictOf, writeStateDict } from '../../src/nn/state-dict.ts';
import { plausibleValues } from '../support/barely-trained.ts';

const MODEL = mlp({ widths: [6, 4, 3] });

/** `runN/model.safetensors`: every run's file has the same name, size and time. */
function fileOfRun(seed: number) {
  const bytes = writeStateDict(stateDictOf(stateEntries(MODEL), plausibleValues(MODEL, seed)));
  const file = new File([new Uint8Array(bytes)], 'model.safetensors', { lastModified: 1 });
  return chosenFile({ path: `run${seed}/model.safetensors`, file });
}

const { signal } = new AbortController();

describe('files', () => {
  it('of one name, size and time are read each, and named by their paths', async () => {
    const session = new Session();
    const [a, b] = [fileOfRun(0), fileOfRun(1)];
    const [first, second] = [await openFile(session, a, signal), await openFile(session, b, signal)];
    expect(second.facts.sha256).not.toBe(first.facts.sha256);
    expect([first.facts.name, second.checkpoint.path]).toEqual([
      'run0/model.safetensors',
      'run1/model.safetensors',
    ]);
    expect(await openFile(session, a, signal)).toBe(first);
    expect(chosenFile(a)).toEqual(a);
  });

  it('that are replaced while they are read are not kept, nor begun once the task is stopped', async () => {
    const session = new Session();
    const [a, b] = [fileOfRun(0), fileOfRun(1)];
    const late = openFile(session, a, signal);
    forgetOtherFiles(session, [b]);
    const found = await late;
    expect(await openFile(session, a, signal)).not.toBe(found);
    await expect(openFile(session, b, AbortSignal.abort())).rejects.toThrow(/abort/i);
  });

  it('that cannot be read are read anew when asked for again', async () => {
    const session = new Session();
    const bad = chosenFile({ path: 'bad.npz', file: new File(['no'], 'bad.npz') });
    for (let i = 0; i < 2; i++) await expect(openFile(session, bad, signal)).rejects.toThrow(/bad\.npz/);
  });
});

describe('a network to save', () => {
  it('is that of the result that is shown, or none', async () => {
    const session = new Session();
    const bytes = Uint8Array.of(1, 2, 3);
    keepMerged(session, bytes, 'its hash');
    const tools = { session, signal, report: () => {} };
    expect(await savedCheckpoint({ which: 'merged', hash: 'its hash' }, tools)).toBe(bytes);
    for (const which of ['merged', 'permuted'] as const) {
      await expect(savedCheckpoint({ which, hash: 'another' }, tools)).rejects.toThrow(/no longer there/);
    }
  });
});
