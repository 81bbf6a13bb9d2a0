/**
 * Node: a GPU through Dawn (the optional package `webgpu`), on any machine. Looks for an adapter in this order and says which it took:
 * the runtime's own `navigator.gpu`; drivers that the user named; the system's drivers, hardware first; SwiftShader of an installed
 * Chromium; SwiftShader of the npm package `@sparticuz/chromium`. The only file that names the package `webgpu`.
 */

import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { OptionError, UnsupportedError } from '../base/errors.ts';
import { cacheFolder } from './node/cache-folder.ts';
import { npmChromiumInstall, npmSwiftShader } from './node/npm-chromium.ts';
import { SleepingWait } from './node/sleeping-wait.ts';
import {
  chromiumFolders,
  type Environment,
  loadVulkanLoader,
  systemManifests,
  type VulkanDriver,
  withManifests,
} from './node/vulkan.ts';
import type { AdapterOptions, FoundAdapter, Platform } from './platform.ts';
import { isSoftwareAdapter } from './software-adapter.ts';

/** What a search uses of the machine; tests replace parts of it. */
export interface NodeMachine {
  /** Imports Dawn. */
  loadDawn(): Promise<{ create(options: string[]): GPU }>;
  /** The runtime's own WebGPU, where it has one (Deno). */
  ownGpu(): GPU | undefined;
  environment: Environment;
  chromiumFolders: readonly string[];
  npmSwiftShader: typeof npmSwiftShader;
}

const thisMachine: NodeMachine = {
  loadDawn: () => import('webgpu'),
  ownGpu: () => (globalThis as { navigator?: { gpu?: GPU } }).navigator?.gpu,
  environment: process.env,
  chromiumFolders,
  npmSwiftShader,
};

const sleeping = new SleepingWait();

/** The platform of Node (and of Deno, whose `navigator.gpu` it takes). */
export const nodePlatform: Platform = {
  name: 'node',
  findAdapter: (options) => findNodeAdapter(options, thisMachine),
  wait: (promise, software, pending) => (software ? sleeping.wait(promise, pending) : promise),
  cache: cacheFolder,
  now: () => performance.now(),
};

/** `nodePlatform.findAdapter` on a given machine. */
export async function findNodeAdapter(options: AdapterOptions, machine: NodeMachine): Promise<FoundAdapter> {
  checkOptions(options);
  const tried: string[] = [];
  const own = machine.ownGpu();
  if (own && options.backend === undefined && options.adapter === undefined) {
    const found = await probe('navigator.gpu', own, options, tried);
    if (found) return found;
  }
  const dawn = await loadDawn(machine);
  for await (const driver of drivers(options, machine, tried)) {
    const found = await probeDriver(driver, dawn, options, tried);
    if (found) return found;
  }
  throw new UnsupportedError(
    `findAdapter: no WebGPU adapter on this ${process.platform}-${process.arch} machine.\n` +
      `Tried:\n${tried.map((line) => `  - ${line}\n`).join('')}` +
      (process.platform === 'linux'
        ? `Install a GPU's Vulkan driver and the package libvulkan1, or a software adapter: ${npmChromiumInstall} (Linux x64), ` +
          'or mesa-vulkan-drivers 24 or newer.'
        : 'Install a current graphics driver.'),
  );
}

const backends = ['vulkan', 'metal', 'd3d12', 'd3d11', 'opengl', 'opengles'];

function checkOptions(options: AdapterOptions): void {
  if (options.backend === 'null') {
    throw new OptionError(
      'findAdapter: backend "null" accepts work and computes garbage; leave `backend` out',
    );
  }
  if (options.backend !== undefined && !backends.includes(options.backend)) {
    throw new OptionError(`findAdapter: backend is one of ${backends.join(', ')}; got "${options.backend}"`);
  }
  if (options.adapter?.endsWith('.json') && !existsSync(options.adapter)) {
    throw new OptionError(
      `findAdapter: adapter names a Vulkan driver manifest that is not there: ${options.adapter}`,
    );
  }
  for (const flag of options.dawnFlags ?? []) {
    if (/^[a-z-]+=/.test(flag)) continue;
    throw new OptionError(`findAdapter: dawnFlags are of the form name=value; got "${flag}"`);
  }
}

async function loadDawn(machine: NodeMachine): Promise<{ create(options: string[]): GPU }> {
  try {
    return await machine.loadDawn();
  } catch (cause) {
    const missing = (cause as { code?: string }).code === 'ERR_MODULE_NOT_FOUND';
    throw new UnsupportedError(
      missing
        ? 'findAdapter: WebGPU in Node needs the optional package "webgpu": npm install webgpu'
        : `findAdapter: the package "webgpu" is installed but did not load: ${messageOf(cause)}`,
      { cause },
    );
  }
}

