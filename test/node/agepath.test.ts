import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { useCommandLine } from '../support/cli.ts';

const { folder, rebasin, json: printed } = useCommandLine('agepath');

const agepath = (...args: string[]) => rebasin('agepath', ...args);
const json = (...args: string[]) => printed('agepath', ...args);

describe('rebasin agepath', () => {
  it.each([
    ['outliers', 'lasso', 'mixture'],
    ['moons', 'svm', 'linear'],
    ['moons', 'logistic', 'log'],
  ])('follows %s with %s and %s weights', (data, problem, regulariser) => {
    const args = ['--data', data, '--samples', '60', '--problem', problem, '--regulariser', regulariser];
    const result = json(...args, '--grid', '5');
    expect(result).toMatchObject({
      command: 'agepath',
      problem,
      regulariser,
      data: { name: data, train: 42, heldOut: 18 },
    });
    expect(result.path.residual).toBeLessThan(1e-10);
    expect(result.grid).toMatchObject({ ages: 5, converged: 5 });
    expect(result.heldOut.path.error.length).toBe(result.curves.age.length);
    expect(json(...args, '--grid', '5').hash).toBe(result.hash);
  });

  it('reads CSV and LIBSVM files alike, and writes a report that stands alone', () => {
    const rows = Array.from({ length: 30 }, (_, i) => [
      ((i * 7) % 11) - 5,
      ((i * 5) % 13) / 4,
      i % 2 ? 1 : 0,
    ]);
    writeFileSync(join(folder, 'a.csv'), `u,v,label\n${rows.map((row) => row.join(',')).join('\n')}\n`);
    writeFileSync(join(folder, 'a.svm'), rows.map(([u, v, label]) => `${label} 1:${u} 2:${v}`).join('\n'));
    const fromCsv = json('--data', 'a.csv', '--out', 'report');
    expect(fromCsv.problem).toBe('svm');
    const fromLibsvm = json('--data', 'a.svm');
    expect(fromLibsvm.events).toEqual(fromCsv.events);
    expect(JSON.parse(readFileSync(join(folder, 'report/result.json'), 'utf8')).hash).toBe(fromCsv.hash);
    expect(readFileSync(join(folder, 'report/index.html'), 'utf8')).toContain('support vector machine');
  });

  it('computes the kernel matrix on the GPU to what the host finds', () => {
    const args = ['--data', 'moons', '--samples', '60', '--problem', 'svm', '--grid', '5'];
    const [host, gpu] = [json(...args), json(...args, '--gram', 'gpu')];
    expect(gpu.settings).toEqual({ ...host.settings, gram: 'gpu' });
    expect([host.adapter, gpu.adapter]).toEqual([
      expect.stringMatching(/^none/),
      expect.not.stringMatching(/^none/),
    ]);
    expect(gpu.path.residual).toBeLessThan(1e-10);
    const what = ({ kind, sample, after }: Record<string, unknown>) => ({ kind, sample, after });
    expect(gpu.events.map(what)).toEqual(host.events.map(what));
    for (const curve of ['path', 'grid']) expect(gpu.heldOut[curve].error).toEqual(host.heldOut[curve].error);
  });

  it.each([
    [['--data', 'missing.csv'], /missing\.csv/],
    [['--data', 'bad.csv'], /line 2, column b: expected a finite number, got "x"/],
    [['--data', 'outliers', '--problem', 'svm'], /two values/],
    [['--regulariser', 'logarithmic', '--to', '2'], /between 0 and 1/],
    [['--penalty', '0'], /penalty/],
    [['--regulariser', 'none'], /Allowed choices are/],
    [['--hold-out', '1'], /hold out/],
    [['--problem', 'lasso', '--gram', 'gpu'], /--gram gpu: expected with --problem svm/],
  ])('refuses %j with one clear error, and writes nothing', (args, message) => {
    writeFileSync(join(folder, 'bad.csv'), 'a,b\n1,x\n');
    const { status, stdout, stderr } = agepath(...args, '--out', 'nothing.json');
    expect(status).not.toBe(0);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(existsSync(join(folder, 'nothing.json'))).toBe(false);
  });
});
