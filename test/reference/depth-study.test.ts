/**
 * How depth breaks merging and what REPAIR gives back (Jordan et al. 2023, section 5; recipe R4 at small size): MLPs of width 128 trained
 * with batch norm, which is then folded into the weights; activation matching; the midpoint as it is, after REPAIR by a pass over the
 * merged network, and in closed form. Depth is counted as in the published code (`NormMLP(layers=...)`): linear layers from hidden units
 * to hidden units, so a network of depth L has L + 1 hidden layers.
 *
 * What is gained differs much between pairs of deep networks (docs/studies.md: from 1.5 to 8 points), so a depth stands for many pairs:
 * networks in a ring, each merged with the next. An hour on two cores, so finished pairs are kept.
 */
import { describe, expect, it } from 'vitest';
import { foldBatchNorm } from '../../src/nn/fold-batch-norm.ts';
import { stateEntries } from '../../src/nn/models/model.ts';
import { parseModel } from '../../src/nn/models/parse-model.ts';
import { fit } from '../../src/nn/train/fit.ts';
import type { GpuDataset } from '../../src/nn/train/gpu-dataset.ts';
import { linearSchedule, warmupSchedule } from '../../src/nn/train/schedule.ts';
import { sweep } from '../../src/rebasin/interpolation/sweep.ts';
import { matchModels } from '../../src/rebasin/matching/match.ts';
import { Repair, type RepairForm } from '../../src/rebasin/renormalise/repair.ts';
import { Arena, ArenaLayout } from '../../src/runtime/arena.ts';
import type { Context } from '../../src/runtime/context.ts';
import { useContext } from '../support/context.ts';
import { hasReference, referenceData } from '../support/reference.ts';
import { KeptResults } from './kept-results.ts';

/** R4 but for the number of images, of which there are 60,000. */
const EPOCHS = 50;
const WARMUP_EPOCHS = 5;
const BATCH = 1000;
const TRAIN = 20_000;

/** Networks of each depth, of seeds 0, 1, ... */
const NETWORKS = { 1: 4, 3: 4, 7: 16 } as const;

interface Row {
  readonly ends: number;
  readonly aligned: number;
  readonly repaired: number;
  readonly closed: number;
}

/** A network of that depth, trained, its batch norm folded into its weights. */
async function network(context: Context, depth: number, seed: number, train: GpuDataset) {
  const widths = [784, ...Array(depth + 1).fill(128), 10];
  const model = parseModel(`mlp:${widths.join('-')}:norm=batch`);
  const steps = Math.ceil(TRAIN / BATCH); // an epoch
  const { state } = await fit(context, {
    model,
    data: train,
    optimizer: { type: 'sgd', momentum: 0.9 },
    learningRate: 0.05,
    schedule: warmupSchedule(WARMUP_EPOCHS * steps, linearSchedule()),
    epochs: EPOCHS,
    batchSize: BATCH,
    seed,
  });
  return foldBatchNorm(model, state);
}

type Network = Awaited<ReturnType<typeof network>>;

/** Test accuracies of two networks, and half-way between them. */
async function study(
  context: Context,
  [{ model, values: a }, { values: b }]: readonly [Network, Network],
  train: GpuDataset,
  test: GpuDataset,
): Promise<Row> {
  const { aligned } = await matchModels(context, { model, a, b, method: 'activation', statistics: train });
  const layout = new ArenaLayout(stateEntries(model));
  const [arenaA, arenaB] = [new Arena(context, layout), new Arena(context, layout)];
  try {
    arenaA.write(a);
    arenaB.write(aligned);
    const midpoint = async (form?: RepairForm) => {
      const curves = await sweep(context, {
        model,
        a: arenaA,
        b: arenaB,
        lambda: [0, 0.5, 1],
        data: { test },
        ends: 'raw',
        renormalise:
          form &&
          ((merged) =>
            new Repair(context, merged, {
              model,
              endpoints: [arenaA, arenaB],
              data: train,
              form,
              batchSize: 1000,
            })),
      });
      return curves.test!.accuracy;
    };
    const plain = await midpoint();
    return {
      ends: (plain[0]! + plain[2]!) / 2,
      aligned: plain[1]!,
      repaired: (await midpoint('forward'))[1]!,
      closed: (await midpoint('closed'))[1]!,
    };
  } finally {
    arenaA.destroy();
    arenaB.destroy();
  }
}

/** Every pair of neighbours in the ring of that depth's networks. */
async function ring(
  context: Context,
  depth: keyof typeof NETWORKS,
  train: GpuDataset,
  test: GpuDataset,
  results: KeptResults,
): Promise<Row[]> {
  const count = NETWORKS[depth];
  const networks = new Map<number, Promise<Network>>();
  const trained = (seed: number) => {
    const known = networks.get(seed) ?? network(context, depth, seed, train);
    networks.set(seed, known);
    return known;
  };
  const rows: Row[] = [];
  for (let i = 0; i < count; i++) {
    const next = (i + 1) % count;
    rows.push(
      await results.once(`depth ${depth}, seeds ${i} and ${next}`, async () =>
        study(context, [await trained(i), await trained(next)], train, test),
      ),
    );
  }
  return rows;
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe.skipIf(!hasReference('mnist-mlp', 'mnist'))(
  'MLPs of depth 1, 3 and 7',
  { timeout: 4 * 3_600_000 },
  () => {
    const context = useContext();

    it('lose more to averaging the deeper they are, and REPAIR gives it back', async () => {
      const train = await referenceData(context(), 'mnist-mlp', 'mnist', 'train-images-idx3-ubyte.gz', TRAIN);
      const test = await referenceData(context(), 'mnist-mlp', 'mnist', 't10k-images-idx3-ubyte.gz');
      const results = new KeptResults('depth-study');
      const gains = new Map<number, number>();
      for (const depth of [1, 3, 7] as const) {
        const rows = await ring(context(), depth, train, test, results);
        const average = (name: keyof Row) => mean(rows.map((row) => row[name]));
        const each = rows.map((row) => row.repaired - row.aligned);
        const gain = mean(each);
        gains.set(depth, gain);
        const deviation = Math.sqrt(mean(each.map((value) => (value - gain) ** 2)));
        const columns = (['ends', 'aligned', 'repaired', 'closed'] as const).map(
          (name) => `${name} ${(100 * average(name)).toFixed(2)} %`,
        );
        console.info(
          `depth ${depth}: ${columns.join(', ')}; gain ${(100 * gain).toFixed(2)} points, deviation over pairs ${(100 * deviation).toFixed(2)}`,
        );
        for (const { repaired, closed } of rows) expect(Math.abs(repaired - closed)).toBeLessThan(0.015);
      }
      train.destroy();
      test.destroy();
      expect(gains.get(7)).toBeGreaterThanOrEqual(0.03);
      expect(gains.get(7)).toBeGreaterThan(gains.get(1)!);
    });
  },
);
