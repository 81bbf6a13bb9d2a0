/** A host application with a device, encoders and buffers of its own: what a context does to them, and what it leaves alone. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { DeviceLostError, ShapeError, StateError, UnsupportedError } from '../../../src/base/errors.ts';
import { elementwise } from '../../../src/kernels/elementwise/elementwise.ts';
import { matmul } from '../../../src/kernels/matmul/matmul.ts';
import { gradients } from '../../../src/nn/gradient.ts';
import * as ops from '../../../src/nn/ops/index.ts';
import { compile } from '../../../src/nn/program.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { type Context, contextOnDevice } from '../../../src/runtime/context.ts';
import { optionalFeatures, requiredLimits } from '../../../src/runtime/device-needs.ts';
import { BufferUsage, STORAGE_USAGE } from '../../../src/runtime/gpu-constants.ts';
import type { Dispatch, TensorView } from '../../../src/runtime/kernel.ts';
import { useContext } from '../../support/context.ts';
import { countObjects, MAKERS } from '../../support/gpu-objects.ts';
import { platform } from '../../support/platform.ts';

/** Stands for the host application: its device is its own, and it reads its buffers by itself. */
const host = useContext();

/** A library's context on the host's device, gone after the test. */
function useGuest(): Context {
  const guest = contextOnDevice(platform, host().device);
  onTestFinished(() => guest.destroy());
  return guest;
}

const times = (context: Context, input: TensorView, factor: number, output: TensorView): Dispatch[] =>
  elementwise(context, { expression: 'a * s0', inputs: [{ view: input }], output, scalars: [factor] });

function submit(encode: (encoder: GPUCommandEncoder) => void): void {
  const encoder = host().device.createCommandEncoder();
  encode(encoder);
  host().device.queue.submit([encoder.finish()]);
}

/** What is called on a device until the end of the test that can fail, each with the error scopes that were open. */
function watchScopes(device: GPUDevice): readonly { readonly name: string; readonly scopes: string[] }[] {
  const open: string[] = [];
  const calls: { name: string; scopes: string[] }[] = [];
  const watch = (
    target: object,
    name: string,
    before: (...given: unknown[]) => void,
    after = (_: unknown) => {},
  ) => {
    const method = (target as Record<string, (...given: unknown[]) => unknown>)[name]!;
    const value = (...given: unknown[]) => {
      before(...given);
      const result = method.apply(target, given);
      after(result);
      return result;
    };
    Object.defineProperty(target, name, { configurable: true, value });
    if (target === device || target === device.queue)
      onTestFinished(() => void Reflect.deleteProperty(target, name));
  };
  const note = (name: string) => () => void calls.push({ name, scopes: [...open] });
  watch(device, 'pushErrorScope', (filter) => open.push(filter as string));
  watch(device, 'popErrorScope', () => open.pop());
  watch(device, 'createBuffer', note('createBuffer'), (buffer) =>
    watch(buffer as object, 'mapAsync', note('mapAsync')),
  );
  for (const name of MAKERS) if (name !== 'createBuffer') watch(device, name, note(name));
  for (const name of ['submit', 'writeBuffer']) watch(device.queue, name, note(name));
  return calls;
}

