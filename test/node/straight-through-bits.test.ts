/** Straight-through matching gives the same bits in Node and in Chromium on one SwiftShader, and whatever matmul variant is forced. */
import { build } from 'esbuild';
import { chromium } from 'playwright';
import { beforeAll, describe, expect, it } from 'vitest';
import * as library from '../../src/index.ts';
import { type Context, type ContextOptions, requestContextOn } from '../../src/runtime/context.ts';
import { nodePlatform } from '../../src/runtime/platform-node.ts';
import { chromiumLaunch } from '../support/chromium.ts';

/**
 * Trains two small networks and matches them. Its text runs in the page as well, so it may use nothing but its parameters.
 * K above one chunk of the matmul (784 > 512), a tail batch, and sizes that no tile divides.
 */
async function trainAndMatch(rebasin: typeof library, context: Context) {
  const { DIGITS_NORMALISATION, GpuDataset, digits } = rebasin;
  const model = rebasin.mlp({ widths: [784, 18, 13, 10] });
  const spec = rebasin.derivePermutationSpec([rebasin.forwardGraph(model).logits]);
  const data = new GpuDataset(context, digits({ count: 250, seed: 1, split: 'train' }), DIGITS_NORMALISATION);
  const evaluation = new GpuDataset(
    context,
    digits({ count: 70, seed: 2, split: 'test' }),
    DIGITS_NORMALISATION,
  );
  const train = async (seed: number) => {
    const recipe = { model, data, optimizer: { type: 'adam' }, learningRate: 0.003, epochs: 3 } as const;
    return (await rebasin.fit(context, { ...recipe, batchSize: 30, seed })).state;
  };
  const result = await rebasin.straightThroughMatching(context, {
    model,
    spec,
    a: await train(1),
    b: await train(2),
    data,
    evaluation,
    steps: 15,
    batchSize: 60,
    learningRate: 0.3,
    candidateEvery: 2,
  });
  data.destroy();
  evaluation.destroy();
  return { hash: rebasin.hashResult(result), changes: result.changes, best: result.best };
}

async function inNode(options: ContextOptions = {}) {
  const context = await requestContextOn(nodePlatform, options);
  try {
    return { result: await trainAndMatch(library, context), adapter: context.adapterName };
  } finally {
    context.destroy();
  }
}

describe('straight-through matching', () => {
  let node: Awaited<ReturnType<typeof inNode>>;

  beforeAll(async () => {
    node = await inNode();
  });

  it('gives the same hash in Node and in Chromium', async (test) => {
    if (!node.adapter.includes('swiftshader'))
      test.skip(`Node runs on ${node.adapter}, Chromium on SwiftShader`);
    const { outputFiles } = await build({
      entryPoints: ['src/entry-browser.ts'],
      bundle: true,
      format: 'esm',
      loader: { '.wgsl': 'text' },
      write: false,
    });
    const browser = await chromium.launch(await chromiumLaunch());
    try {
      const page = await browser.newPage();
      await page.route('http://localhost/**', (route) =>
        route.request().url().endsWith('.js')
          ? route.fulfill({ contentType: 'text/javascript', body: outputFiles[0]!.text })
          : route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>rebasin</title>' }),
      );
      await page.goto('http://localhost/');
      const inBrowser = await page.evaluate(
        `import('/rebasin.js').then(async (rebasin) => (${trainAndMatch})(rebasin, await rebasin.requestContext()))`,
      );
      expect(inBrowser).toEqual(node.result);
    } finally {
      await browser.close();
    }
  });

  it('gives the same hash with the naive matmul, and moved on the way', async () => {
    expect((await inNode({ variants: { matmul: 'naive' } })).result).toEqual(node.result);
    expect(node.result.changes).toBeGreaterThan(0);
  });
});
