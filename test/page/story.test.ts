/** The page's story in a real Chromium, on a software adapter: what a reader sees, presses and takes away. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from 'playwright';
import { beforeAll, describe, expect, it } from 'vitest';
import { readStateDict } from '../../src/nn/state-dict.ts';
import { npmSwiftShader } from '../../src/runtime/node/npm-chromium.ts';
import { useCommandLine } from '../support/cli.ts';
import { type OpenedPlayground, usePlayground, watchPageThreads } from '../support/playground.ts';

/** A story of a second. */
const SMALL = '#story?model=mlp:784-24-24-10&seed=3&seed2=8&epochs=2&rate=0.1&train=300&test=60&points=5';

const playground = usePlayground();
const commandLine = useCommandLine('page-story');

async function state(page: Page, wanted: 'running' | 'done' | 'stopped' | 'failed', timeout = 60_000) {
  await page.locator(`.story[data-state=${wanted}]`).waitFor({ timeout });
}

/** The first curve of the training losses: something is moving. */
const firstLoss = (page: Page) => page.locator('.training svg g[aria-label=line] path').first();

/** What the figure of the losses says of itself. */
const lossWords = (page: Page) => page.locator('.training svg').getAttribute('aria-description');

/** For use in the page, where nothing else happens in between: changes a field of the experiment. */
const CHANGE = `
  function change(label, value) {
    const input = [...document.querySelectorAll('.controls label')].find((each) => each.textContent === label).control;
    input.value = value;
    input.dispatchEvent(new Event('change'));
  }`;

const hashOf = (page: Page) => page.locator('#hash').innerText();
const saidOf = (page: Page) => page.locator('.said').innerText();

/** 40 training and 20 test images of 7 x 5 pixels in ten classes, as MNIST's files are. */
function idxFiles(): { name: string; mimeType: string; buffer: Buffer }[] {
  const file = (name: string, shape: readonly number[], value: (i: number) => number) => {
    const buffer = Buffer.alloc(4 + 4 * shape.length + shape.reduce((product, size) => product * size, 1));
    buffer.set([0, 0, 8, shape.length]);
    for (const [axis, size] of shape.entries()) buffer.writeUInt32BE(size, 4 + 4 * axis);
    for (let i = 4 + 4 * shape.length; i < buffer.length; i++) buffer[i] = value(i);
    return { name, mimeType: 'application/octet-stream', buffer };
  };
  return (['train', 't10k'] as const).flatMap((part, index) => {
    const count = [40, 20][index]!;
    return [
      file(`${part}-images-idx3-ubyte`, [count, 7, 5], (i) => (i * 89 + (i >> 3) * 31) % 256),
      file(`${part}-labels-idx1-ubyte`, [count], (i) => (7 * i) % 10),
    ];
  });
}

/** A BMP file of one colour, [red, green, blue]. */
function bitmapFile(width: number, height: number, colour: readonly number[]): Buffer {
  const row = 4 * Math.ceil((3 * width) / 4);
  const file = Buffer.alloc(54 + row * height);
  file.write('BM');
  file.writeUInt32LE(file.length, 2);
  for (const [offset, value] of [
    [10, 54],
    [14, 40],
    [18, width],
    [22, height],
  ] as const) {
    file.writeUInt32LE(value, offset);
  }
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) file.set([...colour].reverse(), 54 + y * row + 3 * x);
  }
  return file;
}