describe('context.recording', () => {
  it("runs in the host's submit and not before, over a copy of the host's own in the same encoder", async () => {
    const guest = useGuest();
    const [a, b, c] = [host().tensorFrom(Float32Array.of(1, 2, 3)), host().tensor([3]), host().tensor([3])];
    const recording = guest.recording(() => guest.record(...times(guest, guest.wrap(b.buffer, [3]), 10, c)));
    const before = guest.statistics.submits;
    submit((encoder) => {
      encoder.copyBufferToBuffer(a.buffer, 0, b.buffer, 0, 12); // the host's, before
      recording.encode(encoder);
      encoder.copyBufferToBuffer(c.buffer, 0, a.buffer, 0, 12); // the host's, after
    });
    expect([...(await a.read())]).toEqual([10, 20, 30]);
    expect(guest.statistics.submits).toBe(before); // nothing was submitted by the guest
    for (const tensor of [a, b, c]) tensor.destroy();
  });

  it("takes an open compute pass, and leaves it the host's to end", async () => {
    const guest = useGuest();
    const [a, b] = [host().tensorFrom(Float32Array.of(1, 2)), host().tensor([2])];
    const recording = guest.recording(() => guest.record(...times(guest, a, 3, b), ...times(guest, b, 5, b)));
    expect(recording.dispatches).toBe(2);
    expect(recording.needsEncoder).toBe(false);
    submit((encoder) => {
      const pass = encoder.beginComputePass();
      recording.encode(pass);
      recording.encode(pass);
      pass.end();
    });
    expect([...(await b.read())]).toEqual([15, 30]);
    a.destroy();
    b.destroy();
  });

  it('keeps its parameters whatever the context records, submits and records anew before the host submits', async () => {
    const guest = useGuest();
    const a = host().tensorFrom(Float32Array.of(1, 1, 1, 1));
    const outputs = [2, 3, 4].map(() => host().tensor([4]));
    const [first, second] = [2, 3].map((factor, i) =>
      guest.recording(() => guest.record(...times(guest, a, factor, outputs[i]!))),
    );
    const encoder = host().device.createCommandEncoder();
    first!.encode(encoder);
    guest.record(...times(guest, a, 4, outputs[2]!)); // of the guest's own, through the uniforms of its recorder
    guest.flush();
    second!.encode(encoder);
    host().device.queue.submit([encoder.finish()]);
    expect(await Promise.all(outputs.map(async (output) => (await output.read())[3]))).toEqual([2, 3, 4]);
    for (const tensor of [a, ...outputs]) tensor.destroy();
  });

  it('runs after what the context recorded before it was encoded', async () => {
    const guest = useGuest();
    const [a, b, c] = [host().tensorFrom(Float32Array.of(1)), host().tensor([1]), host().tensor([1])];
    const recording = guest.recording(() => guest.record(...times(guest, b, 10, c)));
    guest.record(...times(guest, a, 7, b)); // not flushed
    submit((encoder) => recording.encode(encoder));
    expect([...(await c.read())]).toEqual([70]);
    for (const tensor of [a, b, c]) tensor.destroy();
  });

  it('makes no GPU object when it is encoded again, and counts no buffer as live once destroyed', async () => {
    const guest = useGuest();
    const [a, b] = [host().tensorFrom(Float32Array.of(1)), host().tensor([1])];
    const recording = guest.recording(() => guest.record(...times(guest, a, 2, a)));
    const made = countObjects(host().device);
    for (let i = 0; i < 5; i++) submit((encoder) => recording.encode(encoder));
    expect(made()).toBe(0);
    expect([...(await a.read())]).toEqual([32]);
    recording.destroy();
    recording.destroy(); // twice is once
    expect(() => submit((encoder) => recording.encode(encoder))).toThrow(StateError);
    a.destroy();
    b.destroy();
  });

  it('records a whole training step of a program, copies included, with the bits of program.run', async () => {
    const guest = useGuest();
    const weight = ops.parameter('w', [3, 2]);
    const x = ops.input('x', ['N', 2]);
    const y = ops.linear(x, weight);
    const loss = ops.sum(ops.sum(ops.multiply(y, y), 0), 0);
    const [gradient] = gradients(loss, [weight]);
    const updated = ops.subtract(weight, ops.scale(gradient!, 0.1));
    const layout = new ArenaLayout([{ name: 'w', shape: [3, 2] }]);
    const initial = Float32Array.of(1, -2, 3, -4, 5, -6);
    const run = async (train: (program: ReturnType<typeof compile>) => void) => {
      const arena = new Arena(guest, layout);
      arena.write(new Map([['w', initial]]));
      const program = compile(guest, {
        outputs: {},
        stores: [[updated, arena.view('w')]],
        arenas: [arena],
        batchSize: 2,
      });
      guest.write(program.input('x'), Float32Array.of(0.1, 0.2, 0.3, 0.4));
      train(program);
      const after = (await arena.read()).get('w')!;
      program.destroy();
      arena.destroy();
      return after;
    };
    const byRun = await run((program) => {
      program.run();
      program.run();
    });
    const byHost = await run((program) => {
      const recording = guest.recording(() => program.run());
      expect(recording.needsEncoder).toBe(true);
      const encoder = host().device.createCommandEncoder();
      const pass = encoder.beginComputePass();
      expect(() => recording.encode(pass)).toThrow(ShapeError);
      pass.end();
      recording.encode(encoder);
      recording.encode(encoder);
      host().device.queue.submit([encoder.finish()]);
    });
    expect(byHost).toEqual(byRun);
    expect(byRun).not.toEqual(initial);
  });

  it('keeps tensors that are destroyed while it records, and frees them when it is destroyed', async () => {
    const guest = useGuest();
    const [a, b] = [host().tensorFrom(Float32Array.of(1, 2)), host().tensor([2])];
    const before = guest.statistics.liveBuffers;
    const recording = guest.recording(() => {
      const scratch = guest.tensor([2]);
      guest.record(...times(guest, a, 10, scratch), ...times(guest, scratch, 3, b));
      scratch.destroy();
    });
    const other = guest.tensorFrom(Float32Array.of(7, 8)); // of the same size: the pool would hand out the same buffer
    submit((encoder) => recording.encode(encoder));
    submit((encoder) => recording.encode(encoder));
    expect([...(await b.read())]).toEqual([30, 60]);
    expect([...(await other.read())]).toEqual([7, 8]);
    other.destroy();
    expect(guest.statistics.liveBuffers).toBe(before + 1);
    recording.destroy();
    expect(guest.statistics.liveBuffers).toBe(before);
    const fails = () => {
      guest.tensor([2]).destroy();
      throw new RangeError('of the host');
    };
    expect(() => guest.recording(fails)).toThrow('of the host');
    expect(guest.statistics.liveBuffers).toBe(before);
    a.destroy();
    b.destroy();
  });

  it('refuses a function that returns a promise, of which nothing stays recorded', async () => {
    const guest = useGuest();
    const a = guest.tensorFrom(Float32Array.of(1));
    let rest: Promise<void> | undefined;
    const half = async () => {
      guest.record(...times(guest, a, 3, a));
      guest.tensor([1]).destroy();
      await Promise.resolve();
      throw new RangeError('later'); // is no unhandled rejection
    };
    const live = guest.statistics.liveBuffers;
    const attempt = () => {
      rest = half();
      return rest;
    };
    expect(() => guest.recording(attempt)).toThrow(StateError);
    expect(() => guest.recording(attempt)).toThrow(/returns a promise/);
    await expect(rest).rejects.toThrow('later');
    expect(guest.statistics.liveBuffers).toBe(live);
    guest.record(...times(guest, a, 5, a));
    expect([...(await a.read())]).toEqual([5]);
  });

  it('refuses what cannot wait for a host to submit it, and records as before afterwards', async () => {
    const guest = useGuest();
    const a = guest.tensorFrom(Float32Array.of(1));
    const attempts: (() => void)[] = [
      () => guest.write(a, Float32Array.of(2)),
      () => guest.tensor([1], 'f32', { zero: true }),
      () => guest.flush(),
      () => guest.recording(() => {}),
    ];
    for (const attempt of attempts) expect(() => guest.recording(attempt)).toThrow(StateError);
    await expect(
      new Promise((_, reject) => guest.recording(() => void a.read().catch(reject))),
    ).rejects.toThrow(StateError);
    guest.record(...times(guest, a, 6, a));
    expect([...(await a.read())]).toEqual([6]);
  });
});

