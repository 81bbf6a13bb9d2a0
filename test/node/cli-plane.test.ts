import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { useCommandLine } from '../support/cli.ts';

const { folder, rebasin, succeed, json } = useCommandLine('cli-plane');

const [A, B, C] = ['a.safetensors', 'b.safetensors', 'c.safetensors'];
const SMALL = ['--limit', '100', '--grid', '3'];

describe('rebasin plane', () => {
  beforeAll(() => {
    for (const [seed, out] of [A!, B!, C!].entries()) {
      succeed(
        ...['train', '--model', 'mlp:784-12-10', '--limit', '100', '--epochs', '1'],
        ...['--seed', `${seed}`, '--out', out],
      );
    }
  });

  it('of two checkpoints runs through A, B and B permuted, where they are what eval and sweep say', () => {
    const plane = json('plane', A!, B!, ...SMALL, '--out', 'report');
    expect(plane).toMatchObject({ command: 'plane', align: 'weight', renormalise: 'none' });
    expect(plane.models.map(({ name }: { name: string }) => name)).toEqual(['A', 'B', 'pi(B)']);
    expect([plane.grid.x.length, plane.grid.y.length]).toEqual([3, 3]);
    expect(plane.test.loss.map((row: number[]) => row.length)).toEqual([3, 3, 3]);
    expect(plane.train).toBeUndefined();
    // Distances of the picture are those that matching measured: all entries of an MLP are scored.
    const { distance } = plane.matches.B;
    expect(plane.models[1].x / distance.before).toBeCloseTo(1, 6);
    expect(Math.hypot(plane.models[2].x, plane.models[2].y) / distance.after).toBeCloseTo(1, 6);

    for (const [i, file] of [A, B].entries()) {
      const { loss, accuracy } = json('eval', file!, '--limit', '100');
      expect(plane.test.models[i]).toEqual({ loss, accuracy });
    }
    const line = json(
      'sweep',
      A!,
      B!,
      '--align',
      'weight',
      '--points',
      '3',
      '--limit',
      '100',
      '--on',
      'test',
    );
    expect(plane.test.midpoints[1].loss).toBeCloseTo(line.test.midpoint.loss, 6);

    expect(JSON.parse(readFileSync(join(folder, 'report/result.json'), 'utf8'))).toEqual(plane);
    expect(readFileSync(join(folder, 'report/index.html'), 'utf8')).toContain('Half-way between A and B');
  });

  it('of three runs through A and the others, permuted unless told otherwise', () => {
    const names = (plane: { models: { name: string }[] }) => plane.models.map(({ name }) => name);
    const aligned = json('plane', A!, B!, C!, ...SMALL, '--on', 'train');
    expect(names(aligned)).toEqual(['A', 'pi(B)', 'pi(C)']);
    expect(Object.keys(aligned.matches)).toEqual(['B', 'C']);
    expect([aligned.test, aligned.train.models.length]).toEqual([undefined, 3]);
    const raw = rebasin('plane', A!, B!, C!, ...SMALL, '--align', 'none');
    expect(raw.status, raw.stderr).toBe(0);
    expect(raw.stdout).toMatch(/^The test loss half-way between A and B .*between B and C/);
    expect(raw.stdout).toMatch(/\nhalf-way between B and C +\d/);
  });

  it('has sweeps to go with it: the ensemble, and the temperature fitted to each point', () => {
    const options = ['--points', '3', '--limit', '100', '--on', 'test'];
    const plain = json('sweep', A!, B!, ...options);
    const swept = json('sweep', A!, B!, ...options, '--ensemble', '--calibrate-temperature');
    const { ensemble, calibrated, ...own } = swept.test;
    expect(own).toEqual(plain.test);
    expect(ensemble.accuracy[0]).toBe(own.accuracy[0]);
    expect(ensemble.midpoint.loss).toBeLessThan(own.midpoint.loss);
    expect(calibrated.temperature).toHaveLength(3);
    expect(calibrated.barrier.loss).toBeGreaterThanOrEqual(0);
    const { stdout } = rebasin('sweep', A!, B!, ...options, '--ensemble', '--calibrate-temperature');
    expect(stdout).toMatch(/naive +calibrated +ensemble +naive +ensemble +temperature\n/);
  });

  it('refuses two checkpoints without alignment, equal networks, and batch norm where there is none', () => {
    copyFileSync(join(folder, A!), join(folder, 'copy.safetensors'));
    for (const [args, code, message] of [
      [[A!, B!, '--align', 'none'], 2, /give a third/],
      [[A!, 'copy.safetensors'], 1, /the A and the B model are equal/],
      [[A!, B!, '--grid', '1'], 2, /at least 2/],
      [[A!, B!, '--margin', '-1'], 2, /at least 0/],
      [[A!, B!, '--renormalise', 'reset'], 1, /no batch norm/],
    ] as const) {
      const { status, stdout, stderr } = rebasin('plane', ...args, '--limit', '100', '--out', 'refused.json');
      expect([status, stdout]).toEqual([code, '']);
      expect(stderr).toMatch(message);
    }
    expect(existsSync(join(folder, 'refused.json'))).toBe(false);
  });
});
