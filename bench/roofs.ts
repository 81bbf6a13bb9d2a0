/**
 * What this adapter can do at most, measured by two kernels that do nothing else: copying, and multiply-adds in registers.
 * The best of several shapes counts, since no one shape suits every adapter. Results are checked.
 *
 * GPUs are timed by timestamps where they have them, as the cases that are compared with the roofs are; software adapters by wall time: what
 * they do outside of kernels is the processor's work too.
 */
import type { Context } from '../src/runtime/context.ts';
import { type Dispatch, type Kernel, linearGrid, packParams } from '../src/runtime/kernel.ts';
import type { Tensor } from '../src/runtime/tensor.ts';

export interface Roofs {
  /** Bytes read and written. */
  readonly gigabytesPerSecond: number;
  /** A multiply-add counts 2. */
  readonly gflops: number;
  /** Whether both are by timestamps: then so are the times that are compared with them. Default: wall time. */
  readonly byTimestamps?: boolean;
}

/** Times of the copy and of the multiply-adds that were best, with what they amount to. */
export interface MeasuredRoofs extends Roofs {
  readonly copyMs: readonly number[];
  readonly multiplyAddMs: readonly number[];
}

/** Each invocation copies `each` vec4f, one workgroup-stride apart. */
function copyKernel(each: number): Kernel {
  const copies = Array.from(
    { length: each },
    (_, i) => `  if (at + ${64 * i}u < params.count) { copied[at + ${64 * i}u] = source[at + ${64 * i}u]; }`,
  );
  const wgsl = `
struct Params { count: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> copied: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = (group.y * groups.x + group.x) * ${64 * each}u + local;
${copies.join('\n')}
}`;
  return { name: `roof copy ${each}`, file: 'bench/roofs.ts', wgsl, bindings: ['read', 'read_write'] };
}

/** \`chains\` independent sums an invocation, each x = fma(x, scale, step) over and over; scale and step are 1, told at run time. */
function multiplyAddKernel(type: 'f32' | 'vec4f', chains: number): Kernel {
  const each = (line: (i: number) => string) => Array.from({ length: chains }, (_, i) => line(i)).join('\n');
  const total = Array.from({ length: chains }, (_, i) => `x${i}`).join(' + ');
  const wgsl = `
struct Params { turns: u32, scale: f32, step: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) local: u32) {
  let at = (group.y * groups.x + group.x) * 64u + local;
  let scale = ${type}(params.scale);
  let step = ${type}(params.step);
${each((i) => `  var x${i} = ${type}(f32(${i}u + at % 2u));`)}
  for (var turn = 0u; turn < params.turns; turn++) {
${each((i) => Array.from({ length: STEPS_A_TURN }, () => `    x${i} = fma(x${i}, scale, step);`).join('\n'))}
  }
  let total = ${total};
  output[at] = ${type === 'f32' ? 'total' : 'total.x + total.y + total.z + total.w'};
}`;
  return {
    ...{ name: `roof multiply-add ${type} ${chains}`, file: 'bench/roofs.ts', wgsl },
    bindings: ['read_write'],
  };
}

const STEPS_A_TURN = 4;

/** Sizes that take some tens of milliseconds on a software adapter, and on a GPU are past its caches and its latency. */
const SIZES = {
  software: { copyBytes: 64 * 2 ** 20, invocations: 64 * 64, turns: 256 },
  hardware: { copyBytes: 512 * 2 ** 20, invocations: 64 * 16384, turns: 512 },
};

/** Measures both roofs. @throws Error when a kernel gives wrong numbers. */
export async function measureRoofs(context: Context, repeats: number): Promise<MeasuredRoofs> {
  const sizes = context.software ? SIZES.software : SIZES.hardware;
  const copy = await measureCopy(context, sizes.copyBytes, repeats);
  const arithmetic = await measureArithmetic(context, sizes.invocations, sizes.turns, repeats);
  return { ...copy, ...arithmetic, byTimestamps: hasTimestamps(context) };
}

function hasTimestamps({ software, device }: Context): boolean {
  return !software && device.features.has('timestamp-query');
}

