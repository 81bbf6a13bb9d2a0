/** Browsers, their workers and every other host with `navigator.gpu`. Nothing here is known of Node. */

import { OptionError, UnsupportedError } from '../base/errors.ts';
import type { AdapterOptions, FoundAdapter, Platform, TextCache } from './platform.ts';
import { isSoftwareAdapter } from './software-adapter.ts';

/** The platform of a browser tab or worker. */
export const browserPlatform: Platform = {
  name: 'browser',
  findAdapter,
  wait: (promise) => promise,
  get cache() {
    return globalThis.localStorage && browserCache;
  },
  now: () => performance.now(),
};

/** A tab's local storage. Refused (it throws) where a user allows pages none. */
const browserCache: TextCache = {
  read: async (name) => localStorage.getItem(`rebasin/${name}`) ?? undefined,
  write: async (name, text) => localStorage.setItem(`rebasin/${name}`, text),
};

async function findAdapter(options: AdapterOptions): Promise<FoundAdapter> {
  for (const name of ['backend', 'adapter', 'dawnFlags'] as const) {
    if (options[name] === undefined) continue;
    throw new OptionError(
      `findAdapter: the option ${name} is for Node; a browser chooses by itself. Leave it out`,
    );
  }
  const gpu = (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu;
  if (gpu === undefined) throw new UnsupportedError(`findAdapter: this page has no WebGPU. ${whyNoWebGpu()}`);

  const tried: string[] = [];
  const powerPreference = options.powerPreference ?? 'high-performance';
  let adapter = await gpu.requestAdapter({ powerPreference });
  if (adapter === null) {
    tried.push(`requestAdapter({ powerPreference: '${powerPreference}' }): null`);
    adapter = await gpu.requestAdapter({ forceFallbackAdapter: true });
  }
  if (adapter === null) {
    throw new UnsupportedError(
      'findAdapter: the browser has WebGPU but gave no adapter. ' +
        'Turn on hardware acceleration and update the graphics driver (see chrome://gpu or about:support); ' +
        'in Chrome on Linux start it with --enable-unsafe-webgpu, without a GPU also with --use-webgpu-adapter=swiftshader',
    );
  }
  const software = isSoftwareAdapter(adapter.info);
  return { adapter, source: 'navigator.gpu', tried, software, keepAlive: gpu };
}

function whyNoWebGpu(): string {
  if (globalThis.isSecureContext === false) {
    return 'Browsers offer it only to secure pages: open this one over https:// or on http://localhost';
  }
  return (
    'It needs Chrome or Edge 113, Safari 26 or Firefox 141 (Windows), 145 (macOS) or newer; ' +
    'in Chrome on Linux start it with --enable-unsafe-webgpu'
  );
}
