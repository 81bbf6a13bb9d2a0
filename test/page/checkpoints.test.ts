/** The page's "Your checkpoints" in a real Chromium: files dropped in, the command line's numbers and hashes, files taken away, errors. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { chromium, type Locator, type Page } from 'playwright';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Checkpoint, modelOfCheckpoint } from '../../src/commands/checkpoint.ts';
import { matchResult } from '../../src/commands/match.ts';
import { planeResult } from '../../src/commands/plane.ts';
import { pruneResult } from '../../src/commands/prune.ts';
import { statsResult } from '../../src/commands/stats.ts';
import { BUILT_IN_DATA, builtInImages } from '../../src/io/known-data.ts';
import { checkpointMetadata } from '../../src/nn/checkpoint-metadata.ts';
import { mlp } from '../../src/nn/models/mlp.ts';
import { stateEntries } from '../../src/nn/models/model.ts';
import { readStateDict, stateDictOf, writeStateDict } from '../../src/nn/state-dict.ts';
import { plausibleValues } from '../support/barely-trained.ts';
import { chromiumLaunch } from '../support/chromium.ts';
import { useCommandLine } from '../support/cli.ts';
import { useContext } from '../support/context.ts';
import { npy } from '../support/npy-writer.ts';
import { archive, dict, pickle, tensor } from '../support/pickle-writer.ts';
import { usePlayground } from '../support/playground.ts';
import { useReports } from '../support/report-page.ts';
import { writeZip } from '../support/zip-writer.ts';

const playground = usePlayground();
const reports = useReports();
const commandLine = useCommandLine('page-checkpoints');

/** The driver beside the browser: Node and the command line compute on it too, whatever GPU there is, so that hashes can be compared. */
const { executablePath = chromium.executablePath() } = await chromiumLaunch();
const driver = join(dirname(executablePath), 'vk_swiftshader_icd.json');
const hasDriver = existsSync(driver);
const context = useContext(hasDriver ? { adapter: driver } : {});

const MODEL = mlp({ widths: [784, 14, 12, 10] });
/** On 60 images of each part, at three lambdas. */
const SMALL = '#checkpoints?limit=60&points=3&grid=3';

/** Files of the tests' folder by name, such as `a.safetensors`. */
const path = (name: string) => commandLine.path(name);
const write = (name: string, bytes: Uint8Array) => writeFileSync(path(name), bytes);
const bytesOf = (values: Float32Array) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

