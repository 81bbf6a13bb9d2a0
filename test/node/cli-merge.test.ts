import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FileTensor, parseSafetensors } from '../../src/io/safetensors.ts';
import { writeSafetensors } from '../../src/io/safetensors-writer.ts';
import { useCommandLine } from '../support/cli.ts';

const { path, rebasin, succeed, json } = useCommandLine('cli-merge');

const LIMIT = ['--limit', '100'];

/** Some networks, barely trained. */
function train(model: string, name: string, count = 2, limit = 100): string[] {
  return Array.from({ length: count }, (_, seed) => {
    const out = `${name}${seed}.safetensors`;
    succeed(
      ...['train', '--model', model, '--limit', `${limit}`, '--epochs', '2', '--batch-size', '20'],
      ...['--seed', `${seed}`, '--out', out],
    );
    return out;
  });
}

function refused(args: readonly string[], code: number, message: RegExp) {
  const { status, stdout, stderr } = rebasin(...args, ...LIMIT);
  expect([status, stdout], stderr).toEqual([code, '']);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/%/); // no bar had begun
  expect(existsSync(path('out.safetensors'))).toBe(false);
  expect(existsSync(path('out'))).toBe(false);
}

let mlps: string[] = [];
beforeAll(() => {
  mlps = train('mlp:784-12-10', 'mlp', 3);
});

