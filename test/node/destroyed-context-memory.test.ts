/** What a destroyed context leaves in memory while the host's device, which knows it, lives on. Only Node lets a test collect garbage. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { elementwise } from '../../src/kernels/elementwise/elementwise.ts';
import { type Context, contextOnDevice } from '../../src/runtime/context.ts';
import { useContext } from '../support/context.ts';
import { platform } from '../support/platform.ts';

const host = useContext();

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** How many of the objects are still there. */
async function alive(objects: readonly WeakRef<object>[]): Promise<number> {
  for (let round = 0; round < 4; round++) {
    await new Promise((resolve) => setTimeout(resolve, 5)); // a weak reference that was followed holds until the task ends
    collectGarbage();
  }
  return objects.filter((object) => object.deref()).length;
}

/** Computes something; in a function of its own, so that nothing of it stays on the stack. */
async function use(guest: Context): Promise<void> {
  const [a, output] = [guest.tensorFrom(Float32Array.of(1, 2)), guest.tensor([2])];
  guest.record(...elementwise(guest, { expression: 'a + a', inputs: [{ view: a }], output }));
  expect([...(await output.read())]).toEqual([2, 4]);
}

it('no bind group, pipeline or layout', async () => {
  const { device } = host();
  const made: WeakRef<object>[] = [];
  const names = ['createBindGroup', 'createBindGroupLayout', 'createPipelineLayout', 'createComputePipeline'];
  const methods = device as unknown as Record<string, (given: unknown) => object>;
  for (const name of names) {
    const make = methods[name]!.bind(device);
    const value = (given: unknown) => {
      const object = make(given);
      made.push(new WeakRef(object));
      return object;
    };
    Object.defineProperty(device, name, { configurable: true, value });
  }
  const guest = contextOnDevice(platform, device);
  await use(guest);
  for (const name of names) Reflect.deleteProperty(device, name);
  expect(made.length).toBe(4);
  expect(await alive(made)).toBe(4);
  guest.destroy();
  expect(await alive(made)).toBe(0);
  expect(() => guest.flush()).toThrow(/destroyed/); // it was in memory all the time
});