beforeAll(() => {
  const metadata = checkpointMetadata(MODEL, BUILT_IN_DATA.digits!.normalisation);
  for (const [i, name] of ['a', 'b'].entries()) {
    const values = plausibleValues(MODEL, i);
    const entries = stateEntries(MODEL);
    write(`${name}.safetensors`, writeStateDict(stateDictOf(entries, values, metadata)));
    const header = (shape: readonly number[]) =>
      `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
    write(
      `${name}.npz`,
      writeZip(
        entries.map(({ name, shape }) => [`${name}.npy`, npy(header(shape), bytesOf(values.get(name)!))]),
      ),
    );
    const strides = (shape: readonly number[]) =>
      shape.map((_, k) => shape.slice(k + 1).reduce((x, y) => x * y, 1));
    const tensors = entries.map(
      ({ name, shape }, key) =>
        [
          name,
          tensor({ key: String(key), count: values.get(name)!.length, shape, strides: strides(shape) }),
        ] as const,
    );
    const storages = Object.fromEntries(
      entries.map(({ name }, key) => [String(key), bytesOf(values.get(name)!)]),
    );
    write(`${name}.pt`, archive(pickle(dict(...tensors)), storages));
  }
});

/** Chooses files in one of the boxes. */
async function choose(page: Page, which: 'A' | 'B' | 'images', ...files: readonly string[]): Promise<void> {
  const label = which === 'images' ? 'Choose image files' : `Choose file ${which}`;
  await page.getByLabel(label).setInputFiles(files.map((name) => (name.startsWith('/') ? name : path(name))));
}

/** The article of an analysis, once it is there. */
async function outcome(page: Page, analysis: string): Promise<Locator> {
  const article = page.locator(`#outcome-${analysis}:not(.old)`);
  await article.waitFor({ timeout: 60_000 });
  return article;
}

const run = (page: Page) => page.getByRole('button', { name: 'Run', exact: true }).click();

/** What a button saves. */
async function saved(page: Page, button: Locator): Promise<Uint8Array> {
  const [download] = await Promise.all([page.waitForEvent('download'), button.click()]);
  return readFileSync(await download.path());
}

async function savedJson(page: Page, article: Locator, name: string) {
  const bytes = await saved(page, article.getByRole('button', { name: `${name}.json`, exact: true }));
  // biome-ignore lint/suspicious/noExplicitAny: JSON of any result
  return JSON.parse(new TextDecoder().decode(bytes)) as any;
}

async function checkpoint(name: string): Promise<Checkpoint> {
  return { path: name, state: await readStateDict(readFileSync(path(name)), name) };
}

/** Both networks and the images of `SMALL`, as the command line's functions take them. */
async function requests() {
  const images = builtInImages(BUILT_IN_DATA.digits!, 60);
  const [a, b] = [await checkpoint('a.safetensors'), await checkpoint('b.safetensors')];
  const common = {
    ...{ model: modelOfCheckpoint(a, undefined), seed: 0, started: 0 },
    images: { ...images, statistics: images.train, normalisation: BUILT_IN_DATA.digits!.normalisation },
  };
  return { a, b, common };
}

/** That the page computes where Node does: a browser tells less of the adapter's name. */
function expectSameAdapter(result: { adapter: string }): void {
  expect(context().adapterName.slice(0, result.adapter.length)).toBe(result.adapter);
}

describe('two checkpoints', () => {
  it.runIf(hasDriver)('give the command line’s numbers and hashes, and files that open again', async () => {
    const { page, messages, elsewhere } = await playground.open(SMALL);
    await choose(page, 'A', 'b.safetensors', 'a.safetensors');
    await outcome(page, 'units');
    expect(await page.locator('#recognised').innerText()).toBe('mlp:784-14-12-10');
    expect(await page.locator('#outcome-spec').innerText()).toMatch(/26 hidden units in 2 groups.*passed/s);
    await page.getByLabel('Pruning curve').check();
    await page.getByLabel('Loss plane').check();
    await run(page);
    await outcome(page, 'plane');

    // What takes a command seconds to say is asked of the functions that it calls; two commands are run as the page words them.
    const { a, b, common } = await requests();
    const match = await matchResult(context(), { ...common, a, b, method: 'weight' });
    const stats = { align: 'weight', renormalise: 'repair', on: 'test' } as const;
    const expected = {
      match: match.result,
      layers: await statsResult(context(), { ...common, ...stats, a, b }),
      pruning: await pruneResult(context(), {
        ...common,
        checkpoint: a,
        method: 'magnitude',
        renormalise: 'auto',
      }),
    };
    const names = { match: 'match', layers: 'stats', pruning: 'prune' } as const;
    for (const [analysis, result] of Object.entries(expected)) {
      const article = await outcome(page, analysis);
      const found = await savedJson(page, article, names[analysis as keyof typeof names]);
      expectSameAdapter(found);
      const { seconds: _, adapter: __, ...rest } = JSON.parse(JSON.stringify(result));
      expect(found).toMatchObject(rest);
      expect(found.hash).toBe(result.hash);
    }
    for (const [analysis, name] of [
      ['line', 'sweep-corrected'],
      ['merge', 'merge'],
    ] as const) {
      const article = await outcome(page, analysis);
      await article.getByText('The same on the command line').click();
      const command = await article.locator('.command code').last().innerText();
      const env = { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver };
      const words = command.replace('npx rebasin ', '').split(' ');
      const { status, stdout, stderr } = commandLine.rebasinWith(env, ...words, '--json');
      expect(status, stderr).toBe(0);
      const ofCommand = JSON.parse(stdout);
      expect(ofCommand.renormalise).toBe('repair');
      const ofPage = await savedJson(page, article, name);
      expect(ofPage.hash).toBe(ofCommand.hash);
      expect(ofPage.test).toEqual(ofCommand.test);
    }

    const merge = await outcome(page, 'merge');
    const merged = await saved(page, merge.getByRole('button', { name: 'merged.safetensors' }));
    expect(Buffer.from(merged).equals(readFileSync(path('merged.safetensors')))).toBe(true);
    const state = await readStateDict(merged, 'merged');
    expect(state.metadata.get('rebasin.model')).toBe('mlp:784-14-12-10');

    const match_ = await outcome(page, 'match');
    const aligned = await saved(page, match_.getByRole('button', { name: 'b-aligned.safetensors' }));
    const permuted = (await readStateDict(aligned, 'aligned')).entries.get('fc1.bias')!.data;
    expect([...permuted]).toEqual([...match.match.aligned.get('fc1.bias')!]);

    const html = await saved(page, merge.getByRole('button', { name: 'merge.html' }));
    const report = await reports.openHtml(new TextDecoder().decode(html));
    expect(await report.page.locator('.rebasin-report').innerText()).toContain(
      await merge.locator('.hash').innerText(),
    );
    expect([report.messages, report.requests]).toEqual([[], []]);

    const figure = (await outcome(page, 'line')).locator('figure').first();
    const svg = new TextDecoder().decode(await saved(page, figure.getByRole('button', { name: 'SVG' })));
    const box = await figure
      .locator('.drawing > svg')
      .evaluate((each) => each.getBoundingClientRect().toJSON());
    const drawn = await page.evaluate((text) => {
      const root = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
      return { tag: root.tagName, width: root.getAttribute('width'), variables: text.includes('var(--') };
    }, svg);
    expect(drawn).toEqual({ tag: 'svg', width: String(box.width), variables: false });
    const png = Buffer.from(await saved(page, figure.getByRole('button', { name: 'PNG' })));
    expect(png.subarray(0, 8)).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([2 * box.width, 2 * box.height]);

    // Another match takes the place of the one that its article shows: that is no longer to be had.
    for (const name of ['spec', 'match', 'line', 'layers', 'merge', 'pruning', 'plane']) {
      await page.locator(`#analysis-${name}`).uncheck();
    }
    await page.getByLabel('Match by').last().selectOption('random');
    await run(page);
    await outcome(page, 'units');
    const old = page.locator('#outcome-match.old');
    await old.getByRole('button', { name: 'b-aligned.safetensors' }).click();
    await old.getByText('This network is no longer there').waitFor();
    expect([messages, elsewhere]).toEqual([[], []]);
  });

  it('of .npz and .pt are those of safetensors, dropped on the page, without images too', async () => {
    const { page, messages } = await playground.open('#checkpoints?analyses=spec,match,units,singular');
    await choose(page, 'A', 'a.npz');
    expect(await page.locator('.found').first().innerText()).toMatch(/One more/);
    // Entries of a folder, which a page cannot make: a file for every path, all of one time; the one of none cannot be had.
    await page.evaluate(() => {
      DataTransferItem.prototype.webkitGetAsEntry = function () {
        const whole = this.getAsFile()!;
        const path = whole.name.replaceAll('|', '/');
        const file = (take: (file: File) => void, fail: (error: Error) => void) =>
          path === 'gone'
            ? fail(new Error('It has gone.'))
            : take(new File([whole], path.split('/').at(-1)!, { lastModified: 7 }));
        return { isFile: true, fullPath: `/${path}`, file } as unknown as FileSystemEntry;
      };
    });
    const drop = async (...files: readonly (readonly [name: string, from: string])[]) => {
      const transfer = await page.evaluateHandle(
        (all) => {
          const made = new DataTransfer();
          for (const { name, bytes } of all) made.items.add(new File([Uint8Array.from(bytes)], name));
          return made;
        },
        files.map(([name, from]) => ({ name, bytes: [...readFileSync(path(from))] })),
      );
      await page.locator('.slots').dispatchEvent('drop', { dataTransfer: transfer });
    };
    await drop(['gone', 'b.pt']);
    await page.getByRole('alert').filter({ hasText: 'cannot be read: It has gone.' }).waitFor();
    // Dropped where nothing stands yet.
    await drop(['b.pt', 'b.pt']);
    const article = await outcome(page, 'match');
    const { distance } = await savedJson(page, article, 'match');
    const [a, b] = [await checkpoint('a.safetensors'), await checkpoint('b.safetensors')];
    const images = { normalisation: { mean: [0], std: [1] } };
    const { result } = await matchResult(context(), {
      ...{ model: MODEL, images, seed: 0, started: 0, a, b, method: 'weight' },
    });
    expect(distance).toEqual(result.distance);
    // A folder of two runs, whose files differ by their content alone, and of other files.
    await drop(['config.json', 'b.pt'], ['run_b|model.npz', 'b.npz'], ['run_a|model.npz', 'a.npz']);
    await page
      .locator('.slots')
      .filter({ hasText: /run_a\/model\.npz.*run_b\/model\.npz/s })
      .waitFor();
    const ofRuns = await savedJson(page, await outcome(page, 'match'), 'match');
    expect(ofRuns.distance).toEqual(distance);
    // Nothing says what these were trained on: no images are assumed, and what needs none runs.
    expect(await page.locator('#field-images').inputValue()).toBe('none');
    await outcome(page, 'units');
    await run(page);
    expect(await (await outcome(page, 'singular')).innerText()).toMatch(/Are the singular vectors the same/);
    expect(messages).toEqual([]);
  });

  it('are named in the link with their hashes, and another file is told from them', async () => {
    // Files that are chosen before the adapter is found wait for what the link says.
    const beforeWorker = `
      const { requestAdapter } = GPU.prototype;
      GPU.prototype.requestAdapter = async function (options) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        return requestAdapter.call(this, options);
      };`;
    const { page } = await playground.open(`${SMALL}&method=activation&analyses=spec,match`, {
      beforeWorker,
    });
    await choose(page, 'A', 'a.safetensors', 'b.safetensors');
    await outcome(page, 'spec');
    await run(page);
    await outcome(page, 'match');
    await page.waitForURL(/hashes=match:[0-9a-f]{64}/);
    const link = new URL(page.url()).hash;
    expect(link).toMatch(/a=a\.safetensors:[0-9a-f]{64}.*method=activation/);
    const promised = `merge:${'0'.repeat(64)}`;
    const replayed = await playground.open(`${link},${promised}`);
    await replayed.page
      .locator('.slots')
      .filter({ hasText: /made with a\.safetensors.*made with b\.safetensors/s })
      .waitFor();
    await choose(replayed.page, 'A', 'a.safetensors', 'b.npz');
    await replayed.page.getByText('The file of the link.').waitFor();
    await replayed.page.getByText('Another file than the link’s b.safetensors').waitFor();
    await outcome(replayed.page, 'spec');
    await run(replayed.page);
    // The same numbers in another order: what is hashed is not the same.
    await (await outcome(replayed.page, 'match')).getByText('Different from the link').waitFor();
    expect(replayed.page.url()).not.toContain(promised);
    await choose(replayed.page, 'B', 'b.safetensors');
    await replayed.page.getByText('The file of the link.').nth(1).waitFor();
    await run(replayed.page);
    await (await outcome(replayed.page, 'match')).getByText('The same as in the link').waitFor();
    expect(await replayed.page.getByLabel('Match by').last().inputValue()).toBe('activation');
    // What the link promises stays in the address beside what was found, until something is chosen that it was not made with.
    expect(replayed.page.url()).toMatch(new RegExp(`hashes=match:[0-9a-f]{64},${promised}$`));
    // Chosen while images are being read, it does not end the reading.
    await replayed.page.evaluate(() => {
      const say = (id: string, value: string) => {
        const input = document.getElementById(id) as HTMLInputElement;
        input.value = value;
        input.dispatchEvent(new Event('change'));
      };
      say('field-of-each-part-at-most', '50');
      say('field-seed', '5');
    });
    await replayed.page.getByText('50 test images of').waitFor();
    await replayed.page.waitForURL((url) => url.hash.includes('seed=5') && !url.hash.includes('hashes'));
  });
});

describe('what goes wrong', () => {
  it('is said of each file, with what to do', async () => {
    const { page, messages } = await playground.open(SMALL);
    write('notes.safetensors', new TextEncoder().encode('not a checkpoint at all'));
    write('short.safetensors', readFileSync(path('a.safetensors')).subarray(0, 5000));
    const other = mlp({ widths: [784, 9, 12, 10] });
    write('other.safetensors', writeStateDict(stateDictOf(stateEntries(other), plausibleValues(other, 1))));
    const failure = page.locator('.checkpoints > section').first().getByRole('alert');
    for (const [file, message] of [
      [
        'notes.safetensors',
        /^notes\.safetensors: expected a safetensors file, a PyTorch checkpoint.*Convert it/,
      ],
      ['short.safetensors', /short\.safetensors/],
      ['other.safetensors', /"fc1\.bias" is \[14\] in the first, \[9\] in the second/],
    ] as const) {
      await choose(page, 'A', 'a.safetensors');
      await choose(page, 'B', file);
      await failure.filter({ hasText: message }).waitFor();
      expect(await page.getByRole('button', { name: 'Run', exact: true }).isDisabled()).toBe(true);
    }
    await page.getByRole('button', { name: 'Remove other.safetensors' }).click();
    await failure.waitFor({ state: 'detached' });
    await page.getByText('One more').waitFor();
    expect(messages).toEqual([]);
  });

  it('is said of images: shape, missing labels, damage, unknown names; and good ones run', async () => {
    const { page, messages } = await playground.open('#checkpoints?limit=0&points=2&analyses=line');
    await choose(page, 'A', 'a.safetensors', 'b.safetensors');
    await page.locator('#recognised').waitFor();
    mkdirSync(path('images'), { recursive: true });
    const idx = (name: string, axes: readonly number[]) => {
      const header = Buffer.alloc(4 + 4 * axes.length);
      header.set([0, 0, 8, axes.length]);
      for (const [i, size] of axes.entries()) header.writeUInt32BE(size, 4 + 4 * i);
      const values = new Uint8Array(axes.reduce((x, y) => x * y, 1)).map((_, i) => i % 10);
      write(join('images', name), Buffer.concat([header, values]));
      return join('images', name);
    };
    const labels = idx('t10k-labels-idx1-ubyte', [7]);
    const alerts = page.locator('.checkpoints > section').nth(1).getByRole('alert');
    const small = idx('t10k-images-idx3-ubyte', [7, 8, 8]);
    await choose(page, 'images', small, labels);
    await alerts
      .filter({ hasText: /1x8x8 = 64 values do not fit mlp:784-14-12-10, which takes 784/ })
      .waitFor();
    const good = idx('t10k-images-idx3-ubyte', [7, 28, 28]);
    await choose(page, 'images', good);
    await alerts.filter({ hasText: /t10k-labels-idx1-ubyte is missing.*Choose it as well/ }).waitFor();
    await choose(page, 'images', 'a.npz');
    await alerts.filter({ hasText: /expected the files of one data set, MNIST/ }).waitFor();
    write('images/t10k-images-idx3-ubyte.gz', Uint8Array.of(0x1f, 0x8b, 8, ...new Uint8Array(40)));
    await choose(page, 'images', 'images/t10k-images-idx3-ubyte.gz', labels);
    await alerts.filter({ hasText: /cut short or damaged/ }).waitFor();
    await choose(page, 'images', good, labels);
    await page.getByText('7 test images of 1×28×28').waitFor();
    await run(page);
    expect(await (await outcome(page, 'line')).innerText()).toMatch(
      /No corrected line: there are no training images/,
    );
    await page.locator('#outcome-line .provenance > summary').click();
    expect(await page.locator('#outcome-line').innerText()).toMatch(/here are test images alone/);
    expect(messages).toEqual([]);
  });
});

describe('pictures', () => {
  it('in a folder for each class are images like others, but that there is no command', async () => {
    const { page, messages } = await playground.open('#checkpoints?limit=6&points=2&analyses=match,line');
    const pngs = await page.evaluate(() =>
      ['red', 'blue'].map((colour) => {
        const canvas = document.createElement('canvas');
        const drawing = canvas.getContext('2d')!;
        drawing.fillStyle = colour;
        drawing.fillRect(0, 0, 40, 30);
        return canvas.toDataURL('image/png').split(',')[1]!;
      }),
    );
    for (const [label, png] of pngs.entries()) {
      mkdirSync(path(`pictures/class${label}`), { recursive: true });
      for (let i = 0; i < 5; i++) write(`pictures/class${label}/${i}.png`, Buffer.from(png, 'base64'));
    }
    const model = mlp({ widths: [3072, 6, 3] });
    for (const [seed, name] of ['colour-a', 'colour-b'].entries()) {
      const state = stateDictOf(stateEntries(model), plausibleValues(model, seed));
      write(`${name}.safetensors`, writeStateDict(state));
    }
    await choose(page, 'A', 'colour-a.safetensors', 'colour-b.safetensors');
    await page.locator('#recognised').waitFor();
    await page.getByLabel('Choose a folder').last().setInputFiles(path('pictures'));
    await page.getByText('2 test images of 3×32×32 (pictures, test); 6 training images').waitFor();
    await run(page);
    const article = await outcome(page, 'line');
    await article.locator('.provenance > summary').click();
    expect(await article.innerText()).toMatch(/corrected[\s\S]*The command line reads no pictures/);
    const match = await outcome(page, 'match');
    await match.locator('.provenance > summary').click();
    expect(await match.innerText()).toMatch(
      /npx rebasin match colour-a\.safetensors colour-b\.safetensors$/m,
    );
    expect(messages).toEqual([]);
  });
});

describe('stopping', () => {
  it('stops an analysis, frees its buffers, and runs the next', async () => {
    const beforeWorker = `
      let live = 0;
      const { createBuffer } = GPUDevice.prototype;
      GPUDevice.prototype.createBuffer = function (descriptor) {
        live++;
        return createBuffer.call(this, descriptor);
      };
      const { destroy } = GPUBuffer.prototype;
      GPUBuffer.prototype.destroy = function () {
        live--;
        return destroy.call(this);
      };
      Object.defineProperty(globalThis, 'liveBuffers', { get: () => live });`;
    const { page, messages } = await playground.open(`${SMALL}&analyses=units,line`, { beforeWorker });
    const live = () => page.workers()[0]!.evaluate('liveBuffers') as Promise<number>;
    await choose(page, 'A', 'a.safetensors', 'b.safetensors');
    await outcome(page, 'units');
    await run(page);
    await outcome(page, 'line');
    await page.locator('#analysis-line').uncheck();
    await page.getByLabel('Loss plane').check();
    const grid = async (points: string) => {
      await page.getByLabel('Points of the plane, a side').fill(points);
      await page.getByLabel('Points of the plane, a side').press('Tab');
    };
    /** Begins a plane and stops it. */
    const stopHalfway = async () => {
      await run(page);
      await page.locator('.run-bar').getByText('Loss plane: plane').waitFor();
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('button', { name: 'Run', exact: true }).waitFor();
    };
    await grid('61');
    await stopHalfway();
    // Once another task has run, the stopped one has freed what it used; what the context keeps for later is no more the second time.
    await grid('3');
    await run(page);
    const plane = await savedJson(page, await outcome(page, 'plane'), 'plane');
    const { a, b, common } = await requests();
    const undisturbed = await planeResult(context(), {
      ...{ ...common, checkpoints: [a, b], align: 'weight', renormalise: 'none' },
      ...{ grid: 3, margin: 0.25, on: 'test' },
    });
    if (hasDriver) {
      expectSameAdapter(plane);
      expect(plane.hash).toBe(undisturbed.hash);
    }
    const first = await live();
    await grid('61');
    await stopHalfway();
    await expect.poll(live).toBeLessThanOrEqual(first);
    expect(messages).toEqual([]);
  });
});

describe('on a phone, in the dark, by keyboard', () => {
  it('fits 390 pixels, and every control has a name and a ring', async () => {
    const { page } = await playground.open(SMALL, {
      viewport: { width: 390, height: 844 },
      colorScheme: 'dark',
    });
    await choose(page, 'A', 'a.safetensors', 'b.safetensors');
    await outcome(page, 'units');
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    const nameless = await page.locator('.checkpoints :is(button, input, select, a)').evaluateAll((all) =>
      all
        .filter((each) => !(each as HTMLInputElement).labels?.length)
        .filter((each) => !each.textContent?.trim() && !each.getAttribute('aria-label'))
        .map((each) => each.outerHTML),
    );
    expect(nameless).toEqual([]);
    // A choice by keyboard makes the form anew, and the keyboard stays where it was.
    await page.getByLabel('Seed').last().focus();
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Tab');
    await page.locator('.outcome.old').first().waitFor();
    expect(page.url()).toContain('seed=1');
    const held = () => page.evaluate(() => document.activeElement?.id);
    expect(await held()).toBe('field-points-of-a-line');
    await page.locator('#analysis-line').focus();
    await page.keyboard.press('Space');
    expect(await held()).toBe('analysis-line');
    expect(page.url()).toContain('analyses=spec,match,units,layers,merge');
    // What is typed and not told yet stays when something else is told.
    await page.getByLabel('Mean').focus();
    await page.keyboard.type('0.13');
    await page.keyboard.press('Tab');
    await page.keyboard.type('0.3');
    await page.getByLabel('Seed').last().dispatchEvent('change');
    await page.getByRole('alert').filter({ hasText: 'expected numbers for both' }).waitFor();
    expect(await held()).toBe('field-deviation');
    await page.keyboard.press('Tab');
    await page.getByText('less 0.13, over 0.3.').waitFor();
    expect(page.url()).toMatch(/mean=0\.13&std=0\.3/);
    await page.getByLabel('Choose file A').focus();
    const ring = await page
      .locator('.slots label')
      .first()
      .evaluate((each) => getComputedStyle(each).outlineStyle);
    expect(ring).toBe('solid');
  });
});