describe('rebasin merge', () => {
  it('of two writes a checkpoint that eval scores the same, a report, and a verdict', () => {
    const [a, b] = mlps as [string, string];
    const args = ['merge', a, b, ...LIMIT];
    const merged = json(...args, '--out', 'merged.safetensors', '--report', 'report');
    expect(merged).toMatchObject({
      ...{ command: 'merge', model: 'mlp:784-12-10', strategy: 'reference', align: 'weight' },
      ...{ renormalise: 'none', images: 100, checkpoint: 'merged.safetensors' },
      models: [
        { name: a, coefficient: 0.5 },
        { name: b, coefficient: 0.5 },
      ],
      equivalence: { passed: true },
    });
    expect(merged.verdict[0]).toMatch(/^The mean of 2 networks gets \d+\.\d\d% of 100 images right: /);
    const scores = (file: string) => {
      const { loss, accuracy } = json('eval', file, ...LIMIT);
      return { loss, accuracy };
    };
    expect(merged.test).toMatchObject(scores('merged.safetensors'));
    expect(merged.models[1].test).toMatchObject(scores(b));
    expect(merged.test.calibrated.loss).toBeLessThanOrEqual(merged.test.loss);
    expect(readdirSync(path('report')).sort()).toEqual(['index.html', 'result.json']);
    expect(JSON.parse(readFileSync(path('report/result.json'), 'utf8'))).toEqual(merged);
    expect(readFileSync(path('report/index.html'), 'utf8')).toContain(merged.verdict[0]);

    // Paths and times are no part of a result; the output may be one of the inputs.
    copyFileSync(path(a), path('copy.safetensors'));
    const again = json('merge', 'copy.safetensors', b, ...LIMIT, '--out', 'copy.safetensors');
    expect(again.hash).toBe(merged.hash);
    expect(readFileSync(path('copy.safetensors'))).toEqual(readFileSync(path('merged.safetensors')));
    expect(json(...args, '--lambda', '0.25')).toMatchObject({
      models: [{ coefficient: 0.75 }, { coefficient: 0.25 }],
    });
  });

  it('of three matches all jointly, and tells people how it did', () => {
    const merged = json('merge', ...mlps, ...LIMIT, '--renormalise', 'repair');
    expect(merged).toMatchObject({ strategy: 'cycle-consistent', merging: { cycleError: 0 } });
    const byActivations = json('merge', ...mlps, ...LIMIT, '--align', 'activation');
    expect(byActivations).toMatchObject({ strategy: 'reference', align: 'activation' });
    expect(merged.models.map(({ coefficient }: { coefficient: number }) => coefficient)).toEqual([
      1 / 3,
      1 / 3,
      1 / 3,
    ]);
    expect(merged.permutations.map((groups: object) => Object.keys(groups))).toEqual([
      ['fc1'],
      ['fc1'],
      ['fc1'],
    ]);
    const measured = json('merge', ...mlps, ...LIMIT, '--strategy', 'sequential', '--measure-cycles');
    expect(measured.merging.cycleError).toBeGreaterThanOrEqual(0);
    const { stdout, stderr } = rebasin('merge', ...mlps, ...LIMIT, '--strategy', 'none');
    expect(stdout).toMatch(/\nmlp0\.safetensors +33\.3% +\d/);
    expect(stdout).toMatch(/\nmerged +\d.*\n\nThe mean of 3 networks, as they are, gets /);
    expect(stderr).toMatch(/evaluate: \d+%/);
  });

  it('writes what a correction adds, and integer buffers, so that they are read back', () => {
    const unbiased = train('mlp:784-12-10:no-bias', 'unbiased');
    const repaired = json(
      'merge',
      ...unbiased,
      ...LIMIT,
      '--renormalise',
      'repair',
      '--out',
      'repaired.safetensors',
    );
    expect(repaired.model).toBe('mlp:784-12-10:no-bias:bias');
    const { loss, accuracy } = json('eval', 'repaired.safetensors', ...LIMIT);
    expect(repaired.test).toMatchObject({ loss, accuracy });

    const residual = train('resnet8:width=0.25:norm=layer:input=1x28x28', 'residual', 2, 20);
    const few = ['--limit', '20', '--renormalise', 'rescale-mean', '--out', 'residual.safetensors'];
    const corrected = json('merge', ...residual, ...few);
    expect(corrected.model).toBe('resnet8:width=0.25:norm=layer:input=1x28x28:bias');
    const { loss: same } = json('eval', 'residual.safetensors', '--limit', '20');
    expect(corrected.test.loss).toBe(same);

    const [a, b] = train('mlp:784-12-10:norm=batch', 'batch') as [string, string];
    const parsed = parseSafetensors(readFileSync(path(a)));
    const tracked: FileTensor = { dtype: 'I64', shape: [], data: BigInt64Array.of(7n) };
    const tensors = new Map<string, FileTensor>([...parsed.tensors, ['bn1.num_batches_tracked', tracked]]);
    writeFileSync(path(a), writeSafetensors(tensors, parsed.metadata));
    json('merge', a, b, ...LIMIT, '--renormalise', 'reset', '--out', 'reset.safetensors');
    const written = parseSafetensors(readFileSync(path('reset.safetensors')));
    expect(written.tensors.get('bn1.num_batches_tracked')).toEqual(tracked);
    expect(written.tensors.get('bn1.running_var')!.data).not.toEqual(
      parsed.tensors.get('bn1.running_var')!.data,
    );
  });

  it('refuses what cannot be, before any work', () => {
    const [a, b, c] = mlps as [string, string, string];
    const [other] = train('mlp:784-16-10', 'other', 1) as [string];
    const [residual] = train('resnet8:width=0.25:norm=none:input=1x28x28', 'plain', 1, 20) as [string];
    for (const [args, code, message] of [
      [[a], 2, /at least two checkpoints, got 1/],
      [[a, b, c, '--lambda', '0.3'], 2, /share of the second of two models, but there are 3/],
      [[a, b, '--lambda', '1.3'], 2, /a number from 0 to 1/],
      [
        [a, b, c, '--strategy', 'cycle-consistent', '--align', 'random'],
        2,
        /cycle-consistent matching goes by weights/,
      ],
      [[a, b, '--strategy', 'magic'], 2, /Allowed choices are none, reference/],
      [[a, other], 1, /mlp0.*other0.*"fc1\.bias" is \[12\] in the first, \[16\] in the second/],
      [[a, 'nowhere.safetensors'], 2, /nowhere\.safetensors/],
      [[a, b, '--renormalise', 'reset'], 1, /no batch norm/],
      [[residual, residual, '--renormalise', 'bias'], 1, /bias calibration: .* branches that meet in "add"/],
      [['batch0.safetensors', 'batch1.safetensors', '--renormalise', 'repair'], 1, /batch norm.*use reset/],
      [[a, b, '--data', 'colours'], 1, /colour.*do not fit mlp:784-12-10/],
      [[a, b, '--out', 'no-folder/out.safetensors'], 2, /no-folder\/out\.safetensors.*can be written/],
      [[a, b, '--report', a], 2, /mlp0\.safetensors.*folder that can be written/],
    ] as const) {
      const out = args.includes('--out' as never) ? [] : ['--out', 'out.safetensors'];
      refused(['merge', ...args, ...out], code, message);
    }
  });
});

