import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { useCommandLine } from '../support/cli.ts';

const { path, rebasin, succeed, json } = useCommandLine('self-paced');

const SMALL = ['train', '--model', 'mlp:784-16-10', '--limit', '300', '--epochs', '3', '--batch-size', '64'];

describe('rebasin train --self-paced', () => {
  it('tells the weights of each epoch in its result, its metrics, and to people', () => {
    const paced = json(...SMALL, '--self-paced', 'hard', '--age-from', '0.4', '--metrics', 'paced.jsonl');
    expect(paced.selfPaced).toEqual([
      { share: 1, meanWeight: 1 },
      { age: expect.any(Number), share: 0.4, meanWeight: 0.4 },
      { age: expect.any(Number), share: 1, meanWeight: 1 },
    ]);
    const lines = readFileSync(path('paced.jsonl'), 'utf8').trim().split('\n');
    const paces = lines.map((line) => JSON.parse(line)).map(({ epoch, pace }) => [epoch, pace]);
    expect(paces).toContainEqual([2, paced.selfPaced[1]]);
    expect(succeed(...SMALL, '--self-paced', 'linear').stdout).toMatch(
      /epoch {3}2 training loss \S+ {2}weighted 50\.0%, mean weight 0\.\d{3}/,
    );
  });

  it('has a hash of its own recipe, and leaves that of plain training as it is', () => {
    const plain = json(...SMALL, '--out', 'plain.safetensors');
    expect(plain.selfPaced).toBeUndefined();
    const paced = (...args: string[]) => json(...SMALL, '--self-paced', ...args);
    const all = paced('hard', '--age-from', '1', '--out', 'all.safetensors');
    expect(readFileSync(path('all.safetensors'))).toEqual(readFileSync(path('plain.safetensors')));
    const later = paced('hard', '--plain-epochs', '2', '--age-to', '0.6');
    expect(later.selfPaced.map(({ share }: { share: number }) => share)).toEqual([1, 1, 0.6]);
    expect(new Set([plain.hash, all.hash, later.hash]).size).toBe(3);
    expect(paced('hard', '--plain-epochs', '2', '--age-to', '0.6').hash).toBe(later.hash);
    const [steep, flat] = ['1.2', '3'].map(
      (t) => paced('polynomial', '--exponent', t).selfPaced[1].meanWeight,
    );
    expect(steep).toBeLessThan(flat);
  });

  it.each<[string[], RegExp]>([
    [
      ['--self-paced', 'logarithmic'],
      /Allowed choices are hard, linear, polynomial, mixture, log, exponential/,
    ],
    [['--age-to', '0.5'], /--age-from, --age-to.*give it too/],
    [['--exponent', '2'], /give it too/],
    [['--self-paced', 'linear', '--exponent', '2'], /--exponent is of --self-paced polynomial/],
    [['--self-paced', 'hard', '--age-from', '0'], /above 0, up to 1/],
    [['--self-paced', 'hard', '--age-to', '1.1'], /from 0 to 1/],
    [['--self-paced', 'hard', '--plain-epochs', '3'], /plainEpochs must be an integer from 1 to 2/],
    [['--self-paced', 'polynomial', '--exponent', '1'], /exponent above 1/],
  ])('refuses %j with one clear error, and writes nothing', (args, message) => {
    const { status, stdout, stderr } = rebasin(...SMALL, ...args, '--out', 'none.safetensors');
    expect([status, stdout], stderr).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(existsSync(path('none.safetensors'))).toBe(false);
  });
});
