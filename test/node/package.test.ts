/** The package as npm packs it: what it holds, what its entries are to Node, to TypeScript, to bundlers and to the linters of packages. */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build as esbuild } from 'esbuild';
import { publint } from 'publint';
import { build as vite } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage } from '../support/installed-package.ts';

const folder = mkdtempSync(join(tmpdir(), 'rebasin-package-'));
afterAll(() => rmSync(folder, { recursive: true }));

let tarball: string;
let files: string[];
const packageFolder = join(folder, 'node_modules/rebasin');
beforeAll(() => {
  tarball = installPackage(folder);
  files = readdirSync(packageFolder, { recursive: true, encoding: 'utf8' });
});

const read = (path: string) => readFileSync(join(packageFolder, path), 'utf8');
const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
/** `rebasin`, `rebasin/runtime`, ...: the entries that are modules. */
const modules = Object.entries<unknown>(manifest.exports)
  .filter(([, target]) => typeof target === 'object')
  .map(([path]) => path.replace('.', 'rebasin'));

/** A file of the empty folder, as a user writes one. */
function userFile(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

const tsc = join(process.cwd(), 'node_modules/typescript/bin/tsc');

function node(text: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [userFile('script.mjs', text)], {
    cwd: folder,
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  return stdout.trim();
}

describe('what is packed', () => {
  it('is what package.json names, and no test, no source, no machine path', () => {
    const named = JSON.stringify([manifest.exports, manifest.bin]).match(/dist\/[^"]+/g)!;
    for (const path of named) expect(existsSync(join(packageFolder, path)), path).toBe(true);
    for (const needed of ['LICENSE', 'README.md', 'CHANGELOG.md', 'dist/THIRD-PARTY.txt']) {
      expect(files).toContain(needed);
    }
    expect(files.filter((path) => /^(src|test|bench|playground|node_modules)\b|\.built$/.test(path))).toEqual(
      [],
    );
    const texts = files.filter((path) => /\.(js|ts|map)$/.test(path)).map(read);
    expect(texts.length).toBeGreaterThan(100);
    expect(texts.filter((text) => text.includes(process.cwd()))).toEqual([]);
  });

  it('has a source map beside each module, with the sources in it', () => {
    const scripts = files.filter((path) => /^dist\/(entry-|chunks\/|cli\/).*\.js$/.test(path));
    expect(scripts.length).toBeGreaterThan(20);
    for (const path of scripts) {
      expect(read(path).includes('//# sourceMappingURL='), path).toBe(true);
      const { sources, sourcesContent } = JSON.parse(read(`${path}.map`));
      expect(sourcesContent?.length ?? 0, path).toBe(sources.length);
    }
    const all = scripts.flatMap((path) => JSON.parse(read(`${path}.map`)).sources as string[]);
    expect(all.some((path) => path.endsWith('src/runtime/context.ts'))).toBe(true);
  });

  it('holds files for browsers that import nothing but each other', () => {
    const outside = new Map<string, string[]>();
    const visit = (path: string) => {
      if (outside.has(path)) return;
      const imports = [
        ...read(path).matchAll(/^(?:import|export) [^;]*?from "([^"]+)";|^import "([^"]+)";/gms),
      ];
      const specifiers = imports.map(([, from, bare]) => from ?? bare!);
      outside.set(
        path,
        specifiers.filter((specifier) => !specifier.startsWith('.')),
      );
      for (const specifier of specifiers) {
        if (specifier.startsWith('.')) visit(join(dirname(path), specifier));
      }
    };
    for (const target of Object.values<Record<string, string>>(manifest.exports)) {
      const path = (target.default as unknown as { default?: string })?.default ?? target.default;
      if (path) visit(path.replace('./', ''));
    }
    expect(outside.size).toBeGreaterThan(8);
    expect([...outside].filter(([, found]) => found.length > 0)).toEqual([]);
  });
});

describe('linters of packages', () => {
  it('publint has nothing to say', async () => {
    const pack = { tarball: new Uint8Array(readFileSync(tarball)).buffer };
    const { messages } = await publint({ pack, strict: true });
    expect(messages).toEqual([]);
  });

  it('types resolve for Node and bundlers, says are-the-types-wrong', () => {
    const cli = 'node_modules/@arethetypeswrong/cli/dist/index.js';
    const options = [
      '--profile',
      'esm-only',
      '--exclude-entrypoints',
      './report-view.js',
      '--format',
      'ascii',
    ];
    const { status, stdout } = spawnSync(process.execPath, [cli, tarball, ...options], { encoding: 'utf8' });
    expect(status, stdout).toBe(0);
    for (const name of modules) expect(stdout).toContain(`"${name}"`);
  });
});

describe('in Node', () => {
  it('every entry loads and leaves globals alone; what two of them export under one name is one thing', () => {
    const output = node(`
      const names = ${JSON.stringify(modules)};
      const globals = () => Object.getOwnPropertyNames(globalThis).sort().join();
      const before = globals();
      const all = new Map();
      for (const name of names) {
        for (const [key, value] of Object.entries(await import(name))) {
          if (typeof value !== 'function' || !/^[A-Z]/.test(key)) continue;
          all.set(key, (all.get(key) ?? new Set()).add(value));
        }
      }
      const copies = [...all].filter(([, values]) => values.size > 1).map(([key]) => key);
      const { requestContext } = await import('rebasin');
      (await requestContext()).destroy();
      console.log(JSON.stringify({ classes: all.size, copies, touched: globals() !== before }));`);
    const { classes, copies, touched } = JSON.parse(output);
    expect(touched, 'globals that are others than before').toBe(false);
    expect(classes).toBeGreaterThan(15);
    expect(copies).toEqual([]);
  });

  it('computes on the GPU through subpaths, and an error is an instance of the class of every entry', () => {
    const output = node(`
      import { ShapeError } from 'rebasin';
      import { matmul } from 'rebasin/kernels';
      import { requestContext } from 'rebasin/runtime';
      const context = await requestContext();
      const a = context.tensorFrom(Float32Array.of(1, 2, 3, 4), [2, 2]);
      const output = context.tensor([2, 2]);
      context.record(...matmul(context, { a, b: a, output }));
      console.log([...(await output.read())].join());
      try {
        matmul(context, { a, b: context.tensor([3, 2]), output });
      } catch (error) {
        console.log(error instanceof ShapeError, error.message);
      }
      context.destroy();`);
    expect(output.split('\n')).toEqual([
      '7,10,15,22',
      expect.stringMatching(/^true matmul: inner dimensions differ: a is \[2,2\], b is \[3,2\]/),
    ]);
  });

  it('the command runs from the package', () => {
    const { stdout } = spawnSync(process.execPath, [join(packageFolder, manifest.bin.rebasin), '--version'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stdout.trim()).toBe(manifest.version);
  });

  it('without the package webgpu says what to install', () => {
    const link = join(folder, 'node_modules/webgpu');
    rmSync(link);
    const output = node(`
      import { requestContext } from 'rebasin';
      await requestContext().catch((error) => console.log(error.name, error.message));`);
    expect(output).toBe(
      'UnsupportedError findAdapter: WebGPU in Node needs the optional package "webgpu": npm install webgpu',
    );
    symlinkSync(join(process.cwd(), 'node_modules/webgpu'), link);
  });
});

describe('TypeScript', () => {
  it('checks a program on every entry, strictly, with no types but its own', () => {
    userFile(
      'program.ts',
      `${modules.map((name, i) => `import * as m${i} from '${name}';`).join('\n')}
      import { contextFromDevice, type Context, type Recording, requiredLimits } from 'rebasin/runtime';
      import { matmul } from 'rebasin/kernels';
      export const all = [${modules.map((_, i) => `m${i}`).join()}];
      export async function open(adapter: GPUAdapter): Promise<Context> {
        return contextFromDevice(await adapter.requestDevice({ requiredLimits: requiredLimits(adapter) }));
      }
      export function square(context: Context, buffer: GPUBuffer): Recording {
        const a = context.wrap(buffer, [4, 4]);
        return context.recording(() => context.record(...matmul(context, { a, b: a, output: context.tensor([4, 4]) })));
      }
      // @ts-expect-error -- shapes are numbers
      export const wrong = (context: Context) => context.tensor(['4']);`,
    );
    const options = '--noEmit --strict --target es2023 --lib es2023,dom --module nodenext'.split(' ');
    const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, 'program.ts'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });
});

describe('TypeScript with moduleResolution bundler', () => {
  it("finds Node's functions with the settings of docs/getting-started.md", () => {
    const [, settings] = readFileSync('docs/getting-started.md', 'utf8').match(/^```json\n([\s\S]*?)^```/m)!;
    const { compilerOptions } = JSON.parse(settings!);
    expect(compilerOptions.moduleResolution).toBe('bundler');
    userFile(
      'node-program.ts',
      `import { loadImageFolder, readBytes, writeBytes } from 'rebasin';
      export const files = [loadImageFolder, writeBytes];
      export const bytes: Promise<Uint8Array> = readBytes('a.safetensors');`,
    );
    const options = { ...compilerOptions, noEmit: true, skipLibCheck: true }; // types themselves are checked above
    userFile('tsconfig.json', JSON.stringify({ compilerOptions: options, files: ['node-program.ts'] }));
    const { stdout } = spawnSync(process.execPath, [tsc, '--project', folder], { encoding: 'utf8' });
    expect(stdout).toBe('');
  });
});

describe('bundlers', () => {
  const application = `
    import { parseSafetensors, writeSafetensors } from 'rebasin/io';
    import { ShapeError, UnsupportedError } from 'rebasin/runtime';
    import { requestContext } from 'rebasin';
    import { matmul } from 'rebasin/kernels';
    const tensor = { dtype: 'F32', shape: [2], data: Float32Array.of(1, 2) };
    const { tensors } = parseSafetensors(writeSafetensors([['x', tensor]]));
    let error;
    try {
      matmul({}, { a: tensor, b: tensor, output: tensor });
    } catch (caught) {
      error = caught;
    }
    const none = await requestContext({ backend: 'vulkan' }).catch(({ message }) => message);
    console.log([...tensors.get('x').data].join(), error instanceof ShapeError, none);`;
  /** What a bundle for browsers says where there is no browser: it is the browser's build that was bundled. */
  const expected =
    '1,2 true findAdapter: the option backend is for Node; a browser chooses by itself. Leave it out';

  it('esbuild makes one file for browsers, without a warning, of what is used alone', async () => {
    userFile('app.js', application);
    const { warnings, outputFiles } = await esbuild({
      absWorkingDir: folder,
      entryPoints: ['app.js'],
      bundle: true,
      minify: true,
      format: 'esm',
      write: false,
      logLevel: 'silent',
    });
    expect(warnings).toEqual([]);
    const { text } = outputFiles[0]!;
    expect(text.length).toBeLessThan(120_000);
    expect(node(text)).toBe(expected);
  });

  it('Vite does, too', async () => {
    userFile('app.js', application);
    const result = await vite({
      root: folder,
      configFile: false,
      logLevel: 'silent',
      build: {
        write: false,
        target: 'es2022',
        lib: { entry: 'app.js', formats: ['es'], fileName: 'app' },
        rollupOptions: {
          onwarn: (warning) => {
            throw new Error(String(warning.message));
          },
        },
      },
    });
    const [{ output }] = result as unknown as [{ output: { code: string }[] }];
    expect(output.length).toBe(1);
    expect(node(output[0]!.code)).toBe(expected);
  });
});
