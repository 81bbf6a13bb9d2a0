/** Contexts: what they own, how errors arrive, what a lost device does, how loops are held back. */
import { describe, expect, it } from 'vitest';
import {
  DeviceLostError,
  GpuError,
  ShaderError,
  ShapeError,
  UnsupportedError,
} from '../../../src/base/errors.ts';
import { contextOnDevice, requestContextOn } from '../../../src/runtime/context.ts';
import { type Dispatch, type Kernel, packParams, type TensorView } from '../../../src/runtime/kernel.ts';
import { useContext } from '../../support/context.ts';
import { platform } from '../../support/platform.ts';

const context = useContext();

const ADD_ONE: Kernel = {
  name: 'test add one',
  file: 'test',
  wgsl: `
    struct Params { count: u32, amount: f32 }
    @group(0) @binding(0) var<uniform> params: Params;
    @group(0) @binding(1) var<storage, read_write> x: array<f32>;
    @compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
      if (id.x < params.count) { x[id.x] += params.amount; }
    }`,
  bindings: ['read_write'],
};

function addTo(view: TensorView, amount: number, work = 1): Dispatch {
  const count = view.shape[0]!;
  return {
    kernel: ADD_ONE,
    views: [view],
    params: packParams('uf', count, amount),
    workgroups: [Math.ceil(count / 64), 1, 1],
    work,
  };
}

describe('Context', () => {
  it('says what to wait for by work and last kernel: nothing for copies, nothing twice', async () => {
    const { recorder } = context();
    await context().finish();
    const x = context().tensorFrom(Float32Array.of(1, 2));
    context().record(addTo(x, 1, 3), addTo(x, 1, 4));
    context().flush();
    const pending = recorder.takePending();
    expect(pending?.what).toBe('7 test add one');
    expect(pending?.since).toBeLessThanOrEqual(performance.now());
    expect(recorder.takePending()).toBeUndefined();
    expect([...(await x.read())]).toEqual([3, 4]); // a copy alone
    expect(recorder.takePending()).toBeUndefined();
    x.destroy();
  });

  it('runs dispatches in order, each with its own uniforms, over more than one submit', async () => {
    const x = context().tensorFrom(Float32Array.of(0, 10));
    // 1,200 dispatches pass the slots of two submits; the sum of 1..1200 is exact in float32.
    for (let i = 1; i <= 1200; i++) context().record(addTo(x, i));
    expect([...(await x.read())]).toEqual([720600, 720610]);
    x.destroy();
  });

  it('closes a submit when its estimated work is used up', async () => {
    const x = context().tensorFrom(Float32Array.of(0));
    const before = context().statistics.submits;
    for (let i = 0; i < 4; i++) context().record(addTo(x, 1, 1e12));
    context().flush();
    expect(context().statistics.submits - before).toBe(4);
    expect([...(await x.read())]).toEqual([4]);
    x.destroy();
  });

  it('reuses buffers, and hands out zeroed ones when asked', async () => {
    const first = context().tensorFrom(Float32Array.of(1, 2, 3));
    const { buffer } = first;
    first.destroy();
    const created = context().statistics.buffersCreated;
    const second = context().tensor([3], 'f32', { zero: true });
    expect(second.buffer).toBe(buffer);
    expect(context().statistics.buffersCreated).toBe(created);
    expect([...(await second.read())]).toEqual([0, 0, 0]);
    second.destroy();
    second.destroy(); // twice is once
  });

  it('sees a write only after what was recorded before it', async () => {
    const x = context().tensorFrom(Float32Array.of(1));
    const copy = context().tensor([1]);
    context().recorder.copy(x.buffer, 0, copy.buffer, 0, 4);
    context().write(x, Float32Array.of(2));
    expect([...(await copy.read()), ...(await x.read())]).toEqual([1, 2]);
    x.destroy();
    copy.destroy();
  });

  it('reads back unsigned integers as such, and empty tensors as empty', async () => {
    const x = context().tensorFrom(Uint32Array.of(4294967295, 7));
    expect(await context().read({ ...x, dtype: 'u32', buffer: x.buffer, offset: 0, shape: [2] })).toEqual(
      Uint32Array.of(4294967295, 7),
    );
    const empty = context().tensor([0]);
    expect(await empty.read()).toHaveLength(0);
    x.destroy();
    empty.destroy();
  });

  it('refuses data that does not fill its shape, and a tensor larger than any buffer', () => {
    expect(() => context().tensorFrom(Float32Array.of(1, 2), [3])).toThrow(ShapeError);
    expect(() => context().tensor([2 ** 40])).toThrow(UnsupportedError);
  });

  it('keeps a loop that runs ahead from growing memory', async () => {
    const x = context().tensorFrom(Float32Array.of(0));
    for (let i = 0; i < 100; i++) {
      context().record(addTo(x, 1));
      await context().throttle();
    }
    expect([...(await x.read())]).toEqual([100]);
    x.destroy();
  });
});