/** Ways to a driver in the order to try them, each prepared only when its turn comes. */
async function* drivers(
  options: AdapterOptions,
  machine: NodeMachine,
  tried: string[],
): AsyncGenerator<VulkanDriver> {
  const viaVulkan = process.platform === 'linux' && (options.backend ?? 'vulkan') === 'vulkan';
  if (!viaVulkan) {
    yield { name: `Dawn's ${options.backend ?? 'own choice of'} backend` };
    return;
  }
  // A loader can come from anywhere: Chromium's serves where drivers were mounted into a container without one.
  const loadersBeside = (manifests: readonly string[]) => async () => {
    const npm = await machine.npmSwiftShader();
    const fromNpm = 'folder' in npm ? [npm.folder] : [];
    return [...manifests.map((path) => dirname(path)), ...machine.chromiumFolders, ...fromNpm];
  };

  if (options.adapter?.endsWith('.json')) {
    const manifests = [options.adapter];
    const name = `driver ${options.adapter} (option adapter)`;
    yield { name, manifests, loaderFolders: loadersBeside(manifests) };
    return;
  }

  const variable = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'].find((name) => machine.environment[name]);
  const system = systemManifests(machine.environment);
  if (variable !== undefined) {
    const name = `drivers of ${variable}=${machine.environment[variable]}`;
    const manifests = machine.environment[variable]!.split(delimiter).filter((path) => existsSync(path));
    if (manifests.length > 0) yield { name, manifests, loaderFolders: loadersBeside(manifests) };
    else tried.push(`${name}: no such file; correct the variable or unset it`);
    return; // the user's word: nothing else is put in its place
  }
  if (system.length > 0) {
    const name = `the system's Vulkan drivers (${system.join(', ')})`;
    yield { name, manifests: system, loaderFolders: loadersBeside([]) };
  } else {
    tried.push(
      "the system's Vulkan drivers: no manifest in /usr/share/vulkan/icd.d, /etc/vulkan/icd.d or alike",
    );
  }

  const chromium = machine.chromiumFolders.find((folder) => existsSync(join(folder, swiftShaderManifest)));
  if (chromium !== undefined) yield swiftShaderIn(chromium, 'an installed Chromium');
  else
    tried.push(
      'SwiftShader of an installed Chromium: none in /usr/lib/chromium, /opt/google/chrome or alike',
    );

  const npm = await machine.npmSwiftShader();
  if ('folder' in npm) yield swiftShaderIn(npm.folder, 'the npm package @sparticuz/chromium');
  else tried.push(`SwiftShader of the npm package @sparticuz/chromium: ${npm.missing}`);
}

const swiftShaderManifest = 'vk_swiftshader_icd.json';

function swiftShaderIn(folder: string, owner: string): VulkanDriver {
  const manifests = [join(folder, swiftShaderManifest)];
  return { name: `SwiftShader of ${owner} (${folder})`, manifests, loaderFolders: async () => [folder] };
}

async function probeDriver(
  driver: VulkanDriver,
  dawn: { create(options: string[]): GPU },
  options: AdapterOptions,
  tried: string[],
): Promise<FoundAdapter | undefined> {
  if (driver.loaderFolders && !(await loadVulkanLoader(driver.loaderFolders))) {
    tried.push(`${driver.name}: no Vulkan loader (libvulkan.so.1; Debian's package libvulkan1)`);
    return undefined;
  }
  const gpu = dawn.create(dawnOptions(options));
  return withManifests(driver.manifests, () => probe(driver.name, gpu, options, tried));
}

/** Flags for Dawn. It keeps only the last of flags with one name, so toggles are joined into one list. */
function dawnOptions(options: AdapterOptions): string[] {
  // Without this toggle, timestamps step by 65.5 microseconds.
  const flags = new Map([['disable-dawn-features', 'timestamp_quantization']]);
  if (options.backend !== undefined) flags.set('backend', options.backend);
  if (options.adapter !== undefined && !options.adapter.endsWith('.json'))
    flags.set('adapter', options.adapter);
  for (const flag of options.dawnFlags ?? []) {
    const name = flag.slice(0, flag.indexOf('='));
    const value = flag.slice(name.length + 1);
    const before = flags.get(name);
    flags.set(name, before !== undefined && name.endsWith('-dawn-features') ? `${before},${value}` : value);
  }
  return [...flags].map(([name, value]) => `${name}=${value}`);
}

/** Asks one `GPU` for an adapter. The call is made at once, so that the caller may set the environment around it. */
async function probe(
  name: string,
  gpu: GPU,
  options: AdapterOptions,
  tried: string[],
): Promise<FoundAdapter | undefined> {
  let adapter: GPUAdapter | null;
  try {
    adapter = await gpu.requestAdapter({ powerPreference: options.powerPreference ?? 'high-performance' });
  } catch (error) {
    tried.push(`${name}: ${messageOf(error).trim().replaceAll('\n', ' ')}`); // Dawn: no adapter of that name, and which there are
    return undefined;
  }
  if (adapter === null) {
    const hint =
      '; a worker thread has only a copy of process.env: set VK_ICD_FILENAMES before the process starts';
    tried.push(`${name}: no driver that WebGPU accepts${isMainThread ? '' : hint}`);
    return undefined;
  }
  if (adapter.info.device === 'null-backend') {
    tried.push(`${name}: only Dawn's null backend, which computes garbage`);
    return undefined;
  }
  return { adapter, source: name, tried, software: isSoftwareAdapter(adapter.info), keepAlive: gpu };
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
