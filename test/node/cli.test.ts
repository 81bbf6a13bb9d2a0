import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseSafetensors } from '../../src/io/safetensors.ts';
import { writeSafetensors } from '../../src/io/safetensors-writer.ts';
import { useCommandLine } from '../support/cli.ts';

const { path, rebasin, rebasinWith, succeed, json } = useCommandLine('cli');

const SMALL = ['--model', 'mlp:784-24-16-10', '--limit', '400', '--epochs', '2', '--batch-size', '64'];

describe('rebasin', () => {
  beforeAll(() => {
    for (const seed of [0, 1]) {
      succeed('train', ...SMALL, '--seed', `${seed}`, '--out', `${seed}.safetensors`);
    }
  });

  it('explains every command and option with --help, on stdout, with exit code 0', () => {
    for (const command of [[], ['info'], ['train'], ['eval'], ['match'], ['sweep'], ['plane'], ['demo']]) {
      const { status, stdout, stderr } = rebasin(...command, '--help');
      expect([status, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/Usage: rebasin/);
    }
  });

  it('info names the adapter, where it was found, its limits and features', () => {
    const info = json('info');
    expect(info).toMatchObject({ command: 'info', limits: { maxComputeWorkgroupsPerDimension: 65535 } });
    expect(info.adapter).not.toBe('');
    expect(info.source).not.toBe('');
  });

  it('train writes a checkpoint with PyTorch names that eval scores as train did', () => {
    const trained = json('train', ...SMALL, '--seed', '0', '--out', 'again.safetensors');
    expect(readFileSync(path('again.safetensors'))).toEqual(readFileSync(path('0.safetensors')));
    const { tensors } = parseSafetensors(readFileSync(path('0.safetensors')));
    expect(Object.fromEntries([...tensors].map(([name, { shape }]) => [name, shape]))).toEqual({
      'fc1.weight': [24, 784],
      'fc1.bias': [24],
      'fc2.weight': [16, 24],
      'fc2.bias': [16],
      'fc3.weight': [10, 16],
      'fc3.bias': [10],
    });
    const scored = json('eval', '0.safetensors', '--limit', '400');
    expect({ loss: scored.loss, accuracy: scored.accuracy }).toEqual(trained.test);
    expect(trained.epochLoss[1]).toBeLessThan(trained.epochLoss[0]);
    expect(trained.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('match reports the contract fields, and its permuted checkpoint computes the same function', () => {
    const match = json('match', '0.safetensors', '1.safetensors', '--out', 'aligned.safetensors');
    expect(match).toMatchObject({ command: 'match', seed: 0, equivalence: { passed: true } });
    expect(match.objective.after).toBeGreaterThan(match.objective.before);
    expect(match.distance.after).toBeLessThan(match.distance.before);
    expect(
      Object.fromEntries(Object.entries(match.permutations).map(([k, p]) => [k, (p as number[]).length])),
    ).toEqual({
      fc1: 24,
      fc2: 16,
    });
    const before = json('eval', '1.safetensors', '--limit', '400');
    const after = json('eval', 'aligned.safetensors', '--limit', '400');
    // The sums over hidden units are taken in another order: a few float32 roundings of a loss near 1.
    expect(Math.abs(after.loss - before.loss)).toBeLessThan(1e-5);
    // Unit i of the permuted B is unit p[i] of B.
    const bias = (name: string) =>
      parseSafetensors(readFileSync(path(name))).tensors.get('fc1.bias')!.data as Float32Array;
    expect([...bias('aligned.safetensors')]).toEqual(
      match.permutations.fc1.map((unit: number) => bias('1.safetensors')[unit]),
    );
  });

  it('sweep gives the ends, barriers and midpoint, the same hash twice, and a report that stands alone', () => {
    const args = ['0.safetensors', '1.safetensors', '--limit', '300', '--points', '5', '--align', 'weight'];
    const first = json('sweep', ...args, '--out', 'swept');
    const second = json('sweep', ...args, '--out', 'swept.json');
    expect(second.hash).toBe(first.hash);
    expect(first.lambda).toEqual([0, 0.25, 0.5, 0.75, 1]);
    const end = json('eval', '0.safetensors', '--limit', '300');
    expect([first.test.loss[0], first.test.accuracy[0]]).toEqual([end.loss, end.accuracy]);
    expect(first.train.loss).toHaveLength(5);
    expect(first.test.midpoint.loss).toBe(first.test.loss[2]);
    expect(first.test.barrier.loss).toBeGreaterThanOrEqual(0);
    expect(first.match.objective.after).toBeGreaterThan(first.match.objective.before);
    expect(readdirSync(path('swept')).sort()).toEqual(['index.html', 'result.json']);
    expect(JSON.parse(readFileSync(path('swept/result.json'), 'utf8')).hash).toBe(first.hash);
    expect(readFileSync(path('swept/index.html'), 'utf8')).not.toMatch(/(?:src|href)="https?:/);
    expect(JSON.parse(readFileSync(path('swept.json'), 'utf8')).hash).toBe(first.hash);
  });

  it('prints results for people on stdout and progress on stderr', () => {
    const { stdout, stderr } = rebasin(
      'sweep',
      '0.safetensors',
      '1.safetensors',
      '--limit',
      '100',
      '--points',
      '2',
    );
    expect(stdout).toMatch(/lambda/);
    expect(stdout).not.toMatch(/%\s*$/m.source === '' ? /x/ : /sweep: \d+%/);
    expect(stderr).toMatch(/sweep: \d+%/);
  });
});

describe('rebasin with bad input', () => {
  const original = () => readFileSync(path('0.safetensors'));

  /** Writes a changed copy of a checkpoint. */
  function altered(
    name: string,
    change: (tensors: Map<string, { shape: readonly number[]; data: Float32Array }>) => void,
  ) {
    const tensors = new Map(
      [...parseSafetensors(original()).tensors].map(([key, t]) => [
        key,
        { shape: t.shape, data: t.data as Float32Array },
      ]),
    );
    change(tensors);
    writeFileSync(path(name), writeSafetensors(tensors));
    return name;
  }

  /** Expects one line on stderr that matches, the exit code, an empty stdout, and no file `out`. */
  function refused(args: string[], code: number, message: RegExp, env: Record<string, string> = {}) {
    const { status, stdout, stderr } = rebasinWith(env, ...args);
    expect([status, stdout], stderr).toEqual([code, '']);
    expect(stderr).toMatch(message);
    expect(existsSync(path('out.safetensors'))).toBe(false);
    expect(existsSync(path('out'))).toBe(false);
  }

  it('names an unknown option, command, or value, with exit code 2', () => {
    refused(['match', 'a', 'b', '--colour', 'red'], 2, /unknown option '--colour'/);
    refused(['mach'], 2, /unknown command 'mach'[\s\S]*match/);
    refused(
      ['sweep', 'a', 'b', '--align', 'magic'],
      2,
      /Allowed choices are none, random, weight, activation/,
    );
    refused(['train', '--model', 'alexnet'], 2, /unknown model "alexnet"/);
    refused(['train', '--model', 'mlp:784-10', '--limit', '-3'], 2, /positive integer/);
    refused(['eval', '0.safetensors', '--mean', '0.5'], 2, /--mean and --std/);
  });

  it('names a file that is missing', () => {
    refused(
      ['match', '0.safetensors', 'nowhere.safetensors', '--out', 'out.safetensors'],
      2,
      /nowhere\.safetensors/,
    );
    refused(['eval', '0.safetensors', '--data', 'no-folder'], 2, /no-folder/);
  });

  it('refuses truncated and lying safetensors files', () => {
    writeFileSync(path('cut.safetensors'), original().subarray(0, 5000));
    refused(
      ['match', '0.safetensors', 'cut.safetensors', '--out', 'out.safetensors'],
      1,
      /cut\.safetensors.*cut short/,
    );
    const lying = Buffer.from(original());
    lying.write('[24,785]', lying.indexOf('[24,784]'));
    writeFileSync(path('lying.safetensors'), lying);
    refused(['eval', 'lying.safetensors'], 1, /lying\.safetensors.*fc1\.weight/);
  });

  it('names the tensor in which two checkpoints differ', () => {
    const shape = altered('shape.safetensors', (t) =>
      t.set('fc2.bias', { shape: [17], data: new Float32Array(17) }),
    );
    refused(
      ['match', '0.safetensors', shape, '--out', 'out.safetensors'],
      1,
      /"fc2\.bias" is \[16\] in the first, \[17\] in the second/,
    );
    const missing = altered('missing.safetensors', (t) => t.delete('fc3.bias'));
    refused(
      ['sweep', '0.safetensors', missing, '--out', 'out'],
      1,
      /"fc3\.bias" is \[10\] in the first, missing in the second/,
    );
  });

  it('names the tensor that holds a NaN', () => {
    const nan = altered('nan.safetensors', (t) => {
      t.get('fc2.weight')!.data[7] = Number.NaN;
    });
    refused(['match', '0.safetensors', nan, '--out', 'out.safetensors'], 1, /fc2\.weight.*NaN at index 7/);
  });

  it('names a label that is out of range, and data that do not fit the model', () => {
    mkdirSync(path('bad-data'), { recursive: true });
    const idx = (magic: number, sizes: number[], bytes: Uint8Array) => {
      const header = new DataView(new ArrayBuffer(4 + 4 * sizes.length));
      header.setUint32(0, magic);
      sizes.forEach((size, i) => {
        header.setUint32(4 + 4 * i, size);
      });
      return Buffer.concat([Buffer.from(header.buffer), bytes]);
    };
    for (const part of ['train', 't10k']) {
      writeFileSync(
        path(`bad-data/${part}-images-idx3-ubyte`),
        idx(2051, [2, 28, 28], new Uint8Array(2 * 784)),
      );
      writeFileSync(path(`bad-data/${part}-labels-idx1-ubyte`), idx(2049, [2], Uint8Array.of(3, 10)));
    }
    refused(['eval', '0.safetensors', '--data', 'bad-data'], 1, /labels 0 \.\. 9, got 10 at index 1/);
    refused(
      ['train', '--model', 'mlp:100-10', '--out', 'out.safetensors'],
      1,
      /28x28 = 784 values do not fit mlp:100-10/,
    );
  });

  it('refuses options out of range and places it cannot write to, before any work', () => {
    refused(['eval', '0.safetensors', '--split', 'validation'], 2, /Allowed choices are train, test/);
    refused(['eval', '0.safetensors', '--logits', '501'], 2, /at most 500/);
    refused(['eval', '0.safetensors', '--variant', 'matmul=bogus'], 2, /matmul=naive\|register/);
    refused(
      ['sweep', '0.safetensors', '1.safetensors', '--out', '0.safetensors'],
      2,
      /expected a folder that can be written/,
    );
    refused(
      ['match', '0.safetensors', '1.safetensors', '--out', 'nowhere/out.safetensors'],
      2,
      /expected a path that can be written/,
    );
    refused(['train', ...SMALL, '--metrics', 'nowhere/m.jsonl'], 2, /nowhere\/m\.jsonl: expected a path/);
  });

  it('refuses two checkpoints that say different things about themselves, unless told', () => {
    const tanh = rebasin(
      'train',
      '--model',
      'mlp:784-24-16-10:tanh',
      '--limit',
      '50',
      '--epochs',
      '1',
      '--out',
      'tanh.safetensors',
    );
    expect(tanh.status, tanh.stderr).toBe(0);
    refused(
      ['match', '0.safetensors', 'tanh.safetensors', '--out', 'out.safetensors'],
      1,
      /rebasin\.model mlp:784-24-16-10.*:tanh; say with --model/,
    );
    expect(json('match', '0.safetensors', 'tanh.safetensors', '--model', 'mlp:tanh').model).toBe(
      'mlp:784-24-16-10:tanh',
    );
  });

  it('writes no checkpoint of a training that diverged, in its last step too', () => {
    const args = [
      'train',
      '--model',
      'mlp:784-8-10',
      '--limit',
      '100',
      '--epochs',
      '1',
      '--learning-rate',
      '1e30',
      '--out',
      'out.safetensors',
    ];
    const { status, stdout, stderr } = rebasin(...args);
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/diverged|fit: /);
    expect(existsSync(path('out.safetensors'))).toBe(false);
  });

  it('says what to install when there is no adapter, with exit code 3', () => {
    refused(['info'], 3, /VK_ICD_FILENAMES[\s\S]*/, { VK_ICD_FILENAMES: '/nowhere/icd.json' });
  });
});