describe('the story that everybody sees first', () => {
  let opened: OpenedPlayground;
  let page: Page;
  /** Of the page's own thread, in milliseconds, while the story was told. */
  let longestTask = Number.NaN;
  /** The same by the clock, from the page's first moment on. */
  let longestWait = Number.NaN;
  let started = Number.NaN;
  beforeAll(async () => {
    started = performance.now();
    opened = await playground.open('', { keep: true });
    page = opened.page;
  });

  it('shows a first result within 10 seconds, and all of it within 60', async () => {
    const left = (seconds: number) => 1000 * seconds - (performance.now() - started);
    await firstLoss(page).waitFor({ timeout: left(10) });
    const longest = await watchPageThreads(page);
    await state(page, 'done', left(60));
    longestTask = await longest();
    longestWait = await page.evaluate(
      () =>
        new Promise<number>((resolve) => {
          new PerformanceObserver((list) => {
            resolve(Math.max(...list.getEntries().map(({ duration }) => duration)));
          }).observe({ type: 'longtask', buffered: true });
          setTimeout(() => resolve(0), 100); // none over 50 ms
        }),
    );
    expect(await page.locator('.moving-matrix canvas').count()).toBe(3);
    expect(await page.locator('.marked svg').count()).toBe(2);
  });

  it('says that alignment lowered the barrier, which is what the report of it says too', async () => {
    const [naive, aligned] = (await page.locator('.story .facts').innerText())
      .match(/[\d.]+/g)!
      .map(Number) as [number, number];
    expect(naive).toBeGreaterThan(0.5);
    expect(aligned).toBeLessThan(0.2);
    await page.getByText('The whole report').click();
    const report = await page.locator('.story details .rebasin-report').innerText();
    expect(report).toContain(await hashOf(page));
    expect(report).toContain(`${naive}`);
  });

  it('kept the page’s own thread free, asked nobody else, and wrote nothing to the console', async () => {
    expect(longestTask).toBeGreaterThan(0);
    expect(longestTask).toBeLessThan(200);
    expect(longestWait).toBeLessThan(1500); // wide: the adapter and the page's thread share the processor
    const longest = await watchPageThreads(page); // which would notice
    await page.evaluate(() => {
      for (const start = performance.now(); performance.now() - start < 1000; );
    });
    await page.evaluate(() => new Promise((next) => setTimeout(next))); // the step before is over
    expect(await longest()).toBeGreaterThan(200);
    // Files that miss their box do not open in place of the page.
    const isKept = await page.evaluate(() => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['x'], 'x.safetensors'));
      return !document
        .querySelector('footer')!
        .dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
    });
    expect(isKept).toBe(true);
    expect(opened.elsewhere).toEqual([]);
    expect(opened.messages).toEqual([]);
    // Nor could it: the server answers under this name too, which is another origin.
    const elsewhere = new URL(page.url().replace('localhost', '127.0.0.1')).origin;
    const ask = (address: string) =>
      fetch(address, { mode: 'no-cors' }).then(
        () => 'answered',
        (error: Error) => error.name,
      );
    const threads = [
      (address: string) => page.evaluate(ask, address),
      (address: string) => page.workers()[0]!.evaluate(ask, address),
    ];
    for (const askFrom of threads) {
      expect(await askFrom(elsewhere)).toBe('TypeError');
      expect(await askFrom(new URL(page.url()).origin)).toBe('answered');
    }
  });

  it('classifies at the slider: both mixtures agree at the ends, and differ half-way', async () => {
    await page.locator('.said', { hasText: 'λ = 0.50' }).waitFor();
    const rightAt = async (lambda: string) => {
      await page.locator('#lambda').fill(lambda);
      await page.locator('.said', { hasText: `λ = ${Number(lambda).toFixed(2)}` }).waitFor();
      const [, naive, aligned] = /naive (\d+) right, aligned (\d+) right/.exec(await saidOf(page)) ?? [];
      return [Number(naive), Number(aligned)] as const;
    };
    const [naive, aligned] = await rightAt('0.5');
    expect(naive).toBeLessThan(aligned);
    for (const end of ['0', '1']) {
      await rightAt(end);
      const answers = (name: string) => page.locator(`.samples .${name}`).allInnerTexts();
      expect(await answers('naive')).toEqual(await answers('aligned'));
    }
    expect(page.url()).toContain('lambda=1.00');
    // By the keyboard too.
    await page.locator('#lambda').press('ArrowLeft');
    await page.locator('.said', { hasText: 'λ = 0.99' }).waitFor();
  });
});

