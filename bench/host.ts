/**
 * Host cost of a steady training step: JavaScript time for each dispatch, GPU objects, garbage, and memory over many steps.
 *
 * Times are taken on Dawn's null backend by default: it validates and encodes all that it is told as the others do, and computes
 * nothing, so that neither a GPU's size nor a software adapter's threads (which want the same cores) are in the figures. On a real
 * adapter (`--adapter real`) the queue is empty whenever the clock starts. Steps are timed twice: one right after the other, and each with
 * the processor's caches swept before, as a step of a software adapter or other work on the host leaves them.
 * The soak runs on the real adapter.
 * "run" is the synchronous time in `Program.run`; "step" is all of `Trainer.step`, with gathering the batch, the optimizer and the
 * submits that fall into it; "submit" is what is left to submit after it.
 *
 *     npm run bench -- host [--json] [--steps 200] [--soak 10000] [--adapter null|real] [--only ResNet20]
 */
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { create } from 'webgpu';
import type { ImageDataset } from '../src/io/dataset.ts';
import { initialiseParameters } from '../src/nn/initialise.ts';
import { mlp } from '../src/nn/models/mlp.ts';
import { type Model, stateEntries } from '../src/nn/models/model.ts';
import { resnetOfDepth } from '../src/nn/models/resnet.ts';
import { Program } from '../src/nn/program.ts';
import { GpuDataset } from '../src/nn/train/gpu-dataset.ts';
import { Trainer, type TrainingStep } from '../src/nn/train/trainer.ts';
import { Context, requestContextOn } from '../src/runtime/context.ts';
import { nodePlatform } from '../src/runtime/platform-node.ts';
import { countObjects } from '../test/support/gpu-objects.ts';

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    steps: { type: 'string', default: '200' },
    soak: { type: 'string', default: '10000' },
    adapter: { type: 'string', default: 'null' },
    only: { type: 'string', default: '' },
  },
});

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

interface Workload {
  readonly name: string;
  readonly model: Model;
  readonly batchSize: number;
}

const WORKLOADS: readonly Workload[] = [
  { name: 'MLP 784-512-512-10', model: mlp({ widths: [784, 512, 512, 10] }), batchSize: 128 },
  { name: 'ResNet20', model: resnetOfDepth(20), batchSize: 32 },
];
const TINY: Workload = { name: 'MLP 16-8-4', model: mlp({ widths: [16, 8, 4] }), batchSize: 8 };

