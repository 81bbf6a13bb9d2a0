/**
 * Host cost of a steady training step: JavaScript time for each dispatch, GPU objects, garbage, and memory over many steps.
 *
 * Times are taken on Dawn's null backend: it validates and encodes all that it is told as the others do, and computes nothing, so that
 * neither a GPU's size nor a software adapter's threads (which want the same cores) are in the figures; `on-adapter` cases take the run's own
 * adapter, whose queue is empty whenever the clock starts. Steps are timed twice: one right after the other (hot), and each with the
 * processor's caches swept before (cold), as a step of a software adapter or other work on the host leaves them.
 * "run" is the synchronous time in `Program.run`; "step" is all of `Trainer.step`, with gathering the batch, the optimizer and the
 * submits that fall into it; "submit" is what is left to submit after it. The soak runs on the run's own adapter.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { create } from 'webgpu';
import type { ImageDataset } from '../../src/io/dataset.ts';
import { initialiseParameters } from '../../src/nn/initialise.ts';
import { mlp } from '../../src/nn/models/mlp.ts';
import { type Model, stateEntries } from '../../src/nn/models/model.ts';
import { resnetOfDepth } from '../../src/nn/models/resnet.ts';
import { Program } from '../../src/nn/program.ts';
import { GpuDataset } from '../../src/nn/train/gpu-dataset.ts';
import { Trainer, type TrainingStep } from '../../src/nn/train/trainer.ts';
import { Context } from '../../src/runtime/context.ts';
import { nodePlatform } from '../../src/runtime/platform-node.ts';
import { countObjects } from '../../test/support/gpu-objects.ts';
import type { Family, MeasuredCase, Measurement } from '../case.ts';
import { dispatchCase } from '../cases/dispatch.ts';
import { quantile } from '../timing.ts';

interface Workload {
  readonly name: string;
  readonly model: Model;
  readonly batchSize: number;
}

const WORKLOADS: readonly Workload[] = [
  { name: 'mlp-784-512-512-10', model: mlp({ widths: [784, 512, 512, 10] }), batchSize: 128 },
  { name: 'resnet20', model: resnetOfDepth(20), batchSize: 32 },
];
const TINY: Workload = { name: 'mlp-16-8-4', model: mlp({ widths: [16, 8, 4] }), batchSize: 8 };

/** Timed steps, and those of the soak: 10,800 with the default repeats. */
const STEPS_A_REPEAT = 30;
/** On an adapter that computes. */
const COMPUTED_STEPS_A_REPEAT = 3;
const SOAK_STEPS_A_REPEAT = 1200;

export const hostFamily: Family = {
  name: 'host',
  about: 'host cost of dispatches and of steady training steps, GPU objects, garbage, memory',
  cases: async () => [
    dispatchCase,
    ...[...WORKLOADS, TINY].flatMap((workload) => [
      stepCase(workload, 'null backend'),
      stepCase(workload, 'on-adapter'),
    ]),
    soakCase,
  ],
};

function stepCase(workload: Workload, where: 'null backend' | 'on-adapter'): MeasuredCase {
  return {
    name: `host/step/${workload.name}${where === 'on-adapter' ? '-on-adapter' : ''}`,
    async measure(context, { repeats }) {
      if (where === 'on-adapter')
        return [await measureSteps(context, workload, COMPUTED_STEPS_A_REPEAT * repeats)];
      const silent = await nullContext();
      try {
        return [await measureSteps(silent, workload, STEPS_A_REPEAT * repeats)];
      } finally {
        silent.destroy();
      }
    },
  };
}

const soakCase: MeasuredCase = {
  name: `host/soak/${TINY.name}`,
  measure: async (context, { repeats }) => [await soak(context, TINY, SOAK_STEPS_A_REPEAT * repeats)],
};

async function nullContext(): Promise<Context> {
  const gpu = create(['backend=null']);
  const found = (await gpu.requestAdapter())!;
  const device = await found.requestDevice();
  return new Context(
    device,
    {
      ...{ platform: nodePlatform, adapterInfo: found.info, software: true, owned: true },
      ...{ source: 'Dawn, null backend', tried: [], keepAlive: gpu },
    },
    {},
  );
}

/** What `Program.run` takes while `body` runs: milliseconds, or bytes of the heap where `heap` asks for these. */
class RunMeter {
  heap = false;
  total = 0;

  readonly clock = (): number => (this.heap ? process.memoryUsage().heapUsed : performance.now());

  async during<T>(body: () => Promise<T>): Promise<T> {
    const { run } = Program.prototype;
    const meter = this;
    Program.prototype.run = function (batchSize) {
      const start = meter.clock();
      run.call(this, batchSize);
      meter.total += meter.clock() - start;
    };
    try {
      return await body();
    } finally {
      Program.prototype.run = run;
    }
  }
}

class Training {
  readonly #context: Context;
  readonly #data: GpuDataset;
  readonly #trainer: Trainer;
  readonly #step: TrainingStep;
  readonly #tensors;