describe('the method of matching', () => {
  it('is changed without training again', async () => {
    const { page } = await playground.open(SMALL);
    await state(page, 'done');
    const before = await hashOf(page);
    await page.getByLabel('Match by').selectOption('activation');
    await page.locator('.story .story-progress', { hasText: 'with the networks of before' }).waitFor();
    await state(page, 'done');
    expect(page.url()).toContain('match=activation');
    expect(await hashOf(page)).not.toBe(before);
    // By a link too, and the losses stay.
    const link = new URL(page.url()).hash.replace('match=activation', 'match=weight');
    await page.evaluate((other) => {
      location.hash = other;
    }, link);
    await page.locator('#hash', { hasText: before }).waitFor();
    expect(await page.locator('.story .story-progress').innerText()).toContain('with the networks of before');
    expect(await lossWords(page)).toMatch(/seed 3: .* after 2.0 epochs.*seed 8: .* after 2.0 epochs/);
  });

  it('takes networks of before only while their losses are shown: back and forth while training trains again', async () => {
    const { page } = await playground.open(SMALL.replace('epochs=2', 'epochs=10'));
    await state(page, 'done');
    const [hash, accuracies] = [await hashOf(page), await page.locator('.accuracies').innerText()];
    await page.evaluate(`(() => {${CHANGE}
      change('Seed of A', 5);
      new MutationObserver((_, observer) => {
        if (!document.querySelector('.accuracies').textContent.includes('seed 5')) return;
        observer.disconnect();
        document.querySelector('.accuracies').dataset.seen = 'seed 5';
        change('Seed of A', 3);
      }).observe(document.querySelector('.accuracies'), { childList: true });
    })()`);
    await page.locator('.accuracies[data-seen="seed 5"]').waitFor();
    await page.locator('#hash', { hasText: hash }).waitFor();
    expect(await page.locator('.accuracies').innerText()).toBe(accuracies);
    expect(await page.locator('.story .story-progress').innerText()).not.toContain('of before');
    expect(await lossWords(page)).toMatch(/seed 3: .* after 10.0 epochs.*seed 8: .* after 10.0 epochs/);
  });
});

describe('a link', () => {
  it('replays a run, and says whether the hash is the same', async () => {
    const { page } = await playground.open(SMALL);
    await state(page, 'done');
    const hash = await hashOf(page);
    const link = new URL(page.url()).hash;
    expect(link).toContain(`hash=${hash}`);

    const replayed = await playground.open(link);
    await state(replayed.page, 'done');
    expect(await replayed.page.locator('#same').innerText()).toContain('The same as in the link');

    // Another link in the same tab: what it says came out is not what comes out.
    await replayed.page.evaluate(
      (other) => {
        location.hash = other;
      },
      link.replace(hash, 'f'.repeat(64)).replace('seed=3', 'seed=4'),
    );
    await replayed.page.locator('#same', { hasText: 'Different from the link' }).waitFor();
    expect(await replayed.page.locator('#same').innerText()).toContain('f'.repeat(64));
    expect(await replayed.page.getByLabel('Seed of A').inputValue()).toBe('4');
    expect(replayed.messages).toEqual([]);
  });

  it('names the command that gives the same hash', async (test) => {
    const { page } = await playground.open(SMALL);
    await state(page, 'done');
    const command = await page.locator('.command code').innerText();
    const driver = await npmSwiftShader();
    if ('missing' in driver) return test.skip(`SwiftShader of npm's Chromium: ${driver.missing}`);
    const manifest = join(driver.folder, 'vk_swiftshader_icd.json');
    const environment = { VK_DRIVER_FILES: manifest, VK_ICD_FILENAMES: manifest };
    const args = command.replace('npx rebasin ', '').split(/\s+/);
    const run = commandLine.rebasinWith(environment, ...args, '--json');
    expect(run.status, run.stderr).toBe(0);
    const result = JSON.parse(run.stdout);
    expect(result.adapter).toContain('swiftshader');
    expect(result.hash).toBe(await hashOf(page));
  });

  it('of networks with batch norm corrects every point, and says what that was good for', async () => {
    const { page, messages } = await playground.open(
      SMALL.replace('24-10', '24-10:norm=batch').concat('&correct=reset'),
    );
    await state(page, 'done');
    const facts = await page.locator('.story .facts').innerText();
    expect(facts).toMatch(/The same without RESET\s+[\d.]+%\s*→\s*[\d.]+%/);
    await page.locator('.said', { hasText: 'λ = 0.50' }).waitFor();
    expect(messages).toEqual([]);
  });

  it('that asks for what cannot be says what is wrong', async () => {
    const { page } = await playground.open('#story?model=mlp:50-20-10');
    await state(page, 'failed');
    expect(await page.getByRole('alert').last().innerText()).toMatch(
      /ShapeError.*images of 1x28x28.*mlp:50-20-10/,
    );
    await page.evaluate(() => {
      location.hash = '#story?rate=0&epochs=3e7&train=1e300&points=-1&seed=1e99';
    });
    await page.getByText('learning rate is a number above 0, got 0').waitFor();
    expect(page.url()).toMatch(/seed=9007199254740991&.*epochs=1000&.*train=100000&.*points=2&/);
  });
});