describe('buffers in and out', () => {
  it("computes from the host's buffers into the host's buffer, and hands out its own", async () => {
    const guest = useGuest();
    const { device } = host();
    const make = (values: readonly number[]) => {
      const buffer = device.createBuffer({ size: 16, usage: STORAGE_USAGE, mappedAtCreation: true });
      new Float32Array(buffer.getMappedRange()).set(values);
      buffer.unmap();
      onTestFinished(() => buffer.destroy());
      return buffer;
    };
    const [a, b, product] = [make([1, 2, 3, 4]), make([5, 6, 7, 8]), make([])];
    const output = guest.wrap(product, [2, 2]);
    guest.record(
      ...matmul(guest, { a: guest.wrap(a, [2, 2]), b: guest.wrap(b, [2, 2]), output }),
      ...times(guest, output, 2, output),
    );
    guest.flush();
    // The host goes on with a buffer of the guest's, in an encoder of its own.
    const own = guest.tensor([4]);
    submit((encoder) => encoder.copyBufferToBuffer(product, 0, own.buffer, 0, 16));
    expect([...(await own.read())]).toEqual([38, 44, 86, 100]);
  });

  it('takes a part of a buffer as a plain view', async () => {
    const guest = useGuest();
    const all = host().tensorFrom(Float32Array.from({ length: 128 }, (_, i) => i));
    const part = { buffer: all.buffer, offset: 256, shape: [4], dtype: 'f32' } as const;
    const output = guest.tensor([4]);
    guest.record(...times(guest, part, 10, output));
    expect([...(await output.read())]).toEqual([640, 650, 660, 670]);
    all.destroy();
  });

  it('refuses a buffer that no kernel could bind, naming what it has and what it needs', () => {
    const buffer = host().device.createBuffer({ size: 64, usage: BufferUsage.COPY_DST });
    expect(() => host().wrap(buffer, [4])).toThrow(/usage STORAGE of at least 16 bytes, got usage 8 and 64/);
    buffer.destroy();
  });
});

