/** Finding an adapter in Node: the order of the search, its errors, and that it leaves the process as it was. */

import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { create } from 'webgpu';
import { OptionError, UnsupportedError } from '../../src/base/errors.ts';
import { npmSwiftShader } from '../../src/runtime/node/npm-chromium.ts';
import { browserPlatform } from '../../src/runtime/platform-browser.ts';
import { findNodeAdapter, type NodeMachine } from '../../src/runtime/platform-node.ts';

const npm = await npmSwiftShader();
const swiftShader = 'folder' in npm ? join(npm.folder, 'vk_swiftshader_icd.json') : undefined;
const withSwiftShader = test.skipIf(swiftShader === undefined);

/** A machine with Dawn and nothing else, or with what `parts` adds. `HOME` and the like keep the host's drivers out. */
function bareMachine(parts: Partial<NodeMachine> = {}): NodeMachine {
  const nowhere = '/nowhere';
  const { environment, ...rest } = parts;
  return {
    loadDawn: async () => ({ create }),
    ownGpu: () => undefined,
    environment: { HOME: nowhere, XDG_CONFIG_DIRS: nowhere, XDG_DATA_DIRS: nowhere, ...environment },
    chromiumFolders: [],
    npmSwiftShader: async () => ({ missing: 'not installed' }),
    ...rest,
  };
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  const outcome = await promise.then(
    () => undefined,
    (error: Error) => error,
  );
  expect(outcome, 'expected a rejection').toBeInstanceOf(Error);
  return outcome!;
}

describe('findNodeAdapter: where it looks', () => {
  withSwiftShader('finds SwiftShader of the npm package, and says what it tried before', async () => {
    const found = await findNodeAdapter({}, bareMachine({ npmSwiftShader }));
    expect(found.adapter.info.architecture).toBe('swiftshader');
    expect(found.software).toBe(true);
    expect(found.source).toContain('@sparticuz/chromium');
    expect(found.tried).toHaveLength(2);
  });

  withSwiftShader("prefers an installed Chromium's SwiftShader to the npm package's", async () => {
    const chromiumFolders = ['/nowhere/chromium', join(swiftShader!, '..')];
    const found = await findNodeAdapter({}, bareMachine({ chromiumFolders, npmSwiftShader }));
    expect(found.source).toContain('an installed Chromium');
  });

  withSwiftShader.each(['VK_ICD_FILENAMES', 'VK_DRIVER_FILES'])(
    'takes the driver of %s first',
    async (name) => {
      const machine = bareMachine({ environment: { [name]: swiftShader! }, npmSwiftShader });
      const found = await findNodeAdapter({}, machine);
      expect(found.source).toBe(`drivers of ${name}=${swiftShader}`);
      expect(found.tried).toEqual([]);
    },
  );

  withSwiftShader('puts nothing in the place of a driver that the user named wrongly', async () => {
    const machine = bareMachine({ environment: { VK_ICD_FILENAMES: '/nowhere/icd.json' }, npmSwiftShader });
    const error = await failure(findNodeAdapter({}, machine));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toMatch(
      /VK_ICD_FILENAMES=\/nowhere\/icd\.json: no such file; correct the variable or unset it/,
    );
  });

  withSwiftShader('option adapter as a manifest path uses that driver alone', async () => {
    const found = await findNodeAdapter({ adapter: swiftShader! }, bareMachine());
    expect(found.source).toBe(`driver ${swiftShader} (option adapter)`);
  });

  withSwiftShader('option adapter as a part of a name', async () => {
    const found = await findNodeAdapter({ adapter: 'SwiftShader' }, bareMachine({ npmSwiftShader }));
    expect(found.adapter.info.architecture).toBe('swiftshader');
    const error = await failure(findNodeAdapter({ adapter: 'Voodoo 2' }, bareMachine({ npmSwiftShader })));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toMatch(/Available adapters.*SwiftShader Device/);
  });

  withSwiftShader("takes the runtime's own WebGPU, unless an option asks for Dawn", async () => {
    const adapter = {
      info: { vendor: 'x', architecture: '', device: '', description: '', isFallbackAdapter: false },
    };
    const ownGpu = () => ({ requestAdapter: async () => adapter }) as unknown as GPU;
    const own = await findNodeAdapter({}, bareMachine({ ownGpu }));
    expect(own).toMatchObject({ source: 'navigator.gpu', software: false, adapter });
    const dawn = await findNodeAdapter({ backend: 'vulkan' }, bareMachine({ ownGpu, npmSwiftShader }));
    expect(dawn.adapter.info.architecture).toBe('swiftshader');
  });

  withSwiftShader('leaves the environment as it was', async () => {
    const before = { ...process.env };
    await findNodeAdapter({}, bareMachine({ npmSwiftShader }));
    expect({ ...process.env }).toEqual(before);
  });
});