describe('what a reader takes away and brings', () => {
  it('saves figures, the result and networks', async () => {
    const { page, messages } = await playground.open(SMALL);
    await state(page, 'done');
    const saved = async (name: string) => {
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name, exact: true }).click(),
      ]);
      return { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
    };
    const result = JSON.parse((await saved('result.json')).bytes.toString());
    expect(result.hash).toBe(await hashOf(page));
    expect(Object.keys(result)).toEqual(
      expect.arrayContaining(['command', 'adapter', 'networks', 'match', 'aligned']),
    );

    const svg = await saved('Save the figure "interpolation-loss" as SVG');
    expect(svg.name).toBe('interpolation-loss.svg');
    expect(svg.bytes.toString()).toMatch(/^<svg [^>]*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
    expect(svg.bytes.includes('var(--')).toBe(false); // colours are written out: no style sheet goes with it
    const png = await saved('Save the figure "training-loss" as PNG');
    expect([...png.bytes.subarray(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47]);

    const report = await saved('Report page');
    expect(report.bytes.toString()).toContain(result.hash);

    // Half-way between A and B aligned, to the last bit: x / 2 is exact.
    await page.locator('#lambda').fill('0.5');
    const network = async (name: string) => readStateDict(new Uint8Array((await saved(name)).bytes), name);
    const [a, b, merged] = [await network('A'), await network('B, aligned'), await network('Merged at λ')];
    expect(merged.metadata.get('rebasin.model')).toBe('mlp:784-24-24-10');
    for (const [name, { data }] of merged.entries) {
      const [ofA, ofB] = [a.entries.get(name)!.data, b.entries.get(name)!.data];
      expect(data).toEqual(
        data.map((_, i) => Math.fround(Math.fround(0.5 * ofA[i]!) + Math.fround(0.5 * ofB[i]!))),
      );
    }
    expect(messages).toEqual([]);

    await page.route('**/report-view.js', (route) => route.fulfill({ status: 404 }));
    await page.getByRole('button', { name: 'Report page' }).click();
    await page
      .getByRole('alert')
      .filter({ hasText: /Not saved: .*report-view\.js.*404/ })
      .waitFor();
  });

  it('trains on the reader’s own files, IDX as published, compressed too', async () => {
    // The choice before was another shape of images.
    const { page, messages } = await playground.open(SMALL.concat('&data=colours'));
    await page.getByLabel('Data set').selectOption('files');
    await page.locator('.failure', { hasText: 'no files are chosen' }).waitFor();
    const compressed = idxFiles().map(({ name, buffer, ...rest }) => {
      return { ...rest, name: `${name}.gz`, buffer: gzipSync(buffer) };
    });
    await page.getByLabel('IDX or CIFAR files').setInputFiles(compressed);
    await state(page, 'done');
    expect(page.url()).toContain('model=mlp:35-24-24-10');
    expect(page.url()).toContain('data=files');
    expect(await page.locator('.command code').innerText()).toContain('--data FOLDER');
    expect(messages).toEqual([]);
  });

  it('trains on a folder of pictures, a folder a class', async () => {
    const folder = commandLine.path('pictures');
    for (const [colour, name] of [
      [[200, 40, 30], 'warm'],
      [[20, 60, 220], 'cold'],
    ] as const) {
      mkdirSync(join(folder, name), { recursive: true });
      for (let i = 0; i < 10; i++) {
        writeFileSync(join(folder, name, `${i}.bmp`), bitmapFile(20 + i, 40 - i, colour));
      }
    }
    const { page, messages } = await playground.open(SMALL.concat('&data=files'));
    await state(page, 'failed');
    await page.getByLabel('Or a folder of pictures').setInputFiles(folder);
    await state(page, 'done');
    expect(page.url()).toContain('model=mlp:3072-24-24-2');
    expect(await page.locator('.command').count()).toBe(0);
    expect(await page.locator('.command-head').innerText()).toContain('reads no pictures');
    await page.getByText('The whole report').click();
    expect(await page.locator('.story details .run').innerText()).toContain('16 to train, 4 to test');
    expect(messages).toEqual([]);
  });
});

