import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useCommandLine } from '../support/cli.ts';

const { folder, rebasin } = useCommandLine('cli-split');

const TRAIN = ['train', '--model', 'mlp:784-8-10', '--limit', '100', '--epochs', '1', '--batch-size', '50'];

const train = (...args: string[]) => rebasin(...TRAIN, ...args);

describe('rebasin train --split', () => {
  it('trains on the part it was asked for, and says so', () => {
    for (const [split, words] of [
      ['2', /data {6}class-biased half 2 of .*digits.* \(\d\d images\)/],
      ['3/4', /data {6}random part 3\/4 of .*digits.* \(25 images\)/],
    ] as const) {
      const { status, stdout, stderr } = train('--split', split);
      expect(status, stderr).toBe(0);
      expect(stdout).toMatch(words);
    }
  });

  it('gives other networks on other parts of one seed, and the same one again', () => {
    const checkpoint = (name: string, ...args: string[]) => {
      const { status, stderr } = train(...args, '--out', name);
      expect(status, stderr).toBe(0);
      return readFileSync(join(folder, name));
    };
    const first = checkpoint('1.safetensors', '--split', '1/2', '--split-seed', '5');
    expect(checkpoint('2.safetensors', '--split', '2/2', '--split-seed', '5')).not.toEqual(first);
    expect(checkpoint('3.safetensors', '--split', '1/2', '--split-seed', '6')).not.toEqual(first);
    expect(checkpoint('4.safetensors', '--split', '1/2', '--split-seed', '5')).toEqual(first);
  });

  it('refuses what is no part, with exit code 2 and nothing written', () => {
    for (const [args, message] of [
      [['--split', '3'], /expected 1, 2, or I\/N with I from 1 to N/],
      [['--split', '3/2'], /expected 1, 2, or I\/N/],
      [['--split', '1/101'], /expected 1 to 100 parts, .* got 101/],
      [['--split-seed', '4'], /--split-seed is the seed of --split: give both/],
    ] as const) {
      const { status, stdout, stderr } = train(...args, '--out', 'out.safetensors');
      expect([status, stdout], stderr).toEqual([2, '']);
      expect(stderr).toMatch(message);
      expect(existsSync(join(folder, 'out.safetensors'))).toBe(false);
    }
  });
});
