/** Links to the page's "Your checkpoints", and the commands that it names: text, without a browser. */
import { describe, expect, it } from 'vitest';
import { commandOf, noCommand } from '../../playground/checkpoints/choices.ts';
import {
  addressValues,
  DEFAULT_SETTINGS,
  type LinkState,
  linkOf,
  relevantChoices,
} from '../../playground/checkpoints/settings.ts';
import { addressOf, readState } from '../../playground/state.ts';

const HASH = '0123456789abcdef'.repeat(4);

const throughAddress = (state: LinkState) =>
  linkOf(readState(addressOf({ section: 'checkpoints', values: addressValues(state) })).values);

describe('a link', () => {
  it('holds choices, file names and hashes, whatever the names are', () => {
    const state: LinkState = {
      settings: {
        ...DEFAULT_SETTINGS,
        ...{ model: 'mlp:tanh', method: 'activation', renormalise: 'reset', preset: 'repair', seed: 7 },
        ...{ data: 'files', limit: 0, mean: '0.1,0.2,0.3', std: '1,1,1', points: 25, grid: 5 },
        ...{ prune: '2:4', pruned: 'b', analyses: ['spec', 'plane'] },
      },
      a: { name: 'a, the: first & best.safetensors', sha256: HASH },
      b: { name: 'ü%20.pt', sha256: HASH.replace('0', 'f') },
      images: [
        { name: 't10k-images-idx3-ubyte.gz', sha256: HASH },
        { name: 't10k-labels-idx1-ubyte.gz', sha256: HASH },
      ],
      hashes: { 'sweep-naive': HASH, merge: HASH },
    };
    expect(throughAddress(state)).toEqual(state);
  });

  it('says nothing of what is as usual, and reads nonsense as usual', () => {
    const usual: LinkState = { settings: DEFAULT_SETTINGS, images: [], hashes: {} };
    expect(addressValues(usual)).toEqual({});
    expect(
      linkOf({ seed: '-1', limit: 'many', analyses: 'nothing', a: 'no hash', b: `%E0:${HASH}` }),
    ).toEqual({
      ...{
        settings: { ...DEFAULT_SETTINGS, analyses: [] },
        a: undefined,
        b: undefined,
        images: [],
        hashes: {},
      },
    });
    expect(
      linkOf({ method: 'magic', data: 'moon', prune: 'shears', preset: 'mine', renormalise: '?' }).settings,
    ).toEqual(DEFAULT_SETTINGS);
  });

  it('asks for no more work than the form lets one ask for', () => {
    const { points, grid, limit } = linkOf({ points: '1000000', grid: '999', limit: '1e12' }).settings;
    expect([points, grid, limit]).toEqual([101, 61, 100_000]);
    expect(linkOf({ points: '0', limit: '0' }).settings).toMatchObject({ points: 2, limit: 0 });
  });
});

describe('an analysis', () => {
  it('is old only once something changed that it depends on', () => {
    const changed = { ...DEFAULT_SETTINGS, limit: 5 };
    expect(relevantChoices('match', changed)).toEqual(relevantChoices('match', DEFAULT_SETTINGS));
    expect(relevantChoices('line', changed)).not.toEqual(relevantChoices('line', DEFAULT_SETTINGS));
    const [one, other] = [DEFAULT_SETTINGS, changed].map(
      (each) => ({ ...each, method: 'activation' }) as const,
    );
    expect(relevantChoices('match', one!)).not.toEqual(relevantChoices('match', other!));
  });

  it('has the command that says the same', () => {
    const files = { a: 'a.pt', b: "it's b.pt", renormalise: 'repair', on: 'test' } as const;
    const settings = { ...DEFAULT_SETTINGS, data: 'digits', seed: 2 } as const;
    expect(commandOf('line', settings, files, 'naive')).toBe(
      "npx rebasin sweep a.pt 'it'\\''s b.pt' --points 11 --on test --data digits --limit 1000 --seed 2",
    );
    expect(commandOf('line', settings, files, 'corrected')).toContain(
      '--align weight --renormalise repair --points',
    );
    expect(commandOf('match', { ...settings, model: 'mlp:tanh' }, files)).toBe(
      "npx rebasin match a.pt 'it'\\''s b.pt' --model mlp:tanh --seed 2",
    );
    expect(commandOf('spec', settings, files)).toBeUndefined();
    const own = { ...settings, data: 'files' } as const;
    const part = { name: '', count: 1, channels: 1, height: 1, width: 1, classes: 2 };
    expect(noCommand('line', own, [], { test: part })).toMatch(/test images alone/);
    expect(noCommand('line', own, [], { train: part, test: part })).toBeUndefined();
    expect(noCommand('match', own, [], { test: part })).toBeUndefined();
    const odd = { ...settings, model: 'mlp:tanh; x', mean: '0.1, 0.2', std: '1,1' };
    expect(commandOf('plane', odd, { ...files, a: '-x.pt', b: 'run b/model.pt' })).toBe(
      "npx rebasin plane ./-x.pt 'run b/model.pt' --align weight --grid 11 --on test --model 'mlp:tanh; x' " +
        "--data digits --limit 1000 --mean '0.1, 0.2' --std 1,1 --seed 2",
    );
  });
});
