/** Jobs of studies: each kind on tiny networks, done once, kept by content, the same numbers as the library gives. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_RECIPE } from '../../../src/nn/train/recipe.ts';
import {
  inputsOf,
  type JobSpec,
  jobId,
  type PairSpec,
  type TrainSpec,
} from '../../../src/studies/job-spec.ts';
import { type JobRecord, type ResultStore, readRecord } from '../../../src/studies/result-store.ts';
import { jobsOf, runJob } from '../../../src/studies/run-job.ts';
import { Workbench } from '../../../src/studies/workbench.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

const DATA = { name: 'digits', train: 100, test: 60 };
const RECIPE = { ...DEFAULT_RECIPE, epochs: 2, batchSize: 20 };

const network = (seed: number, half?: 1 | 2): TrainSpec => ({
  kind: 'train',
  model: 'mlp:784-12-8-10',
  data: DATA,
  ...(half ? { half } : {}),
  recipe: RECIPE,
  seed,
});

const PAIR: PairSpec = {
  kind: 'pair',
  networks: [network(0), network(1)],
  match: { method: 'weight' },
  renormalisations: ['none', 'repair'],
  points: 3,
  data: DATA,
  calibrate: true,
  taylor: true,
};

class MemoryStore implements ResultStore {
  readonly files = new Map<string, Uint8Array>();
  async read(name: string) {
    return this.files.get(name);
  }
  async write(name: string, bytes: Uint8Array) {
    this.files.set(name, bytes);
  }
}

/** Runs jobs over one store. */
async function run(
  store: ResultStore,
  specs: readonly JobSpec[],
  signal?: AbortSignal,
): Promise<JobRecord[]> {
  const source = () => Promise.reject(new Error('there are no folders here'));
  const bench = new Workbench(context(), { store, source, signal });
  try {
    const records: JobRecord[] = [];
    for (const spec of specs) records.push(await runJob(bench, store, spec));
    return records;
  } finally {
    bench.destroy();
  }
}

// biome-ignore lint/suspicious/noExplicitAny: what a job found has any shape
const found = (record: JobRecord | undefined): any => record!.found;

describe('a job', () => {
  it('trains what it needs first, keeps everything, and is not done twice', async () => {
    const store = new MemoryStore();
    const [record] = await run(store, [PAIR]);
    const trained = PAIR.networks.map(jobId);
    expect([...store.files.keys()].sort()).toEqual(
      [...trained.flatMap((id) => [`${id}.json`, `${id}.safetensors`]), `${jobId(PAIR)}.json`].sort(),
    );
    const written = new Map(store.files);
    const again = await run(store, [PAIR, ...PAIR.networks]);
    expect(again[0]).toEqual(record);
    for (const [name, bytes] of written) expect(store.files.get(name), name).toBe(bytes);
  });

  it('gives the same bits from an empty store', async () => {
    const hashes = [];
    for (const store of [new MemoryStore(), new MemoryStore()]) {
      hashes.push((await run(store, [PAIR, ...PAIR.networks])).map(({ hash }) => hash));
    }
    expect(hashes[1]).toEqual(hashes[0]);
  });

  it('that was cut off while it was written is done again', async () => {
    const store = new MemoryStore();
    const [record] = await run(store, [network(0)]);
    const name = `${record!.id}.json`;
    store.files.set(name, store.files.get(name)!.slice(0, 100));
    expect(await readRecord(store, network(0))).toBeUndefined();
    const [again] = await run(store, [network(0)]);
    expect(again!.hash).toBe(record!.hash);
  });

  it('whose network is gone trains it again', async () => {
    const store = new MemoryStore();
    const [record] = await run(store, [PAIR]);
    for (const name of [`${jobId(PAIR)}.json`, `${jobId(PAIR.networks[0])}.safetensors`])
      store.files.delete(name);
    const [again] = await run(store, [PAIR]);
    expect(again!.hash).toBe(record!.hash);
  });

  it('that is stopped leaves nothing', async () => {
    const store = new MemoryStore();
    const controller = new AbortController();
    controller.abort();
    await expect(run(store, [network(0)], controller.signal)).rejects.toThrow(/abort/i);
    expect(store.files.size).toBe(0);
  });

  it('says what it lacks: images of a name that nobody knows', async () => {
    const store = new MemoryStore();
    const spec = { ...network(0), data: { name: 'nothing' } };
    await expect(run(store, [spec])).rejects.toThrow(/no folders here/);
  });
});

