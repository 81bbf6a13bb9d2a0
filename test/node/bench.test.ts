/** The bench suite: who takes part, what its lines say, and that wrong results are found. Nothing here is about speed. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OwnContestant, TimedCase } from '../../bench/case.ts';
import { assignmentCase } from '../../bench/cases/assignment.ts';
import { convCase } from '../../bench/cases/conv.ts';
import { matmulCase } from '../../bench/cases/matmul.ts';
import { trainingCase, wrongStep } from '../../bench/cases/training.ts';
import { chooseCases } from '../../bench/families.ts';
import { nodeFamilies } from '../../bench/node/families.ts';
import { nodePeerHost } from '../../bench/node/peer-host.ts';
import { jaxSource } from '../../bench/peers/jax.ts';
import { type Peer, PeerCannot } from '../../bench/peers/peer.ts';
import { parseResultLines, type ResultLine } from '../../bench/result-line.ts';
import { otherAdapter } from '../../bench/run.ts';
import { type Bench, runCase } from '../../bench/suite.ts';
import { judgeTargets, TARGETS } from '../../bench/targets.ts';
import { type Context, requestContextOn } from '../../src/runtime/context.ts';
import { nodePlatform } from '../../src/runtime/platform-node.ts';
import { useCommandLine } from '../support/cli.ts';

let bench: Bench;
let home: Context;

beforeAll(async () => {
  home = await requestContextOn(nodePlatform);
  bench = {
    platform: nodePlatform,
    home,
    own: [{ engine: 'rebasin', options: {} }],
    peers: [await jaxSource.load(nodePeerHost(home)), refusing],
    surroundings: {
      ...{ adapter: home.adapterName, driver: 'Dawn', software: home.software, platform: 'node' },
      versions: {},
    },
    repeats: 1,
    roofs: { gflops: 1000, gigabytesPerSecond: 1000 },
  };
});
afterAll(() => home.destroy());

const refusing: Peer = {
  engine: 'refusing',
  versions: {},
  concerns: ({ kind }) => kind === 'matmul',
  contestant: async () => {
    throw new PeerCannot('it only refuses');
  },
};

const TINY = { kind: 'mlp', widths: [784, 6, 10], inputShape: [784], classes: 10 } as const;

const tinyMatmul = () => matmulCase({ layout: 'NT', m: 20, n: 12, k: 8, epilogue: true });

/** A case whose own contestants are made wrong in one way. */
function spoilt(one: TimedCase, spoil: (contestant: OwnContestant) => Partial<OwnContestant>): TimedCase {
  return {
    ...one,
    async prepare() {
      const prepared = await one.prepare();
      return {
        ...prepared,
        own: async (context) =>
          (await prepared.own(context)).map((contestant) => ({ ...contestant, ...spoil(contestant) })),
      };
    },
  };
}

