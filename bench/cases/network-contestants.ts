/** This library on whole networks: training steps and sweeps, and their float64 references on a few images. */
import type { ImageDataset } from '../../src/io/dataset.ts';
import { forwardGraph } from '../../src/nn/models/model.ts';
import { crossEntropy, input } from '../../src/nn/ops/index.ts';
import { GpuDataset } from '../../src/nn/train/gpu-dataset.ts';
import { Trainer } from '../../src/nn/train/trainer.ts';
import { sweep } from '../../src/rebasin/interpolation/sweep.ts';
import { Arena, ArenaLayout } from '../../src/runtime/arena.ts';
import type { Context } from '../../src/runtime/context.ts';
import { evaluateReference } from '../../test/reference/graph.ts';
import type { OwnContestant } from '../case.ts';
import { inputsOf, modelOf, stateOf } from '../networks.ts';
import { concatenated } from '../peers/layouts.ts';
import type { Images, Network, NetworkState, SweepProblem, TrainingProblem } from '../problem.ts';

function datasetOf({ inputShape, classes }: Network, images: Images): ImageDataset {
  const [channels = 1, height = 1, width = 1] = inputShape.length === 1 ? [1, 1, ...inputShape] : inputShape;
  return {
    ...{ name: 'bench', count: images.count, channels, height, width, classes },
    ...{ images: images.pixels, labels: images.labels },
  };
}

/** One step of `Trainer` after another, all images one batch: gathered on the GPU, forward, backward, optimizer, running statistics. */
export function trainingContestant(context: Context, problem: TrainingProblem): OwnContestant {
  const { network, images, learningRate, momentum } = problem;
  const data = new GpuDataset(context, datasetOf(network, images));
  const losses = context.tensor([images.count]);
  const trainer = new Trainer(context, {
    ...{ model: modelOf(network), optimizer: { type: 'sgd', momentum }, batchSize: images.count },
  });
  trainer.load(problem.state);
  const step = { data, order: data.inOrder, start: 0, count: images.count, learningRate, losses };
  return {
    async run() {
      trainer.step(step);
      await context.finish();
    },
    async read() {
      const all = await context.read(losses);
      const mean = all.reduce((sum, loss) => sum + loss, 0) / images.count;
      const values = await trainer.values();
      return [Float32Array.of(mean), concatenated(problem.parameters.map((name) => values.get(name)!))];
    },
    destroy() {
      trainer.destroy();
      losses.destroy();
      data.destroy();
    },
  };
}

/** The whole of `sweep`, the program it compiles and the numbers it reads back included. */
export function sweepContestant(context: Context, problem: SweepProblem): OwnContestant {
  const { network, images, lambda } = problem;
  const { entries } = stateOf(network, 0);
  const arenas = [problem.a, problem.b].map((state) => {
    const arena = new Arena(context, new ArenaLayout(entries));
    arena.write(state);
    return arena;
  });
  const [a, b] = arenas as [Arena, Arena];
  const data = { images: new GpuDataset(context, datasetOf(network, images)) };
  const model = modelOf(network);
  let loss: readonly number[] = [];
  return {
    async run() {
      const { images: curve } = await sweep(context, { model, a, b, lambda, data });
      loss = curve!.loss;
    },
    read: async () => [Float32Array.from(loss)],
    destroy() {
      for (const arena of arenas) arena.destroy();
      data.images.destroy();
    },
  };
}

/** Mean cross-entropy in float64, batch norm by the batch's statistics (`training`) or the running ones. */
export function referenceLoss(
  network: Network,
  state: NetworkState | ReadonlyMap<string, ArrayLike<number>>,
  images: Images,
  training: boolean,
): number {
  const { logits } = forwardGraph(modelOf(network), { training });
  const leaves = new Map<string, ArrayLike<number>>(state);
  leaves.set('images', inputsOf(images));
  leaves.set('labels', images.labels);
  const [losses] = evaluateReference(
    [crossEntropy(logits, input('labels', ['N'], 'u32'))],
    leaves,
    images.count,
  );
  return losses!.reduce((sum, loss) => sum + loss, 0) / images.count;
}

/** (1 - lambda) A + lambda B in float64. */
export function mixed(a: NetworkState, b: NetworkState, lambda: number): Map<string, Float64Array> {
  return new Map(
    [...a].map(([name, values]) => {
      const other = b.get(name)!;
      return [name, Float64Array.from(values, (value, i) => (1 - lambda) * value + lambda * other[i]!)];
    }),
  );
}