  constructor(context: Context, { model, batchSize }: Workload) {
    this.#context = context;
    const [channels = 1, height = 1, width = 1] =
      model.inputShape.length === 1 ? [1, 1, ...model.inputShape] : model.inputShape;
    const dataset: ImageDataset = {
      ...{ name: 'grey', count: batchSize, channels, height, width, classes: model.classes },
      images: new Uint8Array(batchSize * channels * height * width).fill(128),
      labels: Uint8Array.from({ length: batchSize }, (_, i) => i % model.classes),
    };
    this.#data = new GpuDataset(context, dataset);
    this.#tensors = {
      order: context.tensorFrom(Uint32Array.from({ length: batchSize }, (_, i) => i)),
      losses: context.tensor([batchSize]),
    };
    this.#trainer = new Trainer(context, { model, optimizer: { type: 'sgd', momentum: 0.9 }, batchSize });
    this.#trainer.load(initialiseParameters(stateEntries(model), 1));
    this.#step = { data: this.#data, start: 0, count: batchSize, learningRate: 1e-3, ...this.#tensors };
  }

  /** Records one step. */
  step(): void {
    this.#trainer.step(this.#step);
  }

  async losses(): Promise<Float32Array> {
    return await this.#context.read(this.#tensors.losses);
  }

  destroy(): void {
    this.#trainer.destroy();
    this.#data.destroy();
    for (const tensor of Object.values(this.#tensors)) tensor.destroy();
  }
}

interface StepTimes {
  readonly run: number[];
  readonly step: number[];
  readonly submit: number[];
}

/** Milliseconds of each step; `prepare` comes before it and is not timed. */
async function timeSteps(
  context: Context,
  training: Training,
  meter: RunMeter,
  steps: number,
  prepare: () => void,
): Promise<StepTimes> {
  const times: StepTimes = { run: [], step: [], submit: [] };
  for (let i = 0; i < steps; i++) {
    prepare();
    meter.total = 0;
    const start = performance.now();
    training.step();
    const recorded = performance.now();
    context.flush();
    times.submit.push(performance.now() - recorded);
    times.step.push(recorded - start);
    times.run.push(meter.total);
    await context.finish();
  }
  return times;
}

async function measureSteps(context: Context, workload: Workload, steps: number): Promise<Measurement> {
  const training = new Training(context, workload);
  const meter = new RunMeter();
  try {
    return await meter.during(async () => {
      for (let i = 0; i < Math.min(steps, 100); i++) {
        training.step();
        await context.finish();
      }
      const objects = countObjects(context.device);
      const before = context.statistics;
      const pollution = new Float64Array(8 * 2 ** 20); // larger than any cache
      const hot = await timeSteps(context, training, meter, steps, () => {});
      const cold = await timeSteps(context, training, meter, steps, () => pollution.fill(1));
      const after = context.statistics;
      const made = objects();
      const garbage = await measureGarbage(context, training, meter, Math.min(steps, 50));
      const dispatches = (after.dispatches - before.dispatches) / (2 * steps);
      const perDispatch = (list: number[]) => (1000 * quantile(list, 0.5)) / dispatches;
      return {
        engine: 'rebasin',
        figures: {
          dispatchesPerStep: dispatches,
          submitsPerStep: (after.submits - before.submits) / (2 * steps),
          runMicrosecondsPerDispatch: perDispatch(hot.run),
          runMicrosecondsPerDispatchCold: perDispatch(cold.run),
          stepMicrosecondsPerDispatch: perDispatch(hot.step),
          stepMicrosecondsPerDispatchCold: perDispatch(cold.step),
          submitMicrosecondsPerDispatch: perDispatch(hot.submit),
          gpuObjectsMade: made,
          ...garbage,
        },
      };
    });
  } finally {
    training.destroy();
  }
}

/** Bytes that a step leaves on the JavaScript heap, and that `Program.run` leaves of them. */
async function measureGarbage(context: Context, training: Training, meter: RunMeter, steps: number) {
  const garbage = { run: [] as number[], step: [] as number[] };
  meter.heap = true;
  for (let i = 0; i < steps; i++) {
    meter.total = 0;
    const start = meter.clock();
    training.step();
    garbage.step.push(meter.clock() - start);
    garbage.run.push(meter.total);
    await context.finish();
  }
  meter.heap = false;
  return {
    runGarbageBytes: quantile(garbage.run, 0.5),
    stepGarbageBytes: quantile(garbage.step, 0.5),
  };
}

/** Many steps with back-pressure: memory after collections at the second of six samples (steady by then) and at the last. */
async function soak(context: Context, workload: Workload, steps: number): Promise<Measurement> {
  setFlagsFromString('--expose-gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const training = new Training(context, workload);
  const samples: { rss: number; heapUsed: number }[] = [];
  const objects = countObjects(context.device);
  let made = 0;
  try {
    for (let step = 0; step <= steps; step++) {
      if (step % Math.max(1, Math.floor(steps / 5)) === 0) {
        await context.finish();
        collectGarbage();
        const { rss, heapUsed } = process.memoryUsage();
        samples.push({ rss, heapUsed });
      }
      if (step === 1) made = objects();
      training.step();
      await context.throttle();
    }
    made = objects() - made; // before reading back, which makes a staging buffer
    const losses = await training.losses();
    if (!losses.every(Number.isFinite)) throw new Error(`the losses are ${losses.join(', ')}`);
  } finally {
    training.destroy();
  }
  const [first, last] = [samples[1]!, samples.at(-1)!];
  if (made > 0) throw new Error(`${made} GPU objects were made after the first step`);
  return {
    engine: 'rebasin',
    figures: {
      steps,
      gpuObjectsMade: made,
      heapGrowthBytes: last.heapUsed - first.heapUsed,
      residentGrowthBytes: last.rss - first.rss,
      residentBytes: last.rss,
    },
  };
}