describe("the host's error handlers", () => {
  it("never see the library's errors, which come to whoever uses the context", async () => {
    const guest = useGuest();
    const { device } = host();
    const seen: string[] = [];
    const listener = (event: Event) => seen.push((event as GPUUncapturedErrorEvent).error.message);
    device.addEventListener('uncapturederror', listener);
    device.pushErrorScope('validation'); // the host has one open, too
    const [a, b] = [guest.tensor([64]), guest.tensor([64])];
    guest.recorder.copy(a.buffer, 0, b.buffer, 0, 4096); // past both ends
    await expect(b.read()).rejects.toThrow(/WebGPU reported/);
    const wrong = useGuest();
    const buffer = device.createBuffer({ size: 256, usage: STORAGE_USAGE });
    const view = wrong.wrap(buffer, [64]);
    wrong.record(
      ...times(wrong, { ...view, buffer, offset: 4, shape: [1], dtype: 'f32' }, 2, wrong.tensor([1])),
    );
    await expect(wrong.finish()).rejects.toThrow(/offset/i); // a bind group at no multiple of 256
    expect(await device.popErrorScope()).toBeNull();
    await device.queue.onSubmittedWorkDone();
    device.removeEventListener('uncapturederror', listener);
    expect(seen).toEqual([]);
    buffer.destroy();
  });

  it('have nothing to see: whatever can fail is inside all three kinds of error scopes', async () => {
    const { device } = host();
    const calls = watchScopes(device);
    const guest = useGuest();
    const [a, b] = [guest.tensorFrom(Float32Array.of(1, 2)), guest.tensor([2])];
    const work = () => guest.record(...times(guest, a, 2, b)); // a cache of its own: it compiles
    if (device.features.has('timestamp-query')) await guest.profile(work);
    else work();
    await b.read();
    guest.recording(work);
    expect([...new Set(calls.map(({ name }) => name))].sort()).toEqual(
      [
        ...['createBindGroup', 'createBindGroupLayout', 'createBuffer', 'createComputePipeline'],
        ...['createPipelineLayout', 'createShaderModule', 'mapAsync', 'submit', 'writeBuffer'],
        ...(device.features.has('timestamp-query') ? ['createQuerySet'] : []),
      ].sort(),
    );
    const all = ['internal', 'out-of-memory', 'validation'];
    for (const { name, scopes } of calls) expect([...new Set(scopes)].sort(), name).toEqual(all);
  });

  it("see the host's own errors as before", async () => {
    const guest = useGuest();
    const { device } = host();
    device.pushErrorScope('validation');
    guest.record(...times(guest, guest.tensor([4]), 2, guest.tensor([4])));
    device.createBuffer({ size: 4, usage: BufferUsage.MAP_READ | BufferUsage.STORAGE });
    await guest.finish(); // not the guest's error
    expect((await device.popErrorScope())?.message).toMatch(/usage/i);
  });
});

