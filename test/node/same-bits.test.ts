/** One demo, the same bits: in Node and in Chromium on one SwiftShader, run after run, and whatever kernel variant is forced. */
import { createServer, type Server } from 'node:http';
import { build } from 'esbuild';
import { chromium } from 'playwright';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Demo, type DemoOptions, runDemo } from '../../src/rebasin/demo.ts';
import { type ContextOptions, requestContextOn } from '../../src/runtime/context.ts';
import { nodePlatform } from '../../src/runtime/platform-node.ts';
import { chromiumLaunch } from '../support/chromium.ts';

/** Small, but with a tail batch, K above one chunk of the matmul (784 > 512), and sizes that no tile divides. */
const OPTIONS: DemoOptions = {
  seed: 5,
  hidden: [33, 18],
  epochs: 1,
  trainCount: 300,
  testCount: 130,
  points: 3,
};

async function demoInNode(
  contextOptions: ContextOptions = {},
  options = OPTIONS,
): Promise<Demo & { adapter: string }> {
  const context = await requestContextOn(nodePlatform, contextOptions);
  try {
    return { ...(await runDemo(context, options)), adapter: context.adapterName };
  } finally {
    context.destroy();
  }
}

describe('the demo', () => {
  let server: Server;
  let url = '';
  let inNode: Demo & { adapter: string };

  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: ['src/entry-browser.ts'],
      bundle: true,
      format: 'esm',
      loader: { '.wgsl': 'text' },
      write: false,
    });
    const script = outputFiles[0]!.contents;
    server = createServer((request, response) => {
      const isScript = request.url === '/rebasin.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? script : '<!doctype html><title>rebasin</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    url = `http://localhost:${typeof address === 'object' && address ? address.port : 0}`;
    inNode = await demoInNode();
  });
  afterAll(() => {
    server.close();
  });

  it('gives the same hash in Node and in Chromium', async (test) => {
    if (!inNode.adapter.includes('swiftshader'))
      test.skip(`Node runs on ${inNode.adapter}, Chromium on SwiftShader`);
    const browser = await chromium.launch(await chromiumLaunch());
    try {
      const page = await browser.newPage();
      await page.goto(url);
      const inBrowser = await page.evaluate(
        `import('/rebasin.js').then(async (rebasin) => {
          const context = await rebasin.requestContext();
          const { hash, fields } = await rebasin.runDemo(context, ${JSON.stringify(OPTIONS)});
          context.destroy();
          return { hash, fields };
        })`,
      );
      expect(inBrowser).toEqual({ hash: inNode.hash, fields: JSON.parse(JSON.stringify(inNode.fields)) });
    } finally {
      await browser.close();
    }
  });

  it('gives the same hash when run again', async () => {
    expect((await demoInNode()).hash).toBe(inNode.hash);
  });

  it('gives another hash for another seed', async () => {
    expect((await demoInNode({}, { ...OPTIONS, seed: 6 })).hash).not.toBe(inNode.hash);
  });

  for (const matmul of ['naive', 'register', 'workgroup']) {
    it(`gives the same hash with the ${matmul} matmul`, async () => {
      expect((await demoInNode({ variants: { matmul } })).hash).toBe(inNode.hash);
    });
  }
});
