/** `rebasin prune` as a user meets it: a curve, a report, a checkpoint that is recognised again, and what is refused before any work. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseSafetensors } from '../../src/io/safetensors.ts';
import { useCommandLine } from '../support/cli.ts';

const { folder, path, rebasin, succeed, json } = useCommandLine('cli-prune');

const SMALL = ['--limit', '120'];
const WEIGHTS = 784 * 24 + 24 * 16 + 160;

const zerosOf = (file: string) => {
  const { tensors } = parseSafetensors(readFileSync(path(file)), file);
  let zeros = 0;
  for (const [name, { data }] of tensors) {
    if (name.endsWith('.weight') && name.startsWith('fc'))
      zeros += [...(data as Float32Array)].filter((x) => x === 0).length;
  }
  return zeros;
};

describe('rebasin prune', () => {
  beforeAll(() => {
    for (const [name, model] of [
      ['plain', 'mlp:784-24-16-10'],
      ['unbiased', 'mlp:784-24-16-10:no-bias'],
      ['normed', 'mlp:784-24-16-10:norm=batch'],
    ] as const) {
      succeed(
        'train',
        '--model',
        model,
        '--limit',
        '300',
        '--epochs',
        '2',
        '--batch-size',
        '50',
        '--out',
        `${name}.safetensors`,
      );
    }
  });

  it('gives a curve, the dense score first, the same hash twice, and a report that stands alone', () => {
    const args = ['plain.safetensors', ...SMALL, '--sparsity', '0.5,0.9', '--out', 'report'];
    const result = json('prune', ...args);
    expect(result).toMatchObject({
      ...{ command: 'prune', model: 'mlp:784-24-16-10', method: 'magnitude', scope: 'without-shortcuts' },
      ...{ renormalise: 'rescale', weights: WEIGHTS, data: { split: 'test', images: 120 } },
      curve: [
        { sparsity: 0.5, zeros: WEIGHTS / 2, achieved: 0.5 },
        { sparsity: 0.9, zeros: Math.floor(0.9 * WEIGHTS) },
      ],
    });
    const { loss, accuracy } = json('eval', 'plain.safetensors', ...SMALL);
    expect(result.dense).toEqual({ loss, accuracy });
    for (const point of result.curve) {
      for (const score of [point.pruned, point.renormalised])
        expect(Object.keys(score)).toEqual(['loss', 'accuracy']);
    }
    expect(json('prune', ...args).hash).toBe(result.hash);
    expect(json('prune', ...args, '--method', 'random').hash).not.toBe(result.hash);
    const page = readFileSync(path('report/index.html'), 'utf8');
    expect(page).toContain('of the weights removed');
    expect(page).not.toMatch(/(?:src|href)="https?:/);
  });

  it.each([
    ['plain', 'repair', 'mlp:784-24-16-10'],
    ['unbiased', 'repair', 'mlp:784-24-16-10'],
    ['normed', 'auto', 'mlp:784-24-16-10:norm=batch'],
  ])('writes %s after %s, recognised again, its zeros zero', (name, renormalise, model) => {
    const saved = `${name}-pruned.safetensors`;
    const result = json(
      ...[
        'prune',
        `${name}.safetensors`,
        ...SMALL,
        '--sparsity',
        '0.5,0.8,0.9',
        '--renormalise',
        renormalise,
      ],
      ...['--preset', 'reference', '--save', saved, '--at', '0.8'],
    );
    expect(result.saved).toEqual({ file: saved, sparsity: 0.8 });
    expect(result.scope).toBe('all');
    const again = json('eval', saved, ...SMALL);
    expect(again.model).toMatch(new RegExp(`^${model}`));
    expect({ loss: again.loss, accuracy: again.accuracy }).toEqual(result.curve[1].renormalised);
    expect(zerosOf(saved)).toBe(result.curve[1].zeros);
    expect(readdirSync(folder).filter((file) => file.endsWith('.tmp'))).toEqual([]);
  });

  it('has every method, with their options', () => {
    const zeros = new Set<string>();
    for (const args of [
      ['--method', 'magnitude-per-layer'],
      ['--method', 'fisher', '--samples', '10'],
      ['--method', 'woodfisher', '--samples', '4', '--block-size', '8', '--damping', '0.01'],
      ['--method', 'wanda'],
      ['--method', 'channel'],
    ]) {
      const { curve, samples } = json(
        'prune',
        'plain.safetensors',
        ...SMALL,
        '--sparsity',
        '0.5',
        '--renormalise',
        'none',
        ...args,
      );
      expect(samples).toBe({ fisher: 10, woodfisher: 4, wanda: 120 }[args[1]!]);
      expect(curve[0].renormalised).toBeUndefined();
      zeros.add(JSON.stringify(curve[0].pruned));
    }
    expect(zeros.size).toBe(5);
    const pattern = json('prune', 'plain.safetensors', ...SMALL, '--method', '1:4');
    expect(pattern.curve).toHaveLength(1);
    expect(pattern.curve[0]).toMatchObject({ sparsity: 0.75, achieved: 0.75, zeros: 0.75 * WEIGHTS });
  });

  it('prints what came out and a table for people', () => {
    const { stdout, stderr } = succeed(
      'prune',
      'plain.safetensors',
      ...SMALL,
      '--method',
      'fisher',
      '--samples',
      '20',
    );
    expect(stdout).toMatch(/^With \d+% of the weights removed by their Fisher information the network gets/);
    expect(stdout).toMatch(/\nJudged were 19,360 weights .*, on 20 images\. Biases and norms stay\./);
    expect(stdout).toMatch(
      /\nsparsity +zeros +of all .*\ndense .*\n50% +9,680 +50\.00%.*\n70% .*\n80% .*\n90% .*\n95% /,
    );
    expect(stderr).toMatch(/judge weights: \d+%/);
    expect(succeed('prune', '--help').stdout).toMatch(/Usage: rebasin prune/);
  });

  it('refuses what does not go together before anything is written', () => {
    for (const [args, code, message] of [
      [['--method', 'best'], 2, /expected one of magnitude, .*2:4/],
      [['--method', '2:4', '--sparsity', '0.5'], 2, /its sparsity is 0\.5; give none/],
      [['--sparsity', '0.5,1.5'], 2, /from 0 to 1, got 1\.5/],
      [['--sparsity', 'half'], 2, /numbers separated by commas/],
      [['--renormalise', 'reset'], 1, /no batch norm/],
      [['--renormalise', 'repair', '--repair-form', 'closed'], 2, /closed form of repair/],
      [['--renormalise', 'bias'], 2, /Allowed choices are auto/],
      [
        ['--save', 'x.safetensors'],
        2,
        /say with --at which sparsity to write, one of 0\.5, 0\.7, 0\.8, 0\.9, 0\.95/,
      ],
      [['--save', 'x.safetensors', '--at', '0.6'], 2, /one of .*; got 0\.6/],
      [['--at', '0.5'], 2, /give both/],
      [['--save', 'nowhere/x.safetensors', '--at', '0.5'], 2, /expected a path that can be written/],
      [['--method', 'fisher', '--samples', '121'], 2, /121 samples were asked for, there are 120 images/],
      [['--data', 'colours'], 1, /do not fit/],
    ] as const) {
      const { status, stdout, stderr } = rebasin(
        'prune',
        'plain.safetensors',
        ...args,
        ...SMALL,
        '--out',
        'refused.json',
      );
      expect([status, stdout], stderr).toEqual([code, '']);
      expect(stderr).toMatch(message);
    }
    for (const file of ['refused.json', 'x.safetensors']) expect(existsSync(path(file))).toBe(false);
  });
});