describe('a case', () => {
  it('gives a line for each engine and wait, with rates, shares of the roof, and how it compares with the best peer', async () => {
    const lines = await runCase(bench, tinyMatmul());
    const text = lines.map((line) => JSON.stringify(line)).join('\n');
    expect(parseResultLines(text)).toEqual(lines);

    const [ours] = lines.filter(({ engine }) => engine === 'rebasin');
    const peers = lines.filter(({ engine }) => engine === 'jax-js');
    expect(peers.map(({ wait }) => wait)).toEqual(home.software ? ['sleeping', 'own'] : ['own']);
    expect(ours!.case).toBe('matmul/NT+bias+relu/20x12x8');
    expect(ours!.gflops).toBeCloseTo((2 * 20 * 12 * 8) / ours!.minMs! / 1e6, 12);
    expect(ours!.roofShare).toBeGreaterThan(0);
    expect(ours!.firstMs).toBeGreaterThan(0);
    const best = Math.min(...peers.map(({ minMs }) => minMs!));
    expect(ours!.ratioToBestPeer).toBeCloseTo(best / ours!.minMs!, 12);
    expect(lines.find(({ engine }) => engine === 'refusing')).toMatchObject({ error: 'it only refuses' });
    expect(lines.every(({ failed }) => failed === undefined)).toBe(true);
  });

  it('reports a wrong result as a failure and times neither it nor anything it would be compared with', async () => {
    const wrong = spoilt(tinyMatmul(), (contestant) => ({
      async read() {
        const [values] = await contestant.read();
        values![7]! += 1e-3;
        return [values!];
      },
    }));
    const lines = await runCase(bench, wrong);
    const ours = lines.find(({ engine }) => engine === 'rebasin')!;
    expect(ours).toMatchObject({
      failed: true,
      error: expect.stringContaining('wrong result: element 7 is'),
    });
    expect(ours.minMs).toBeUndefined();
    expect(lines.some(({ engine, minMs }) => engine === 'jax-js' && minMs! > 0)).toBe(true);
  });

  it('reports what is thrown, and goes on with the others', async () => {
    const broken = spoilt(tinyMatmul(), () => ({
      run: () => Promise.reject(new Error('a pipe burst')),
    }));
    const lines = await runCase(bench, broken);
    expect(lines.find(({ engine }) => engine === 'rebasin')).toMatchObject({
      ...{ failed: true, error: 'Error: a pipe burst' },
    });
    expect(lines.some(({ engine, minMs }) => engine === 'jax-js' && minMs! > 0)).toBe(true);
  });

  it('checks gradients of convolutions and of a training step against float64, peers against both', async () => {
    const layer = { input: [2, 3, 6, 5], outputs: 4, kernel: 3, stride: 2, padding: 1 } as const;
    for (const one of [convCase('backward', layer), trainingCase(TINY, 8)]) {
      const lines = await runCase(bench, one);
      expect(lines.flatMap(({ error }) => error ?? [])).toEqual([]);
      expect(new Set(lines.map(({ engine }) => engine))).toEqual(new Set(['rebasin', 'jax-js']));
    }
  });

  it('control: a step that leaves one tensor as it was is found', async () => {
    const prepared = await trainingCase(TINY, 8).prepare();
    const { problem } = prepared;
    if (problem?.kind !== 'training') throw new Error('no training problem');
    const [contestant] = await prepared.own(home);
    await contestant!.run((promise) => promise);
    const [loss, parameters] = (await contestant!.read()) as [Float32Array, Float32Array];
    contestant!.destroy();
    expect(wrongStep(problem, [loss, parameters])).toBeUndefined();
    let start = 0;
    for (const name of problem.parameters) {
      const initial = problem.state.get(name)!;
      const spoilt = parameters.slice();
      spoilt.set(initial, start);
      start += initial.length;
      expect(wrongStep(problem, [loss, spoilt]), name).toContain('the gradient along a direction is');
    }
    expect(wrongStep(problem, [loss.map((value) => 1.001 * value), parameters])).toContain('mean loss');
  });

  it('on the host has one wait and no GPU time', async () => {
    const lines = await runCase(
      bench,
      assignmentCase('tiny', 3, () => Float64Array.of(1, 2, 3, 2, 4, 6, 3, 6, 9)),
    );
    expect(lines.map(({ engine, wait, gpuMs }) => [engine, wait, gpuMs])).toEqual([
      ['rebasin', 'own', undefined],
      ['rebasin warm', 'own', undefined],
    ]);
  });
});

