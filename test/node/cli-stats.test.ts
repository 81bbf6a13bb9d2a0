import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { useCommandLine } from '../support/cli.ts';

const { folder, rebasin, succeed, json } = useCommandLine('cli-stats');

const SMALL = ['--limit', '120'];
const names = (result: { networks: { name: string }[] }) => result.networks.map(({ name }) => name);

describe('rebasin stats', () => {
  beforeAll(() => {
    for (const [kind, model] of Object.entries({
      plain: 'mlp:784-24-16-10',
      normed: 'mlp:784-24-16-10:norm=batch',
    })) {
      for (const seed of ['0', '1']) {
        const training = ['--model', model, '--limit', '300', '--epochs', '2', '--batch-size', '50'];
        succeed('train', ...training, '--seed', seed, '--out', `${kind}${seed}.safetensors`);
      }
    }
  });

  it('of one checkpoint gives each layer, on the images asked for, and each channel where asked', () => {
    const stats = json('stats', 'plain0.safetensors', ...SMALL, '--channels');
    expect(stats).toMatchObject({
      command: 'stats',
      model: 'mlp:784-24-16-10',
      data: { split: 'test', images: 120 },
    });
    const [network] = stats.networks;
    expect(
      network.layers.map(({ kind, layer, channels }: Record<string, unknown>) => [kind, layer, channels]),
    ).toEqual([
      ['weighted', 'fc1', 24],
      ['activation', 'fc1', 24],
      ['weighted', 'fc2', 16],
      ['activation', 'fc2', 16],
      ['weighted', 'fc3', 10],
    ]);
    const { perChannel, variance } = network.layers[0];
    expect(perChannel.variance.reduce((sum: number, v: number) => sum + v, 0) / 24).toBeCloseTo(variance, 10);
    const { loss, accuracy } = json('eval', 'plain0.safetensors', ...SMALL);
    expect(network).toMatchObject({ loss, accuracy });
    const train = json('stats', 'plain0.safetensors', ...SMALL, '--on', 'train');
    expect(train.data.split).toBe('train');
    expect(train.networks[0].layers[0].perChannel).toBeUndefined();
    expect(train.networks[0].layers[0].variance).not.toBe(variance);
  });

  it('of two compares the network half-way with both ends, and writes a report that stands alone', () => {
    const stats = json('stats', 'plain0.safetensors', 'plain1.safetensors', ...SMALL, '--out', 'report');
    expect(names(stats)).toEqual(['A', 'B', 'merged']);
    const { layers, logits, verdict } = stats.collapse;
    expect(layers.map(({ layer }: { layer: string }) => layer)).toEqual(['fc1', 'fc2']);
    expect(logits.feature).toBeGreaterThan(0);
    expect(verdict.kind).toBe('not-aligned');
    const line = json(
      'sweep',
      'plain0.safetensors',
      'plain1.safetensors',
      ...SMALL,
      '--points',
      '3',
      '--on',
      'test',
    );
    expect(stats.networks.map(({ loss }: { loss: number }) => loss)).toEqual(
      [0, 2, 1].map((i) => line.test.loss[i]),
    );
    expect(JSON.parse(readFileSync(join(folder, 'report/result.json'), 'utf8'))).toEqual(stats);
    const page = readFileSync(join(folder, 'report/index.html'), 'utf8');
    expect(page).toContain('Not aligned: already fc1');
    expect(page).not.toMatch(/(?:src|href)="https?:/);
  });

  it('aligns and corrects first where asked, with the same hash twice', () => {
    const pair = [
      'normed0.safetensors',
      'normed1.safetensors',
      ...SMALL,
      '--align',
      'weight',
      '--on',
      'train',
    ];
    const raw = json('stats', ...pair);
    const reset = json('stats', ...pair, '--renormalise', 'reset');
    expect(json('stats', ...pair, '--renormalise', 'reset').hash).toBe(reset.hash);
    expect(reset.hash).not.toBe(raw.hash);
    expect(names(reset)).toEqual(['A', 'pi(B)', 'merged']);
    expect(reset.match.equivalence.passed).toBe(true);
    expect(reset.collapse.layers.map(({ layer }: { layer: string }) => layer)).toEqual(['bn1', 'bn2']);
    expect(reset.networks[0]).toEqual(raw.networks[0]);
    // Twelve steps of Adam at 1e-3 take a scale from 1 to within 0.012: with statistics of these very images the variance after a norm
    // is its square, less a part in 120 for each norm before.
    const distance = (stats: typeof raw) => Math.abs(stats.networks[2].layers[4].variance - 1);
    expect(distance(reset)).toBeLessThan(0.05);
    expect(distance(raw)).toBeGreaterThan(0.2);
  });

  it('prints tables, the verdict and what to try for people', () => {
    const one = rebasin('stats', 'plain0.safetensors', ...SMALL);
    expect(one.stdout).toMatch(/^mlp:784-24-16-10 on 120 test images: layers have a scale from/);
    expect(one.stdout).toMatch(
      /\nlayer +kind +channels +\|mean\| +std +scale +zeros +dead\nfc1 +weighted +24 /,
    );
    const two = rebasin('stats', 'plain0.safetensors', 'plain1.safetensors', ...SMALL);
    expect(two.stdout).toMatch(
      /^Not aligned: .*\nTo try: match the units first: --align weight or activation\.\n/,
    );
    expect(two.stdout).toMatch(
      /\nlayer +variance ratio +scale ratio +response +zeros: ends +zeros: merged\nfc1 +0\.\d{3}/,
    );
    expect(two.stderr).toMatch(/statistics: \d+%/);
    expect(rebasin('stats', '--help').stdout).toMatch(/Usage: rebasin stats/);
  });

  it('refuses to align one checkpoint, networks that differ, and what does not fit, before anything is written', () => {
    for (const [args, code, message] of [
      [['plain0.safetensors', '--align', 'weight'], 2, /give a second checkpoint/],
      [['plain0.safetensors', '--renormalise', 'repair'], 2, /give a second checkpoint/],
      [['plain0.safetensors', 'normed0.safetensors'], 1, /"bn1\.\w+"/],
      [['plain0.safetensors', 'plain1.safetensors', '--renormalise', 'reset'], 1, /no batch norm/],
      [['plain0.safetensors', '--on', 'both'], 2, /Allowed choices are train, test/],
      [['plain0.safetensors', '--data', 'colours'], 1, /do not fit/],
    ] as const) {
      const { status, stdout, stderr } = rebasin('stats', ...args, ...SMALL, '--out', 'refused.json');
      expect([status, stdout], stderr).toEqual([code, '']);
      expect(stderr).toMatch(message);
    }
    expect(existsSync(join(folder, 'refused.json'))).toBe(false);
  });
});