describe('what jobs find', () => {
  it('a pair: curves of each correction with the same ends, an ensemble, a calibrated loss no larger, a Taylor estimate', async () => {
    const [record, a, b] = await run(new MemoryStore(), [PAIR, ...PAIR.networks]);
    const { none, repair, distance, collapse, taylor } = found(record);
    expect([none.loss[0], none.accuracy[0]]).toEqual([found(a).test.loss, found(a).test.accuracy]);
    // B permuted adds its sums in another order.
    expect(none.loss[2]).toBeCloseTo(found(b).test.loss, 5);
    expect([repair.loss[0], repair.loss[2]]).toEqual([none.loss[0], none.loss[2]]);
    expect(none.bestEnd).toBe(Math.min(none.loss[0], none.loss[2]));
    expect(none.midpoint.loss).toBe(none.loss[1]);
    expect(none.ensemble.accuracy).toBeGreaterThan(0);
    expect(none.calibrated.loss).toBeLessThanOrEqual(none.midpoint.loss * 1.2);
    expect(distance.after).toBeLessThan(distance.before);
    expect(distance.reduction).toBeCloseTo(1 - distance.after / distance.before, 12);
    expect(collapse.layers).toHaveLength(2);
    expect(taylor.error).toBeLessThanOrEqual(1);
    expect(taylor.loss).toHaveLength(3);
  });

  it('halves of the data: other networks than on all of it', async () => {
    const specs = [network(0), network(0, 1), network(0, 2)];
    const weights = (await run(new MemoryStore(), specs)).map((record) => found(record).checkpoint);
    expect(new Set(weights).size).toBe(3);
  });

  it('three networks: the unmatched gap is that of their barriers', async () => {
    const networks = [network(0), network(1), network(2)] as const;
    const trio = { kind: 'trio', networks, points: 3, data: DATA } as const;
    const [plain, matched] = await run(new MemoryStore(), [
      { ...trio, match: { method: 'none' } },
      { ...trio, match: { method: 'straight-through', steps: 4 } },
    ]);
    for (const record of [plain, matched]) {
      const { AB, AC, BC, gap } = found(record);
      expect(gap).toBeCloseTo(BC.loss - (AB.loss + AC.loss) / 2, 12);
    }
    expect(matched!.hash).not.toBe(plain!.hash);
  });

  it('singular vectors: R of a network with itself is 1, whatever the units’ order', async () => {
    const networks = [network(0), network(0)] as const;
    const spectrum = { kind: 'spectrum', networks, gammas: [0, 0.5], data: DATA } as const;
    const [same, shuffled] = await run(new MemoryStore(), [
      { ...spectrum, match: { method: 'weight' } },
      { ...spectrum, match: { method: 'random' } },
    ]);
    expect(found(same).score['0.5']).toBeCloseTo(1, 3);
    expect(found(same).distance).toBe(0);
    expect(found(shuffled).score['0.5']).toBeLessThan(0.9);
    expect(found(shuffled).invariance).toBeLessThan(1e-4);
  });

  it('pruning: nothing changes at sparsity 0, and everything is lost at 1', async () => {
    const [record, trained] = await run(new MemoryStore(), [
      {
        ...{ kind: 'prune', networks: [network(0)], sparsities: [0, 1], data: DATA },
        pruning: { method: 'magnitude', renormalise: 'none' },
      },
      network(0),
    ]);
    const { dense, 0: kept, 1: lost } = found(record);
    expect(dense).toEqual(found(trained).test);
    expect(kept.pruned).toEqual(dense);
    expect(lost.pruned.accuracy).toBeLessThan(0.35); // one class for all images
  });

  it('recovery: from a network itself it takes no step, from scratch it takes some', async () => {
    const common = {
      kind: 'recovery',
      networks: [network(0), network(0)],
      recipe: RECIPE,
      everySteps: 1,
      seed: 5,
    } as const;
    const store = new MemoryStore();
    const [probe] = await run(store, [{ ...common, from: { method: 'none' }, accuracy: 2 }]);
    const start = found(probe).accuracies[0];
    expect(found(probe)).toMatchObject({ recovered: false, steps: 10 });
    const [itself, scratch] = await run(store, [
      { ...common, from: { method: 'none' }, accuracy: start },
      { ...common, from: 'scratch', accuracy: start },
    ]);
    expect(found(itself)).toMatchObject({ recovered: true, steps: 0 });
    expect(found(scratch).steps).toBeGreaterThan(0);
  });
});

describe('jobsOf', () => {
  it('lists every network once, before what is measured about it', () => {
    const specs = [PAIR, { ...PAIR, match: { method: 'none' } } as const, PAIR];
    const jobs = jobsOf(specs);
    expect(jobs.map(({ stage }) => stage)).toEqual([0, 0, 1, 1]);
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(4);
    expect(jobs.filter(({ stage }) => stage === 0).map(({ spec }) => spec)).toEqual(inputsOf(PAIR));
  });
});
