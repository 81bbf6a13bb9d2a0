/** The peer `@jax-js/jax` in Node, on the adapter of a context: what every comparison with it starts from. */
import * as webgpu from 'webgpu';
import type { Context } from '../src/runtime/context.ts';

export type Jax = typeof import('@jax-js/jax');

/** jax-js takes its adapter from `navigator.gpu`: give it the one that the context found. */
export async function loadJax(context: Context): Promise<Jax> {
  const navigator = { gpu: context.origin.keepAlive as GPU, userAgent: 'Node' };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  Object.assign(globalThis, webgpu.globals);
  const jax = await import('@jax-js/jax');
  if (!(await jax.init('webgpu')).includes('webgpu')) throw new Error('bench: jax-js finds no WebGPU device');
  jax.defaultDevice('webgpu');
  return jax;
}