describe('stopping', () => {
  it('stops a training, and begins again', async () => {
    const { page, messages } = await playground.open(SMALL.replace('epochs=2', 'epochs=900'));
    await firstLoss(page).waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await state(page, 'stopped');
    await page.getByLabel('Epochs').fill('1');
    await page.getByLabel('Epochs').press('Enter');
    await state(page, 'done');
    expect(messages).toEqual([]);
  });

  it('stops what a change began, whether it settles or waits for the run before it', async () => {
    const { page, messages } = await playground.open(SMALL);
    await state(page, 'done');
    const toggled = (code: string) =>
      page.evaluate<[string, string]>(`(() => {${CHANGE}
        ${code}
        const toggle = document.querySelector('.run-bar button');
        toggle.click();
        return [location.hash, toggle.textContent];
      })()`);
    const [address, word] = await toggled(`change('Epochs', 900);`);
    expect(address).toContain('epochs=900');
    expect(address).not.toContain('hash='); // which was that of two epochs
    expect(word).toBe('Run');
    await page.waitForTimeout(500);
    await state(page, 'stopped');
    // While another trains.
    await page.getByRole('button', { name: 'Run' }).click();
    await page.locator('.accuracies', { hasText: '–' }).first().waitFor();
    expect((await toggled(`change('Epochs', 1);`))[1]).toBe('Run');
    await state(page, 'stopped');
    await page.getByRole('button', { name: 'Run' }).click();
    await state(page, 'done');
    expect(page.url()).toMatch(/epochs=1&.*hash=/);
    expect(messages).toEqual([]);
  });

  it('frees every buffer when the page is left, in the middle of a training too', async () => {
    const beforeWorker = `
      const live = new Set();
      const channel = new BroadcastChannel('live buffers');
      const { createBuffer } = GPUDevice.prototype;
      GPUDevice.prototype.createBuffer = function (descriptor) {
        const buffer = createBuffer.call(this, descriptor);
        live.add(buffer);
        channel.postMessage(live.size);
        return buffer;
      };
      const { destroy } = GPUBuffer.prototype;
      GPUBuffer.prototype.destroy = function () {
        live.delete(this);
        channel.postMessage(live.size);
        return destroy.call(this);
      };`;
    const { page } = await playground.open(SMALL.replace('epochs=2', 'epochs=900'), { beforeWorker });
    await page.evaluate(() => {
      const told = { live: 0, most: 0 };
      Object.assign(globalThis, { told });
      new BroadcastChannel('live buffers').onmessage = ({ data }) => {
        told.live = data;
        told.most = Math.max(told.most, data);
      };
    });
    const told = () =>
      page.evaluate(() => (globalThis as unknown as { told: { live: number; most: number } }).told);
    await page.getByRole('button', { name: 'Stop' }).click();
    await state(page, 'stopped');
    await page.getByRole('button', { name: 'Run' }).click();
    await firstLoss(page).waitFor();
    await page.evaluate(() => dispatchEvent(new PageTransitionEvent('pagehide')));
    await expect.poll(async () => (await told()).live).toBe(0);
    expect((await told()).most).toBeGreaterThan(20);
  });
});

