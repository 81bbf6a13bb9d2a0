/** The examples that run in a browser, as they are, on the package as npm packs it, in a real Chromium. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build as esbuild } from 'esbuild';
import { build as vite } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSafetensors } from '../../src/io/safetensors.ts';
import { twoCheckpoints } from '../support/checkpoints.ts';
import { installPackage } from '../support/installed-package.ts';
import { useServedFolder } from '../support/served-folder.ts';

const folder = mkdtempSync(join(tmpdir(), 'rebasin-apps-'));
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(async () => {
  cpSync('examples', folder, { recursive: true });
  installPackage(folder);
  await esbuild({
    absWorkingDir: join(folder, 'bundler'),
    entryPoints: ['main.js'],
    bundle: true,
    format: 'esm',
    outfile: 'app.js',
    logLevel: 'warning',
  });
  // `npx vite build`, without its words
  await vite({ root: join(folder, 'worker'), base: './', logLevel: 'warn', configFile: false });
});

const open = useServedFolder(folder);
const files = twoCheckpoints(folder);

describe('examples', () => {
  it('are under 100 lines each', () => {
    const sources = readdirSync('examples', { recursive: true, encoding: 'utf8' }).filter((path) =>
      /\.(js|mjs|html)$/.test(path),
    );
    expect(sources.length).toBeGreaterThanOrEqual(8);
    for (const path of sources) {
      expect(readFileSync(join('examples', path), 'utf8').split('\n').length, path).toBeLessThan(100);
    }
  });

  it('bundler: two chosen checkpoints are aligned, and the download holds the same units in another order', async () => {
    const { page, messages } = await open('bundler/');
    await page.setInputFiles('#a', files.a);
    await page.setInputFiles('#b', files.b);
    await page.waitForSelector('#download:not([hidden])');
    expect(await page.textContent('#status')).toMatch(/^mlp:20-9-4: distance [\d.]+ -> [\d.]+$/);
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#download')]);
    const bias = (path: string) => [...parseSafetensors(readFileSync(path)).tensors.get('fc1.bias')!.data];
    const aligned = bias(await download.path());
    expect(aligned).not.toEqual(bias(files.b));
    expect(aligned.sort()).toEqual(bias(files.b).sort());
    expect(messages).toEqual([]);
  });

  it('bundler: files of two architectures are refused, naming the tensor', async () => {
    const { page, messages } = await open('bundler/');
    await page.setInputFiles('#a', files.a);
    await page.setInputFiles('#b', files.other);
    await page.waitForFunction(() => /architecture:/.test(document.body.textContent));
    expect(await page.textContent('#status')).toMatch(
      /^a\.safetensors and other\.safetensors are not the same architecture: "fc1\.bias" is \[9\] in the first, \[8\]/,
    );
    expect(messages).toEqual([]);
  });

  it('module-script: the built files run without a bundler', async () => {
    const { page, messages } = await open('module-script/');
    await page.waitForFunction(() => !/Training/.test(document.body.textContent));
    const text = await page.textContent('#status');
    const [, before, after] = text!.match(/^Distance ([\d.]+) -> ([\d.]+) by renaming hidden units$/) ?? [];
    expect(Number(after), text!).toBeLessThan(Number(before));
    expect(messages).toEqual([]);
  });

  it("own-device: the library's output is on the canvas, computed from the host's buffer, in the host's submit", async () => {
    const { page, messages } = await open('own-device/');
    const side = 64;
    // The canvas is read in the task that drew it, before the browser takes the picture away.
    // As text, since the test runner would put a function of its own in the place of `import`.
    const { pixels, copies }: { pixels: number[]; copies: string[] } = await page.evaluate(`(async () => {
      const { frame } = await import(document.querySelector('script[src]').src);
      const copies = [];
      const watch = (prototype, name) => {
        const method = prototype[name];
        prototype[name] = function (...given) {
          copies.push(name);
          return method.apply(this, given);
        };
      };
      watch(GPUBuffer.prototype, 'mapAsync');
      for (const name of ['copyBufferToBuffer', 'copyBufferToTexture']) watch(GPUCommandEncoder.prototype, name);
      watch(GPUQueue.prototype, 'submit');
      const picture = new OffscreenCanvas(${side}, ${side}).getContext('2d');
      frame(20, 40);
      picture.drawImage(document.querySelector('canvas'), 0, 0);
      const { data } = picture.getImageData(0, 0, ${side}, ${side});
      return { pixels: [...data].filter((_, i) => i % 4 === 0), copies };
    })()`);
    expect(copies).toEqual(['submit']); // one submit, nothing copied, nothing read back
    // The same picture, by its definition: a disc of radius 12, the mean of 7 x 7 pixels with zeros around.
    const disc = (x: number, y: number) =>
      x >= 0 && y >= 0 && x < side && y < side && (x - 20) ** 2 + (y - 40) ** 2 < 144 ? 1 : 0;
    const expected = Array.from({ length: side * side }, (_, i) => {
      let sum = 0;
      for (let dy = -3; dy <= 3; dy++)
        for (let dx = -3; dx <= 3; dx++) sum += disc((i % side) + dx, Math.floor(i / side) + dy);
      return (255 * sum) / 49;
    });
    const worst = Math.max(...expected.map((value, i) => Math.abs(value - pixels[i]!)));
    expect(worst).toBeLessThanOrEqual(1); // 8 bits a channel: half a step of rounding, and which way a half goes
    expect(Math.max(...pixels)).toBe(255);
    expect(messages).toEqual([]);
  });

  it('own-device: without an adapter it says so, and nothing else', async () => {
    const none = 'Object.defineProperty(navigator.gpu, "requestAdapter", { value: async () => null });';
    const { page, messages } = await open('own-device/', none);
    await page.waitForFunction(() => /browser with WebGPU/.test(document.body.textContent));
    await page.evaluate("import(document.querySelector('script[src]').src)"); // all of it has run, and failed nowhere
    expect(messages).toEqual([]);
  });

  it('worker: files go to a worker, the aligned checkpoint comes back', async () => {
    const { page, messages } = await open('worker/dist/');
    await page.setInputFiles('#files', [files.a, files.b]);
    await page.waitForFunction(() => /distance/.test(document.body.textContent));
    expect(await page.textContent('#status')).toMatch(/^mlp:20-9-4: distance [\d.]+ -> [\d.]+, \d+ bytes$/);
    await page.click('#cancel'); // nothing runs any more: nothing happens
    await page.setInputFiles('#files', [files.a]);
    expect(await page.textContent('#status')).toBe('Choose two files, not 1.');
    expect(messages).toEqual([]);
  });
});
