/**
 * How depth breaks merging and what REPAIR gives back (Jordan et al. 2023, section 5; recipe R4 at small size): MLPs of width 128 trained
 * with batch norm, which is then folded into the weights; activation matching; the midpoint as it is, after REPAIR by a pass over the
 * merged network, and in closed form. Depth is counted as in the published code (`NormMLP(layers=...)`): linear layers from hidden units
 * to hidden units, so a network of depth L has L + 1 hidden layers.
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

/** R4 but for the number of images, of which there are 60,000. */
const EPOCHS = 50;
const WARMUP_EPOCHS = 5;
const BATCH = 1000;
const TRAIN = 20_000;

interface Row {
  readonly ends: number;
  readonly aligned: number;
  readonly repaired: number;
  readonly closed: number;
}

/** Test accuracies of two networks of that depth, and half-way between them. */
async function study(context: Context, depth: number, train: GpuDataset, test: GpuDataset): Promise<Row> {
  const normed = parseModel(
    `mlp:784-${Array(depth + 1)
      .fill(128)
      .join('-')}-10:norm=batch`,
  );
  const steps = Math.ceil(TRAIN / BATCH); // an epoch
  const networks = [];
  for (const seed of [0, 1]) {
    const { state } = await fit(context, {
      model: normed,
      data: train,
      optimizer: { type: 'sgd', momentum: 0.9 },
      learningRate: 0.05,
      schedule: warmupSchedule(WARMUP_EPOCHS * steps, linearSchedule()),
      epochs: EPOCHS,
      batchSize: BATCH,
      seed,
    });
    networks.push(foldBatchNorm(normed, state));
  }
  const [{ model, values: a }, { values: b }] = networks as [(typeof networks)[0], (typeof networks)[0]];
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

describe.skipIf(!hasReference('mnist-mlp', 'mnist'))(
  'MLPs of depth 1, 3 and 7',
  { timeout: 3_600_000 },
  () => {
    const context = useContext();

    it('lose more to averaging the deeper they are, and REPAIR gives it back', async () => {
      const train = await referenceData(context(), 'mnist-mlp', 'mnist', 'train-images-idx3-ubyte.gz', TRAIN);
      const test = await referenceData(context(), 'mnist-mlp', 'mnist', 't10k-images-idx3-ubyte.gz');
      const rows = new Map<number, Row>();
      for (const depth of [1, 3, 7]) {
        const row = await study(context(), depth, train, test);
        rows.set(depth, row);
        const text = Object.entries(row).map(([name, value]) => `${name} ${(100 * value).toFixed(2)} %`);
        console.info(`depth ${depth}: ${text.join(', ')}`);
      }
      train.destroy();
      test.destroy();
      const gain = (depth: number) => rows.get(depth)!.repaired - rows.get(depth)!.aligned;
      expect(gain(7)).toBeGreaterThanOrEqual(0.03);
      expect(gain(7)).toBeGreaterThan(gain(1));
      for (const { repaired, closed } of rows.values())
        expect(Math.abs(repaired - closed)).toBeLessThan(0.015);
    });
  },
);
