/**
 * Engines that were written for browsers, in Node: they look for their adapter in `navigator.gpu`, so they are given the one that the
 * suite's own adapter came from.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import * as webgpu from 'webgpu';
import type { Context } from '../../src/runtime/context.ts';
import type { PeerHost } from '../peers/peer.ts';

/** Makes this process look like a browser to peers, on the adapter of a context that outlives them. */
export function nodePeerHost(context: Context): PeerHost {
  const gpu = context.origin.keepAlive as GPU;
  Object.defineProperty(globalThis, 'navigator', {
    value: { gpu, userAgent: 'Node' },
    configurable: true,
  });
  Object.assign(globalThis, webgpu.globals);
  acceptSharedMemory();
  if (!context.software) return { name: 'node', gpu, versions, runModule };
  // V8 would spend a minute of all cores, which the adapter computes on, on optimising ONNX Runtime's 26 MB while others are timed.
  setFlagsFromString('--liftoff-only');
  return { name: 'node', gpu, versions, runModule, webAssembly: 'not optimised' };
}

/** ONNX Runtime's heap is a SharedArrayBuffer, which Dawn refuses to write from: such writes are copied first. */
function acceptSharedMemory(): void {
  const { prototype } = globalThis.GPUQueue;
  const { writeBuffer } = prototype;
  prototype.writeBuffer = function (buffer, bufferOffset, data, dataOffset = 0, size) {
    const memory = ArrayBuffer.isView(data) ? data.buffer : data;
    if (!(memory instanceof SharedArrayBuffer))
      return writeBuffer.call(this, buffer, bufferOffset, data as BufferSource, dataOffset, size);
    const view = ArrayBuffer.isView(data) ? data : new Uint8Array(memory);
    const element = 'BYTES_PER_ELEMENT' in view ? (view.BYTES_PER_ELEMENT as number) : 1;
    const start = view.byteOffset + dataOffset * element;
    const length = size === undefined ? view.byteLength - dataOffset * element : size * element;
    return writeBuffer.call(this, buffer, bufferOffset, new Uint8Array(memory, start, length).slice());
  };
}

/** Bundles an ES module and runs it. */
async function runModule(specifier: string): Promise<void> {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    stdin: { contents: `import '${specifier}';`, resolveDir: dirname(fileURLToPath(import.meta.url)) },
    ...({ write: false, bundle: true, format: 'esm', platform: 'node', logLevel: 'silent' } as const),
    mainFields: ['module', 'main'],
  });
  const text = Buffer.from(outputFiles[0]!.contents).toString('base64');
  await import(`data:text/javascript;base64,${text}`);
}

/** Versions of packages, from the `node_modules` folders above this file. */
export function versions(packages: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    packages.flatMap((name) => {
      const version = versionOf(name);
      return version === undefined ? [] : [[name, version]];
    }),
  );
}

function versionOf(name: string): string | undefined {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, 'node_modules', name, 'package.json');
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
    if (folder === dirname(folder)) return undefined;
  }
}