describe('comparisons', () => {
  const tiny = () => assignmentCase('tiny', 3, () => Float64Array.of(1, 2, 3, 2, 4, 6, 3, 6, 9));
  const solver: Peer = {
    ...{ engine: 'a solver', versions: {}, concerns: () => true },
    contestant: async () => ({
      run: async () => {},
      read: async () => [Float32Array.of(0, 1, 2)],
      destroy() {},
    }),
  };

  it('leave out those who were told more than peers', async () => {
    const lines = await runCase({ ...bench, peers: [solver] }, tiny());
    expect(lines.map(({ engine, ratioToBestPeer }) => [engine, ratioToBestPeer !== undefined])).toEqual([
      ['rebasin', true],
      ['rebasin warm', false],
      ['a solver', true],
    ]);
  });

  it('call nobody wrong where this library has no right result', async () => {
    const silent = spoilt(trainingCase(TINY, 8), () => ({ run: () => Promise.reject(new Error('broken')) }));
    const lines = await runCase(bench, silent);
    expect(lines.map(({ engine, failed, minMs }) => [engine, failed, minMs])).toEqual([
      ['rebasin', true, undefined],
      ['jax-js', undefined, undefined],
    ]);
    expect(lines[1]!.error).toContain('no right result');
  });

  it('take the share of the roof by the clock of the roofs', async () => {
    const roofs = { ...bench.roofs!, byTimestamps: true };
    const lines = await runCase({ ...bench, roofs }, tinyMatmul());
    const [ours, ...others] = lines;
    if (ours!.gpuMs === undefined) expect(ours!.roofShare).toBeUndefined();
    else {
      const bytes = 4 * (20 * 8 + 8 * 12 + 20 * 12 + 12);
      const best = Math.max(2 * 20 * 12 * 8, bytes) / ours!.gpuMs / 1e6 / 1000;
      expect(ours!.roofShare! / best).toBeCloseTo(1, 9);
    }
    expect(others.map(({ roofShare }) => roofShare)).toEqual(others.map(() => undefined));
  });

  it('are on one adapter', async () => {
    const { adapterInfo } = bench.peers[0]!;
    expect(adapterInfo).toBeDefined();
    expect(otherAdapter(home, { ...solver, adapterInfo: adapterInfo! })).toBeUndefined();
    expect(otherAdapter(home, solver)).toBeUndefined();
    const other = { vendor: 'acme', architecture: 'x', device: '', description: '' } as GPUAdapterInfo;
    expect(otherAdapter(home, { ...solver, adapterInfo: other })).toContain('it computes on acme x, not on ');
  });

  it('control: batch norm that does not store its running statistics is found', async () => {
    const [one] = await chooseCases(nodeFamilies, ['norm'], 'norm/forward/32x64x8x8');
    const { own, check } = await (one as TimedCase).prepare();
    const [contestant] = await own(home);
    await contestant!.run((promise) => promise);
    const results = await contestant!.read();
    contestant!.destroy();
    expect(check(results, 'rebasin')).toBeUndefined();
    for (const at of [1, 2]) {
      const before = new Float32Array(64).fill(at === 1 ? 99 : 2);
      expect(check(results.with(at, before), 'rebasin')).toContain('element 0 is');
    }
  });
});

describe('a budget', () => {
  it('times an engine whose first run took longer by that run alone', async () => {
    const lines = await runCase({ ...bench, repeats: 3, budgetMs: 0, rates: new Map() }, tinyMatmul());
    const timed = lines.filter(({ minMs }) => minMs !== undefined);
    expect(timed.map(({ engine, repeats }) => [engine, repeats])).toEqual([
      ['rebasin', 1],
      ['jax-js', 1],
    ]);
    for (const { minMs, firstMs } of timed) expect(minMs).toBeLessThanOrEqual(firstMs!);
    const [ours, theirs] = timed;
    expect(ours!.ratioToBestPeer).toBe(theirs!.firstMs! / ours!.firstMs!);
  });

  it('leaves a peer out that would take much too long at the best rate of the run', async () => {
    const rates = new Map([['jax-js', 1e-6]]);
    const lines = await runCase({ ...bench, budgetMs: 1000, rates }, tinyMatmul());
    const theirs = lines.filter(({ engine }) => engine === 'jax-js');
    expect(theirs.map(({ error, failed }) => [error, failed])).toEqual([
      ['left out: at the best of its rates in this run it would take 3840000 s', undefined],
    ]);
    expect(rates.get('rebasin')).toBeGreaterThan(0);
  });
});