describe('context.destroy', () => {
  it("frees every buffer that it made, being read or recorded ones too, and leaves the host's", async () => {
    const { device } = host();
    const made = new Map<GPUBuffer, boolean>();
    const create = device.createBuffer.bind(device);
    const watched = (descriptor: GPUBufferDescriptor) => {
      const buffer = create(descriptor);
      const destroy = buffer.destroy.bind(buffer);
      made.set(buffer, false);
      Object.defineProperty(buffer, 'destroy', {
        value: () => {
          made.set(buffer, true);
          return destroy();
        },
      });
      return buffer;
    };
    Object.defineProperty(device, 'createBuffer', { configurable: true, value: watched });
    onTestFinished(() => void Reflect.deleteProperty(device, 'createBuffer'));
    const mine = device.createBuffer({ size: 256, usage: STORAGE_USAGE });
    const guest = contextOnDevice(platform, device);
    const a = guest.tensorFrom(new Float32Array(1024));
    guest.tensor([8]).destroy(); // idle in the pool
    guest.recording(() => guest.record(...times(guest, a, 2, a)));
    await a.read(); // an idle staging buffer
    const pending = Promise.all([a.read(), a.read()]);
    const rejected = expect(pending).rejects.toThrow(/destroyed/);
    guest.wrap(mine, [4]);
    guest.destroy();
    await rejected;
    // Uniforms, the tensor, the idle one, the recording's uniforms, two for reading.
    expect(made.size).toBe(1 + 6);
    expect([...made].filter(([, destroyed]) => !destroyed).map(([buffer]) => buffer)).toEqual([mine]);
    mine.destroy();
  });
});

describe('a destroyed context', () => {
  it('throws its own error at whatever still records, by kernel or by program', () => {
    const guest = useGuest();
    const [a, b] = [guest.tensor([4]), guest.tensor([4])];
    const outputs = { y: ops.relu(ops.input('x', ['N', 4])) };
    const program = compile(guest, { outputs, arenas: [], batchSize: 1 });
    const recordings: (() => void)[] = [
      () => program.run(),
      () => guest.record(...times(guest, a, 2, b)),
      () => guest.recorder.copy(a.buffer, 0, b.buffer, 0, 16),
      () => guest.recorder.clear(a.buffer),
      () => guest.flush(),
    ];
    guest.destroy();
    for (const record of recordings) {
      expect(record).toThrow(DeviceLostError);
      expect(record).toThrow(/^context: it was destroyed; create a new one$/);
    }
    program.destroy();
  });
});

describe('requiredLimits and optionalFeatures', () => {
  it('need no device, and make one that contextFromDevice takes', async () => {
    const found = await platform.findAdapter({});
    const device = await found.adapter.requestDevice({
      requiredLimits: requiredLimits(),
      requiredFeatures: optionalFeatures(found.adapter),
    });
    const guest = contextOnDevice(platform, device);
    expect(guest.software).toBe(found.software);
    const a = guest.tensorFrom(Float32Array.of(4));
    guest.record(...times(guest, a, 2, a));
    expect([...(await a.read())]).toEqual([8]);
    guest.destroy();
    device.destroy();
  });

  it('raise sizes to what an adapter has, and name only features that it has', async () => {
    const { adapter } = await platform.findAdapter({});
    expect(requiredLimits(adapter)).toEqual({
      ...requiredLimits(),
      maxBufferSize: adapter.limits.maxBufferSize,
      maxStorageBufferBindingSize: adapter.limits.maxStorageBufferBindingSize,
    });
    expect(optionalFeatures()).toContain('timestamp-query');
    expect(optionalFeatures({ features: new Set() })).toEqual([]);
  });

  it('are what contextFromDevice checks: too small a device is refused by name', () => {
    const limits = { ...requiredLimits(), maxStorageBuffersPerShaderStage: 4 };
    const device = { limits } as unknown as GPUDevice;
    const open = () => contextOnDevice(platform, device);
    expect(open).toThrow(UnsupportedError);
    expect(open).toThrow(
      /maxStorageBuffersPerShaderStage is 4 and must be at least 8.*requiredLimits\(adapter\)/,
    );
  });
});
