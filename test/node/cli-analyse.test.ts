/** `rebasin analyse` as a user meets it: two checkpoints and three, what is written, and what is refused before any work. */
import { existsSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { useCommandLine } from '../support/cli.ts';

const { path, rebasin, succeed, json } = useCommandLine('cli-analyse');

const [A, B, C] = ['a.safetensors', 'b.safetensors', 'c.safetensors'] as const;
const SMALL = ['--limit', '100', '--points', '3'];

describe('rebasin analyse', () => {
  beforeAll(() => {
    for (const [seed, out] of [A, B, C].entries()) {
      succeed(
        ...['train', '--model', 'mlp:784-12-10', '--limit', '100', '--epochs', '2', '--batch-size', '20'],
        ...['--seed', `${seed}`, '--out', out],
      );
    }
  });

  it('of two tells distances, barriers, estimates and singular vectors, before and after matching', () => {
    const result = json('analyse', A, B, ...SMALL, '--out', 'report');
    expect(result).toMatchObject({ command: 'analyse', renormalise: 'none', lambda: [0, 0.5, 1] });
    expect(result.data).toMatchObject({ split: 'test', images: 100 });
    const [naive, matched, ...none] = result.matchings;
    expect([naive.align, matched.align, none]).toEqual(['none', 'weight', []]);
    const match = json('match', A, B);
    expect([naive.distance, matched.distance]).toEqual([match.distance.before, match.distance.after]);
    expect(matched.reduction).toBeCloseTo(1 - match.distance.after / match.distance.before, 12);
    expect(matched.matches.B.permutations).toEqual(match.permutations);
    const line = json('sweep', A, B, '--align', 'weight', ...SMALL, '--on', 'test');
    expect(matched.curve).toEqual(line.test);
    // The estimate starts from the losses that the line starts from.
    expect(matched.taylor.loss[0]).toBeCloseTo(line.test.loss[0], 5);
    expect(matched.taylor.loss[2]).toBeCloseTo(line.test.loss[2], 5);
    expect(matched.taylor.loss[1]).not.toBeCloseTo(line.test.loss[1], 5);
    expect(result.singular.invariance).toBeLessThan(1e-5);
    expect(result.singular.layers.map(({ layer }: { layer: string }) => layer)).toEqual(['fc1', 'fc2']);
    expect(matched.alignment.score[0]).toBeGreaterThan(naive.alignment.score[0]);

    expect(JSON.parse(readFileSync(path('report/result.json'), 'utf8'))).toEqual(result);
    const page = readFileSync(path('report/index.html'), 'utf8');
    expect(page).toContain('Weight matching brings the networks');
    expect(page).not.toMatch(/(?:src|href)="https?:/);
    expect(json('analyse', A, B, ...SMALL).hash).toBe(result.hash);
  });

  it('of three also tells what lies between every two of them, for each method', () => {
    const options = [...SMALL, '--no-singular-vectors', '--on', 'train', '--against', 'random', 'activation'];
    const { matchings, singular } = json('analyse', A, B, C, ...options);
    expect(singular).toBeUndefined();
    expect(matchings.map(({ align }: { align: string }) => align)).toEqual([
      'none',
      'weight',
      'random',
      'activation',
    ]);
    for (const { pairs, align, matches, curve } of matchings) {
      const names = align === 'none' ? ['A,B', 'A,C', 'B,C'] : ['A,pi(B)', 'A,pi(C)', 'pi(B),pi(C)'];
      expect(pairs.map(({ networks }: { networks: string[] }) => networks.join())).toEqual(names);
      expect(pairs[0].barrier).toEqual(curve.barrier);
      expect(Object.keys(matches)).toEqual(align === 'none' ? [] : ['B', 'C']);
    }
  });

  it('prints a sentence and tables for people, and what it is doing on the way', () => {
    const { stdout, stderr } = succeed('analyse', A, B, C, ...SMALL);
    expect(stdout).toMatch(
      /^Weight matching brings the networks \d+\.\d% closer and takes the test loss barrier/,
    );
    expect(stdout).toMatch(/\nmatching +distance +closer by +test loss barrier +Taylor estimate +/);
    expect(stdout).toMatch(/\ngamma +pairs +R as they are +R, weight\n +0 +22 +/);
    expect(stdout).toMatch(/\nfc1 +12 x 784 +/);
    expect(stdout).toMatch(/\n +pi\(B\) and pi\(C\) +/);
    expect(stderr).toMatch(/Taylor estimate: \d+%[\s\S]*weight: singular vectors: decompose: \d+%/);
    expect(rebasin('analyse', '--help').stdout).toMatch(/Usage: rebasin analyse/);
    const alone = succeed('analyse', A, B, ...SMALL, '--align', 'none', '--no-singular-vectors').stdout;
    expect(alone).toMatch(/^Straight between the two networks the test loss barrier is /);
  });

  it('refuses what does not fit or cannot be done, before anything is written', () => {
    for (const [args, code, message] of [
      [[A, B, '--renormalise', 'reset'], 1, /no batch norm/],
      [[A, B, '--points', '1'], 2, /at least 2/],
      [[A, B, '--on', 'both'], 2, /Allowed choices are train, test/],
      [[A, B, '--against', 'magic'], 2, /Allowed choices are none, random, weight/],
      [[A, B, '--data', 'colours'], 1, /do not fit/],
      [[A], 2, /missing required argument/],
      [[A, 'missing.safetensors'], 2, /missing\.safetensors/],
    ] as const) {
      const { status, stdout, stderr } = rebasin(
        'analyse',
        ...args,
        '--limit',
        '100',
        '--out',
        'refused.json',
      );
      expect([status, stdout], stderr).toEqual([code, '']);
      expect(stderr).toMatch(message);
    }
    expect(existsSync(path('refused.json'))).toBe(false);
  });
});