async function measureCopy(context: Context, wanted: number, repeats: number) {
  const { maxStorageBufferBindingSize, maxBufferSize } = context.device.limits;
  const bytes = Math.min(wanted, maxStorageBufferBindingSize, maxBufferSize);
  const count = Math.floor(bytes / 16);
  const values = Float32Array.from({ length: 4 * count }, (_, i) => i % 4096);
  const tensors: Tensor[] = [context.tensorFrom(values), context.tensor([4 * count])];
  const [source, target] = tensors as [Tensor, Tensor];
  let best: number[] = [];
  try {
    for (const each of [1, 4, 16]) {
      const kernel = copyKernel(each);
      const workgroups = linearGrid(Math.ceil(count / (64 * each)));
      const params = packParams('u', count);
      best = better(
        best,
        await timeDispatch(
          context,
          { kernel, views: [source, target], params, workgroups, work: count },
          repeats,
        ),
      );
    }
    const copied = await target.read();
    const wrong = copied.findIndex((value, i) => value !== values[i]);
    if (wrong >= 0)
      throw new Error(`roof/copy: element ${wrong} is ${copied[wrong]}, expected ${values[wrong]}`);
  } finally {
    for (const tensor of tensors) tensor.destroy();
  }
  return { gigabytesPerSecond: (32 * count) / Math.min(...best) / 1e6, copyMs: best };
}

async function measureArithmetic(context: Context, invocations: number, turns: number, repeats: number) {
  const output = context.tensor([invocations]);
  let [best, gflops]: [number[], number] = [[], 0];
  try {
    for (const [type, chains] of [
      ['f32', 8],
      ['vec4f', 2],
      ['vec4f', 4],
      ['vec4f', 8],
    ] as const) {
      const lanes = type === 'f32' ? chains : 4 * chains;
      // as many multiply-adds whatever the shape
      const longer = (turns * 32) / lanes;
      const times = await timeDispatch(
        context,
        {
          kernel: multiplyAddKernel(type, chains),
          views: [output],
          params: packParams('uff', longer, 1, 1),
          workgroups: linearGrid(invocations / 64),
          work: invocations * longer * STEPS_A_TURN * lanes,
        },
        repeats,
      );
      checkSums(await output.read(), { chains, lanes, steps: longer * STEPS_A_TURN });
      const rate = (2 * invocations * longer * STEPS_A_TURN * lanes) / Math.min(...times) / 1e6;
      if (rate > gflops) [best, gflops] = [times, rate];
    }
  } finally {
    output.destroy();
  }
  return { gflops, multiplyAddMs: best };
}

/** Whole numbers below 2^24 are exact, fused or not. */
function checkSums(values: Float32Array, given: { chains: number; lanes: number; steps: number }): void {
  const { chains, lanes, steps } = given;
  const starts = (chains * (chains - 1)) / 2;
  for (const [at, value] of values.entries()) {
    const expected = (lanes / chains) * (starts + chains * (at % 2)) + lanes * steps;
    if (value !== expected)
      throw new Error(`roof/multiply-add: invocation ${at} gave ${value}, expected ${expected}`);
  }
}

/** How long a GPU is kept busy before it is timed, so that its clocks have risen. */
const WARM_UP_MS = 100;

/** Milliseconds of each repeat, after a compilation and a warm-up that do not count. */
async function timeDispatch(context: Context, dispatch: Dispatch, repeats: number): Promise<number[]> {
  const once = async () => {
    context.record(dispatch);
    await context.finish();
  };
  await once();
  if (!context.software) {
    const began = performance.now();
    while (performance.now() - began < WARM_UP_MS) await once();
  }
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    if (hasTimestamps(context)) {
      const { kernels } = await context.profile(once);
      times.push(kernels.reduce((sum, { gpuTimeNs }) => sum + gpuTimeNs, 0) / 1e6);
      continue;
    }
    const started = performance.now();
    await once();
    times.push(performance.now() - started);
  }
  return times;
}

function better(a: number[], b: number[]): number[] {
  return a.length > 0 && Math.min(...a) <= Math.min(...b) ? a : b;
}