describe('rebasin compare', () => {
  const some = ['--methods', 'none,weight', '--renormalisations', 'none,repair,reset', '--points', '3'];

  it('has a row for each method, on both data sets if asked, and a report', () => {
    const [a, b] = mlps as [string, string];
    const args = ['compare', a, b, ...LIMIT, ...some, '--on', 'both'];
    const compared = json(...args, '--out', 'compared');
    expect(compared).toMatchObject({ command: 'compare', model: 'mlp:784-12-10', lambda: [0, 0.5, 1] });
    const rows: { align: string; renormalise: string }[] = compared.rows;
    expect(rows.map(({ align, renormalise }) => `${align} ${renormalise}`)).toEqual([
      'none none',
      'none repair',
      'weight none',
      'weight repair',
    ]);
    expect(compared.refused).toEqual([
      { renormalise: 'reset', reason: expect.stringContaining('no batch norm') },
    ]);
    const { loss, accuracy } = json('eval', b, ...LIMIT);
    expect(compared.ends[1].test).toMatchObject({ loss, accuracy });
    const swept = json('sweep', a, b, ...LIMIT, '--points', '3', '--align', 'weight');
    for (const split of ['train', 'test']) {
      expect(compared.rows[2].runs[0][split]).toMatchObject(swept[split]);
    }
    const merged = json('merge', a, b, ...LIMIT, '--renormalise', 'repair');
    expect(compared.rows[3].runs[0].test.midpoint.accuracy).toBe(merged.test.accuracy);
    expect(compared.rows[3].runs[0].test.calibrated).toEqual(merged.test.calibrated);
    expect(JSON.parse(readFileSync(path('compared/result.json'), 'utf8'))).toEqual(compared);
    expect(readFileSync(path('compared/index.html'), 'utf8')).toContain('accuracy half-way between');
    expect(json(...args).hash).toBe(compared.hash);
  });

  it('prints tables for people, with the reasons of what does not apply', () => {
    const [a, b] = mlps as [string, string];
    const { stdout, stderr } = rebasin('compare', a, b, ...LIMIT, ...some);
    expect(stdout).toMatch(/^\S.* does? best: .* test accuracy half-way between the networks/);
    expect(stdout).toMatch(/\nweight +none +\d/);
    expect(stdout).toMatch(/\nmean of their logits +\d/);
    expect(stdout).toMatch(/\ndoes not apply: reset: mlp:784-12-10 has no batch norm/);
    expect(stderr).toMatch(/compare: 50%/);
  });

  it('refuses what cannot be, before any work', () => {
    const [a, b] = mlps as [string, string];
    for (const [args, message] of [
      [['--points', '4'], /lambda needs the point 0\.5 \(an odd number/],
      [['--methods', 'weight,magic'], /"magic" is none of none, random, weight/],
      [['--renormalisations', ''], /"" is none of none, reset/],
      [['--seeds', '0'], /positive integer/],
      [['--out', 'no-folder/out.json'], /no-folder\/out\.json.*can be written/],
    ] as const) {
      refused(['compare', a, b, ...args], 2, message);
    }
  });
});
