/** How large the library is in an application: bundled and minified by esbuild for a browser, and compressed by gzip at its best. */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build, type Plugin } from 'esbuild';
import { bundleLibrary, libraryEntries } from '../../scripts/bundle-library.mjs';
import { strippedWgsl } from '../../scripts/wgsl.mjs';

const root = process.cwd();

export interface BundleSize {
  readonly bytes: number;
  readonly gzipBytes: number;
  /** Minified bytes by folder (`src/kernels`), WGSL apart (`src/kernels, WGSL`), largest first. */
  readonly folders: ReadonlyMap<string, number>;
}

/** The package as it is published, bundled once. */
let published: ReturnType<typeof bundleLibrary> | undefined;
function publishedLibrary() {
  published ??= bundleLibrary(root, libraryEntries(root));
  return published;
}

/** What an application that imports these names of the published package ships. `*`: all of them. */
export async function applicationSize(names: readonly string[] | '*'): Promise<BundleSize> {
  const { files } = await publishedLibrary();
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  const entry = files.find(({ path }) => path.endsWith('entry-browser.js'))!.path;
  const contents = `export ${names === '*' ? names : `{ ${names.join(', ')} }`} from 'rebasin';`;
  return await measure(contents, [
    {
      name: 'published',
      setup({ onResolve, onLoad }) {
        // as package.json says: no file has side effects
        const found = (path: string) => ({ path, namespace: 'published', sideEffects: false });
        onResolve({ filter: /^rebasin$/ }, () => found(entry));
        onResolve({ filter: /^\./, namespace: 'published' }, ({ importer, path }) =>
          found(join(dirname(importer), path)),
        );
        onLoad({ filter: /.*/, namespace: 'published' }, ({ path }) => ({ contents: texts.get(path)! }));
      },
    },
  ]);
}

/** Folders of `src` by what they are to an application. */
const LAYERS = {
  engine: ['base', 'runtime', 'kernels', 'nn'],
  core: ['base', 'runtime', 'kernels', 'nn', 'rebasin'],
} as const;

/**
 * A layer of the library: all that `src/index.ts` exports from its folders, the npm packages that these use, and how a browser opens a
 * context. What they import of other folders (io, report, selfpaced) is left out.
 */
export async function layerSize(layer: keyof typeof LAYERS): Promise<BundleSize> {
  const folders = LAYERS[layer].join('|');
  const index = readFileSync(join(root, 'src/index.ts'), 'utf8');
  const statements = index.match(new RegExp(`^export [^;]*? from '\\./(?:${folders})/[^']+';`, 'gm')) ?? [];
  const contents = [
    ...statements.map((statement) => statement.replace("from './", "from './src/")),
    "export { requestContext, contextFromDevice } from './src/entry-browser.ts';",
  ].join('\n');
  return await measure(contents, [
    strippedWgsl,
    {
      name: 'without-other-folders',
      setup({ onResolve }) {
        onResolve({ filter: /\/(io|report|selfpaced|studies)\// }, ({ path }) => ({ path, external: true }));
      },
    },
  ]);
}

/** The modules of `src` that the published package holds for browsers. */
export async function publishedModules(): Promise<string[]> {
  const { metafile } = await bundleLibrary(root, ['src/entry-browser.ts']);
  return Object.keys(metafile.inputs).filter((path) => /^src\/.*\.ts$/.test(path));
}

/**
 * What is left of modules that are imported for nothing: minified bytes by file. Such code is in every application that uses anything
 * of the same file (of the whole package, once it is published as one), so it must be next to nothing.
 */
export async function sideEffects(modules: readonly string[]): Promise<Map<string, number>> {
  const contents = modules.map((path) => `import './${path}';`).join('\n');
  const { metafile } = await bundle(contents, [
    {
      name: 'imported-for-nothing',
      setup({ onResolve }) {
        onResolve({ filter: /^\.\/src\// }, ({ path }) => ({ path: join(root, path), sideEffects: true }));
      },
    },
    strippedWgsl,
  ]);
  return bytesBy(metafile.outputs, (path) => path);
}

async function measure(contents: string, plugins: Plugin[]): Promise<BundleSize> {
  const { outputFiles, metafile } = await bundle(contents, plugins);
  const code = outputFiles[0]!.contents;
  const folderOf = (path: string) => {
    const [top, folder] = path.split('/');
    if (top !== 'src') return top === 'node_modules' ? top : 'rest';
    return `src/${folder}${path.endsWith('.wgsl') ? ', WGSL' : ''}`;
  };
  return {
    bytes: code.length,
    gzipBytes: gzipSync(code, { level: 9 }).length,
    folders: bytesBy(metafile.outputs, folderOf),
  };
}

async function bundle(contents: string, plugins: Plugin[]) {
  const options = {
    absWorkingDir: root,
    stdin: { contents, resolveDir: root, loader: 'ts' },
    outfile: 'app.js',
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2023',
    metafile: true,
    write: false,
    logLevel: 'warning',
    plugins,
  } satisfies BuildOptions;
  return await build(options);
}

type Outputs = Awaited<ReturnType<typeof bundle>>['metafile']['outputs'];

function bytesBy(outputs: Outputs, keyOf: (path: string) => string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { inputs } of Object.values(outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      if (bytesInOutput > 0) sums.set(keyOf(path), (sums.get(keyOf(path)) ?? 0) + bytesInOutput);
    }
  }
  return new Map([...sums].sort((a, b) => b[1] - a[1]));
}