describe('where WebGPU fails', () => {
  it('says what to do where there is none', async () => {
    const beforeWorker = "Object.defineProperty(navigator, 'gpu', { value: undefined });";
    const { page, messages } = await playground.open('', { beforeWorker });
    const notice = page.getByRole('alert').first();
    await notice.getByRole('heading').waitFor();
    expect(await notice.innerText()).toMatch(/Chrome or Edge 113.*chrome:\/\/flags\/#enable-unsafe-webgpu/s);
    // Nothing else, whatever link is followed then.
    await page.getByRole('link', { name: 'Your checkpoints' }).click();
    expect(page.url()).toContain('#checkpoints');
    expect(await page.locator('main').isVisible()).toBe(false);
    expect(messages).toEqual([]);
  });

  it('names a lost device, and runs again on a new one', async () => {
    const beforeWorker = `
      const { requestDevice } = GPUAdapter.prototype;
      GPUAdapter.prototype.requestDevice = async function (descriptor) {
        return (globalThis.lastDevice = await requestDevice.call(this, descriptor));
      };`;
    const { page } = await playground.open(SMALL.replace('epochs=2', 'epochs=900'), { beforeWorker });
    await firstLoss(page).waitFor();
    await page.workers()[0]!.evaluate('lastDevice.destroy()');
    await state(page, 'failed');
    expect(await page.locator('.failure').innerText()).toContain('DeviceLostError');
    await page.getByLabel('Epochs').fill('1');
    await page.getByLabel('Epochs').press('Enter');
    await state(page, 'done');
  });
});

describe('on a phone, in the dark, by keyboard', () => {
  it('fits 390 pixels, and everything to press has a name', async () => {
    const { page } = await playground.open(SMALL, {
      viewport: { width: 390, height: 844 },
      colorScheme: 'dark',
    });
    await state(page, 'done');
    await page.locator('.experiment > summary').click();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(390);
    const background = await page.locator('.page').evaluate((each) => getComputedStyle(each).backgroundColor);
    expect(background).toBe('rgb(20, 23, 27)');
    const nameless = await page.locator('button, input, select, a').evaluateAll((all) =>
      all
        .filter((each) => !(each as HTMLInputElement).labels?.length)
        .filter((each) => !each.textContent?.trim() && !each.getAttribute('aria-label'))
        .map((each) => each.outerHTML),
    );
    expect(nameless).toEqual([]);
    // A change by keyboard does not lose the place.
    await page.getByLabel('Seed of A').focus();
    await page.keyboard.type('1');
    await page.keyboard.press('Tab');
    await expect.poll(() => page.url()).toMatch(/seed=(31|13)&/);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('story-seed-of-b');
    // The whole way by the Tab key, each stop with a ring around it.
    await page.locator('.bar .name').focus();
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++) {
      await page.keyboard.press('Tab');
      const stop = await page.evaluate(() => {
        const { outlineStyle } = getComputedStyle(document.activeElement!);
        return {
          id: document.activeElement!.id || document.activeElement!.textContent!.trim(),
          outlineStyle,
        };
      });
      expect(stop.outlineStyle, stop.id).toBe('solid');
      seen.add(stop.id);
    }
    expect([...seen]).toEqual(expect.arrayContaining(['The story', 'story-architecture', 'story-match-by']));
  });
});