describe('findNodeAdapter: what it tells Dawn', () => {
  test('keeps timestamps exact and joins toggles of one name', async () => {
    const asked: string[][] = [];
    const gpu = { requestAdapter: async () => null } as unknown as GPU;
    const create = (options: string[]) => {
      asked.push(options);
      return gpu;
    };
    const loadDawn = async () => ({ create });
    const dawnFlags = ['enable-dawn-features=disable_robustness', 'disable-dawn-features=lazy_clear'];
    // Where no Vulkan loader is needed, so that the test does not depend on one.
    await failure(findNodeAdapter({ backend: 'opengl', adapter: 'x', dawnFlags }, bareMachine({ loadDawn })));
    expect(asked).toEqual([
      [
        'disable-dawn-features=timestamp_quantization,lazy_clear',
        'backend=opengl',
        'adapter=x',
        'enable-dawn-features=disable_robustness',
      ],
    ]);
  });
});

describe('findNodeAdapter: errors', () => {
  test('without any driver: one error that lists what was tried and what to install, and Dawn is not bothered', async () => {
    const create = vi.fn();
    const error = await failure(findNodeAdapter({}, bareMachine({ loadDawn: async () => ({ create }) })));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message.match(/^ {2}- /gm)).toHaveLength(3);
    expect(error.message).toContain('npm install @sparticuz/chromium@147.0.0');
    expect(create).not.toHaveBeenCalled(); // it would print warnings of its own
  });

  test('without the package webgpu: says how to install it', async () => {
    const cause = Object.assign(new Error("Cannot find package 'webgpu'"), { code: 'ERR_MODULE_NOT_FOUND' });
    const error = await failure(findNodeAdapter({}, bareMachine({ loadDawn: () => Promise.reject(cause) })));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toContain('npm install webgpu');
    expect(error.cause).toBe(cause);
  });

  test('with a package webgpu that does not load: says why', async () => {
    const loadDawn = () => Promise.reject(new Error("version `GLIBC_2.38' not found"));
    const error = await failure(findNodeAdapter({}, bareMachine({ loadDawn })));
    expect(error.message).toContain('did not load: version `GLIBC_2.38');
  });

  test("refuses Dawn's null backend, asked for or come by", async () => {
    expect(await failure(findNodeAdapter({ backend: 'null' }, bareMachine()))).toBeInstanceOf(OptionError);
    const loadDawn = async () => ({ create: () => create(['backend=null']) });
    const error = await failure(findNodeAdapter({ backend: 'opengl' }, bareMachine({ loadDawn })));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toContain("only Dawn's null backend");
  });

  test.each([
    [{ backend: 'glide' }, 'got "glide"'],
    [{ adapter: '/nowhere/driver.json' }, '/nowhere/driver.json'],
    [{ dawnFlags: ['disable_robustness'] }, 'got "disable_robustness"'],
  ])('names the bad option: %j', async (options, part) => {
    const error = await failure(findNodeAdapter(options, bareMachine()));
    expect(error).toBeInstanceOf(OptionError);
    expect(error.message).toContain(part);
  });
});

describe('browserPlatform', () => {
  afterEach(() => vi.unstubAllGlobals());

  test.each([
    [false, 'https://'],
    [true, 'Chrome or Edge 113'],
  ])('without WebGPU, secure context %s: says what to do', async (isSecureContext, part) => {
    vi.stubGlobal('isSecureContext', isSecureContext);
    vi.stubGlobal('navigator', {});
    const error = await failure(browserPlatform.findAdapter({}));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toContain(part);
  });

  test('without an adapter: tries a software one, then says what to turn on', async () => {
    const requestAdapter = vi.fn(async () => null);
    vi.stubGlobal('navigator', { gpu: { requestAdapter } });
    const error = await failure(browserPlatform.findAdapter({}));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(requestAdapter).toHaveBeenCalledTimes(2);
    expect(requestAdapter).toHaveBeenLastCalledWith({ forceFallbackAdapter: true });
  });

  test('refuses options that only Node has', async () => {
    expect((await failure(browserPlatform.findAdapter({ backend: 'vulkan' }))).message).toContain('backend');
  });
});