describe('targets', () => {
  it('are judged by the lines of their surroundings', () => {
    const line = (name: string, ratioToBestPeer: number): ResultLine => ({
      ...bench.surroundings,
      ...{
        case: name,
        engine: 'rebasin',
        wait: 'sleeping',
        minMs: 1,
        medianMs: 1,
        spread: 0,
        ratioToBestPeer,
      },
      ...{ adapter: 'google swiftshader', software: true, platform: 'node 20' },
    });
    const lines = [
      ...[256, 512, 1024].map((n) => line(`matmul/NN/${n}x${n}x${n}`, 3.1)),
      line('norm/statistics/32x64x8x8', 2.9),
      line('sweep/resnet20/100x11', 6),
    ];
    const verdicts = judgeTargets(lines).map(({ target, verdict }) => [target.what, verdict]);
    expect(verdicts).toContainEqual(['matmul 256, 512, 1024, against the best peer', 'met']);
    expect(verdicts).toContainEqual(['batch-norm statistics, against the best peer', 'missed']);
    expect(verdicts).toContainEqual(['MLP training step, against the best peer', 'not measured']);
    // one of its two cases
    expect(verdicts).toContainEqual(['sweeps, against the best peer', 'not measured']);
    expect(verdicts.some(([what]) => what!.includes('browser'))).toBe(false);
  });

  it('name cases that there are', async () => {
    const names = (await chooseCases(nodeFamilies, [], '')).map(({ name }) => name);
    const size = ['size/core', 'size/matrix-products'];
    expect(
      TARGETS.flatMap(({ cases }) => cases).filter((name) => ![...names, ...size].includes(name)),
    ).toEqual([]);
    const figures = { gzipBytes: 1, gpuObjectsMade: 0, runMicrosecondsPerDispatch: 1 };
    const measured = { minMs: 1, medianMs: 1, spread: 0, ratioToBestPeer: 1, roofShare: 1, figures };
    const places = [
      { adapter: 'google swiftshader', software: true, platform: 'node 20' },
      { adapter: 'google swiftshader', software: true, platform: 'chromium 147' },
      { adapter: 'a GPU', software: false, platform: 'node 20' },
    ];
    const judged = places.flatMap((place) =>
      judgeTargets(
        [...names, ...size].map(
          (name): ResultLine => ({
            ...{ case: name, engine: 'rebasin', wait: 'own', driver: '', versions: {} },
            ...{ ...place, ...measured },
          }),
        ),
      ),
    );
    expect(judged.filter(({ verdict }) => verdict === 'not measured')).toEqual([]);
    expect(new Set(judged.map(({ target }) => target))).toEqual(new Set(TARGETS));
  });
});

describe('rebasin bench', () => {
  const { rebasin } = useCommandLine('bench');

  it('lists its cases, and tells its options', () => {
    const list = rebasin('bench', 'matmul', 'training', '--list');
    expect(list.status, list.stderr).toBe(0);
    const names = list.stdout.trim().split('\n');
    expect(names).toContain('matmul/NN/512x512x512');
    expect(names).toContain('training/resnet20/batch32');
    expect(names.every((name) => /^(matmul|training)\//.test(name))).toBe(true);
    const help = rebasin('bench', '--help');
    expect(help.status).toBe(0);
    for (const option of [
      '--only',
      '--peers',
      '--json',
      '--html',
      '--adapter',
      '--repeats',
      '--budget',
      '--list',
    ])
      expect(help.stdout).toContain(option);
  });

  it('refuses a family that there is not, before any work', () => {
    const run = rebasin('bench', 'matmull');
    expect(run.status).toBe(2);
    expect(run.stderr).toContain('there is no family "matmull"');
  });
});
