/**
 * Vulkan loaders and drivers on Linux: where they lie and how to bring them into this process. Dawn opens `libvulkan.so.1`
 * by name and the loader reads the environment, both inside the synchronous part of WebGPU's `requestAdapter()`.
 */

import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

/** A way to reach Vulkan drivers: their manifests and, where it brings one, a loader. */
export interface VulkanDriver {
  /** One phrase for `rebasin info` and error messages. */
  name: string;
  /** Manifests (`*_icd.json`) to restrict the loader to; undefined leaves the environment as it is. */
  manifests?: readonly string[];
  /** Folders that may hold a `libvulkan.so.1`, asked for where the system has none; undefined when no loader is needed. */
  loaderFolders?: () => Promise<readonly string[]>;
}

/** Where a system's Chromium or Chrome keeps a loader and SwiftShader beside its executable. */
export const chromiumFolders: readonly string[] = [
  '/usr/lib/chromium',
  '/usr/lib64/chromium-browser',
  '/usr/lib/chromium-browser',
  '/opt/google/chrome',
  '/opt/google/chrome-beta',
  '/opt/google/chrome-unstable',
  '/opt/chromium.org/chromium',
  '/opt/microsoft/msedge',
  '/opt/brave.com/brave',
];

/** Environment variables, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The folders that a Vulkan loader searches by itself. */
function standardManifestFolders(environment: Environment): string[] {
  const home = environment.HOME ?? homedir();
  const roots = [
    environment.XDG_CONFIG_HOME || join(home, '.config'),
    ...(environment.XDG_CONFIG_DIRS || '/etc/xdg').split(delimiter),
    '/etc',
    environment.XDG_DATA_HOME || join(home, '.local/share'),
    ...(environment.XDG_DATA_DIRS || '/usr/local/share:/usr/share').split(delimiter),
  ];
  return roots.map((root) => join(root, 'vulkan/icd.d'));
}

/** Where container runtimes mount NVIDIA's driver: no loader looks there by itself. */
const mountedManifestFolders = ['/usr/local/nvidia/share/vulkan/icd.d'];

/** Manifests of the system's drivers. */
export function systemManifests(environment: Environment): string[] {
  return [...standardManifestFolders(environment), ...mountedManifestFolders].flatMap(manifestsIn);
}

function manifestsIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => join(folder, name));
}

/** Makes `libvulkan.so.1` available to Dawn: the system's own, else the first in `folders`. False when there is none. */
export async function loadVulkanLoader(folders: () => Promise<readonly string[]>): Promise<boolean> {
  if (mapLibrary('libvulkan.so.1')) return true;
  const paths = (await folders()).map((folder) => join(folder, 'libvulkan.so.1'));
  return paths.some((path) => existsSync(path) && mapLibrary(path));
}

/** Maps a library into the process. Dawn's later `dlopen` of the same SONAME then finds it, wherever it lies. */
function mapLibrary(path: string): boolean {
  const lazyGlobalAndKept = 0x1 | 0x100 | 0x1000; // RTLD_LAZY | RTLD_GLOBAL | RTLD_NODELETE
  try {
    process.dlopen({ exports: {} }, path, lazyGlobalAndKept);
    return true;
  } catch (error) {
    // Node expects an addon and says that this is none, but only after the library was mapped, and it stays mapped.
    return error instanceof Error && error.message.includes('did not self-register');
  }
}

/** Runs `call` with the loader restricted to `manifests`, and leaves the environment as it was. */
export function withManifests<T>(manifests: readonly string[] | undefined, call: () => T): T {
  if (manifests === undefined) return call();
  const names = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'] as const; // the second is the older name, for older loaders
  const before = names.map((name) => process.env[name]);
  for (const name of names) process.env[name] = manifests.join(delimiter);
  try {
    return call();
  } finally {
    names.forEach((name, i) => {
      const value = before[i];
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    });
  }
}