async function makeContext(adapter: string): Promise<Context> {
  if (adapter !== 'null') return await requestContextOn(nodePlatform);
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

/** What `Program.run` has taken since this was last reset: milliseconds, or bytes of the heap where `heap` asks for these. */
const spent = { heap: false, run: 0 };
const clock = () => (spent.heap ? process.memoryUsage().heapUsed : performance.now());
const { run } = Program.prototype;
Program.prototype.run = function (batchSize) {
  const start = clock();
  run.call(this, batchSize);
  spent.run += clock() - start;
};

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

const sorted = (values: number[]) => values.toSorted((a, b) => a - b);
const at = (values: number[], share: number) => sorted(values)[Math.floor(share * (values.length - 1))]!;

interface StepTimes {
  readonly run: number[];
  readonly step: number[];
  readonly submit: number[];
}

/** Larger than any cache. */
const pollution = new Float64Array(8 * 2 ** 20);

/** Milliseconds of each step; `prepare` comes before it and is not timed. */
async function timeSteps(
  context: Context,
  training: Training,
  steps: number,
  prepare: () => void,
): Promise<StepTimes> {
  const times: StepTimes = { run: [], step: [], submit: [] };
  for (let i = 0; i < steps; i++) {
    prepare();
    spent.run = 0;
    const start = performance.now();
    training.step();
    const recorded = performance.now();
    context.flush();
    times.submit.push(performance.now() - recorded);
    times.step.push(recorded - start);
    times.run.push(spent.run);
    await context.finish();
  }
  return times;
}

async function measureSteps(context: Context, workload: Workload, steps: number) {
  const training = new Training(context, workload);
  for (let i = 0; i < Math.min(steps, 100); i++) {
    training.step();
    await context.finish();
  }
  const objects = countObjects(context.device);
  const before = context.statistics;
  const hot = await timeSteps(context, training, steps, () => {});
  const cold = await timeSteps(context, training, steps, () => pollution.fill(1));
  const after = context.statistics;
  const made = objects();
  const garbage = await measureGarbage(context, training, Math.min(steps, 50));
  training.destroy();
  const dispatches = (after.dispatches - before.dispatches) / (2 * steps);
  const perDispatch = ({ run, step, submit }: StepTimes) => {
    const us = (list: number[], share: number) => (1000 * at(list, share)) / dispatches;
    return {
      runUs: us(run, 0.5),
      runUsBest: us(run, 0.05),
      stepUs: us(step, 0.5),
      submitUs: us(submit, 0.5),
    };
  };
  return {
    case: 'host step',
    adapter: context.adapterName,
    model: workload.name,
    batchSize: workload.batchSize,
    dispatches,
    submits: (after.submits - before.submits) / (2 * steps),
    hot: perDispatch(hot),
    cold: perDispatch(cold),
    objectsCreated: made,
    ...garbage,
  };
}

/** Bytes that a step leaves on the JavaScript heap, and that `Program.run` leaves of them. */
async function measureGarbage(context: Context, training: Training, steps: number) {
  const garbage = { run: [] as number[], step: [] as number[] };
  spent.heap = true;
  for (let i = 0; i < steps; i++) {
    spent.run = 0;
    const start = clock();
    training.step();
    garbage.step.push(clock() - start);
    garbage.run.push(spent.run);
    await context.finish();
  }
  spent.heap = false;
  return { runGarbageBytes: at(garbage.run, 0.5), stepGarbageBytes: at(garbage.step, 0.5) };
}

async function soak(context: Context, workload: Workload, steps: number) {
  const training = new Training(context, workload);
  const samples: { step: number; rssMB: number; heapMB: number }[] = [];
  const objects = countObjects(context.device);
  let made = 0;
  for (let step = 0; step <= steps; step++) {
    if (step % Math.max(1, Math.floor(steps / 5)) === 0) {
      await context.finish();
      collectGarbage();
      const { rss, heapUsed } = process.memoryUsage();
      samples.push({ step, rssMB: rss / 2 ** 20, heapMB: heapUsed / 2 ** 20 });
    }
    if (step === 1) made = objects();
    training.step();
    await context.throttle();
  }
  made = objects() - made; // before reading back, which makes a staging buffer
  const [loss = Number.NaN] = await training.losses();
  training.destroy();
  const { liveBuffers } = context.statistics;
  return {
    ...{ case: 'host soak', adapter: context.adapterName, model: workload.name, steps, loss },
    ...{ objectsCreated: made, liveBuffersAfter: liveBuffers, samples },
  };
}

async function main(): Promise<void> {
  const steps = Number(options.steps);
  const context = await makeContext(options.adapter);
  if (!options.json) console.log(`${context.origin.source}, Node ${process.version}`);
  const chosen = [...WORKLOADS, TINY].filter(({ name }) => name.includes(options.only));
  for (const workload of chosen) {
    const result = await measureSteps(context, workload, steps);
    if (options.json) console.log(JSON.stringify(result));
    else {
      const us = (value: number) => `${value.toFixed(2)} us`.padStart(9);
      console.log(
        `\n${result.model}, batch ${result.batchSize}: ${result.dispatches} dispatches a step in ${result.submits} submits`,
      );
      for (const [caches, { runUs, runUsBest, stepUs, submitUs }] of Object.entries({
        hot: result.hot,
        cold: result.cold,
      })) {
        console.log(
          `  caches ${caches.padEnd(4)}: run ${us(runUs)} a dispatch (best ${us(runUsBest)}), step ${us(stepUs)}, submit ${us(submitUs)}`,
        );
      }
      console.log(
        `  ${result.objectsCreated} GPU objects made in ${2 * steps} steps; garbage: run ${result.runGarbageBytes} bytes, step ${result.stepGarbageBytes} bytes`,
      );
    }
  }
  context.destroy();
  if (Number(options.soak) > 0) {
    const real = await makeContext('real');
    const result = await soak(real, TINY, Number(options.soak));
    if (options.json) console.log(JSON.stringify(result));
    else {
      console.log(
        `\n${result.model} on ${result.adapter}, ${result.steps} steps: ${result.objectsCreated} GPU objects made after the first`,
      );
      for (const { step, rssMB, heapMB } of result.samples)
        console.log(
          `  after ${String(step).padStart(6)}: ${rssMB.toFixed(1)} MB resident, ${heapMB.toFixed(2)} MB JavaScript`,
        );
    }
    real.destroy();
  }
}

await main();
