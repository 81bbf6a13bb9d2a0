/** How much of the library an application ships. Figures: `npm run bench -- size`, docs/performance.md. */
import { describe, expect, it } from 'vitest';
import { applicationSize, layerSize, publishedModules, sideEffects } from '../../bench/node/bundle-sizes.ts';

describe('gzipped, minified', () => {
  it('an application that only multiplies matrices stays below 15 kB', async () => {
    const { gzipBytes, folders } = await applicationSize(['requestContext', 'matmulKernel']);
    expect(gzipBytes).toBeGreaterThan(5000); // the kernels are in it
    expect(gzipBytes).toBeLessThan(15_000);
    expect([...folders.keys()]).not.toContain('src/nn');
  });

  it('runtime, kernels and networks stay below 82 kB', async () => {
    const { gzipBytes, folders } = await layerSize('engine');
    expect(folders.get('src/kernels, WGSL')).toBeGreaterThan(0);
    expect(folders.has('src/io')).toBe(false);
    expect(gzipBytes).toBeLessThan(82_000);
  });

  it('with all of re-basin they stay below 129 kB', async () => {
    const { gzipBytes, folders } = await layerSize('core');
    expect(folders.get('src/rebasin')).toBeGreaterThan(0);
    expect(gzipBytes).toBeLessThan(129_000);
  });
});

describe('what an application does not import', () => {
  it('leaves next to nothing in it: no module does anything when it is loaded', async () => {
    const modules = await publishedModules();
    expect(modules.length).toBeGreaterThan(200);
    const left = await sideEffects(modules);
    // Arithmetic on constants, which bundlers do not dare to drop. More than that needs /* @__PURE__ */, or a function.
    expect([...left].filter(([, bytes]) => bytes > 200)).toEqual([]);
    expect([...left.values()].reduce((sum, bytes) => sum + bytes, 0)).toBeLessThan(1500);
  });

  it('control: a module that does something is found', async () => {
    expect((await sideEffects(['src/report/browser-entry.ts'])).size).toBeGreaterThan(0);
  });
});