describe('a context of its own', () => {
  it('reports a shader that does not compile with file, line and source', async () => {
    const own = await requestContextOn(platform);
    const x = own.tensorFrom(Float32Array.of(0));
    const broken = {
      ...ADD_ONE,
      name: 'test broken',
      wgsl: ADD_ONE.wgsl.replace('params.amount', 'params.amonut'),
    };
    own.record({ ...addTo(x, 1), kernel: broken });
    const error = await x.read().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ShaderError);
    expect((error as Error).message).toMatch(/test broken.*\n.*test:6:.*amonut[\s\S]*x\[id\.x\] \+=/);
    own.destroy();
  });

  it('reports a validation error at the next read', async () => {
    const own = await requestContextOn(platform);
    const [a, b] = [own.tensor([64]), own.tensor([64])];
    own.recorder.copy(a.buffer, 0, b.buffer, 0, 4096); // past both ends
    await expect(b.read()).rejects.toThrow(GpuError);
    own.destroy();
  });

  it('rejects work that was pending when its device is lost, and whatever comes after', async () => {
    const own = await requestContextOn(platform);
    const x = own.tensorFrom(new Float32Array(1024));
    const pending = x.read();
    own.device.destroy();
    await expect(pending).rejects.toThrow(DeviceLostError);
    await expect(x.read()).rejects.toThrow(/create a new/);
    expect(() => own.tensor([1])).toThrow(DeviceLostError);
    own.destroy();
  });

  it('is unusable after destroy, which may be called twice', async () => {
    const own = await requestContextOn(platform);
    own.destroy();
    own.destroy();
    expect(() => own.tensor([1])).toThrow(DeviceLostError);
  });
});

describe("a context on a host's device", () => {
  it('computes in the host buffer without a copy, leaves device, buffer and handlers alone', async () => {
    const host = await requestContextOn(platform);
    const seen: string[] = [];
    const handler = (event: GPUUncapturedErrorEvent) => seen.push(event.error.message);
    host.device.onuncapturederror = handler;
    const buffer = host.tensorFrom(Float32Array.of(1, 2));
    const guest = contextOnDevice(platform, host.device);
    const view = guest.wrap(buffer.buffer, [2]);
    expect(view.buffer).toBe(buffer.buffer);
    guest.record(addTo(view, 5));
    expect([...(await view.read())]).toEqual([6, 7]);
    view.destroy();
    guest.destroy();
    expect(host.device.onuncapturederror).toBe(handler);
    expect([...(await buffer.read())]).toEqual([6, 7]); // device and buffer still work
    expect(seen).toEqual([]);
    buffer.destroy();
    host.destroy();
  });

  it('frees every buffer that the guest made when it is destroyed, held or not', async () => {
    const host = await requestContextOn(platform);
    const guest = contextOnDevice(platform, host.device);
    const held = guest.tensorFrom(Float32Array.of(1));
    guest.destroy();
    held.destroy();
    host.device.pushErrorScope('validation');
    const encoder = host.device.createCommandEncoder();
    encoder.clearBuffer(held.buffer);
    host.device.queue.submit([encoder.finish()]);
    expect((await host.device.popErrorScope())?.message).toMatch(/destroyed/i);
    host.destroy();
  });

  it('refuses to wrap a buffer that is too small', async () => {
    const x = context().tensor([4]);
    expect(() => context().wrap(x.buffer, [1000])).toThrow(ShapeError);
    x.destroy();
  });
});

describe('profile', () => {
  it('names every kernel with its calls, where the adapter has timestamps', async (test) => {
    if (!context().device.features.has('timestamp-query')) {
      test.skip(`no timestamp-query on ${context().adapterName}`);
    }
    const x = context().tensorFrom(new Float32Array(4096));
    const profile = await context().profile(() => {
      context().record(addTo(x, 1), addTo(x, 2));
    });
    expect(profile.kernels.map(({ kernel, calls }) => ({ kernel, calls }))).toEqual([
      { kernel: 'test add one', calls: 2 },
    ]);
    expect(profile.kernels[0]!.gpuTimeNs).toBeGreaterThan(0);
    x.destroy();
  });
});
