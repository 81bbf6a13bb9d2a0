/** The documentation tells the truth: its commands and modules run as they stand, in an empty folder, on the package; its links lead somewhere. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage } from '../support/installed-package.ts';

const folder = mkdtempSync(join(tmpdir(), 'rebasin-docs-'));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(() => void installPackage(folder));

const pages = ['README.md', ...readdirSync('docs').map((name) => `docs/${name}`)].filter((path) =>
  path.endsWith('.md'),
);
const text = (path: string) => readFileSync(path, 'utf8');

/** The blocks of a page in one language, in order. */
const blocks = (path: string, language: string) =>
  [...text(path).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(
    ([, code]) => code!,
  );

function run(command: string, ...given: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(command, given, { cwd: folder, encoding: 'utf8' });
  expect(status, `${command} ${given.join(' ')}\n${stderr}`).toBe(0);
  return stdout;
}

/** Runs JavaScript as a module of the folder. */
function runModule(name: string, code: string): string {
  writeFileSync(join(folder, name), code);
  return run(process.execPath, name);
}

const cli = 'node_modules/rebasin/dist/cli/main.js';

describe('docs/getting-started.md', () => {
  const commands = blocks('docs/getting-started.md', 'sh').flatMap((block) => block.trim().split('\n'));
  const modules = blocks('docs/getting-started.md', 'js');

  it('its commands run, one after another, and leave what it says', () => {
    const ours = commands.filter((line) => line.startsWith('npx rebasin '));
    expect(ours.map((line) => line.split(' ')[2])).toEqual(['info', 'train', 'train', 'match', 'sweep']);
    // The very words, on fewer images and epochs: what takes time is none of what is tested.
    const less: Record<string, string[]> = {
      train: ['--limit', '200', '--epochs', '1'],
      sweep: ['--limit', '200', '--points', '3'],
    };
    const said = ours.map((line) => {
      const words = line.split(' ').slice(2);
      return run(process.execPath, cli, ...words, ...(less[words[0]!] ?? []));
    });
    expect(said[3]).toMatch(/equivalence passed/);
    for (const left of ['b-aligned.safetensors', 'report/index.html', 'report/result.json']) {
      expect(existsSync(join(folder, left)), left).toBe(true);
    }
  });

  it('its modules run on these checkpoints', () => {
    expect(modules.length).toBe(2);
    expect(runModule('align.mjs', modules[0]!)).toMatch(/^mlp:784-64-10: distance [\d.]+ -> [\d.]+\n$/);
    expect(runModule('two-towers.mjs', modules[1]!)).toMatch(/^\[ 'left', 'right' \]/);
  });

  it('README: its module runs, too', () => {
    const [code, ...others] = blocks('README.md', 'js');
    expect(others).toEqual([]);
    expect(runModule('readme.mjs', code!)).toMatch(/before/);
  });

  it('README and CHANGELOG name every command', () => {
    const help = run(process.execPath, cli, '--help');
    const commands = [...help.matchAll(/^ {2}([a-z]+) (?:\[|<)/gm)].map(([, name]) => name!);
    expect(commands.length).toBeGreaterThan(15);
    const [list] = text('CHANGELOG.md').match(/^- \*\*Command line\*\*: .*$/m)!;
    for (const name of commands.filter((command) => command !== 'help')) {
      expect(text('README.md')).toContain(`| \`rebasin ${name}\` |`);
      expect(list).toContain(`\`${name}\``);
    }
  });

  it('names only commands and npm scripts that there are', () => {
    const scripts = Object.keys(JSON.parse(text('package.json')).scripts);
    const help = run(process.execPath, cli, '--help');
    for (const path of pages) {
      for (const [, name] of text(path).matchAll(/`?npm run (?!-s)([\w:-]+)/g))
        expect(scripts, path).toContain(name);
      for (const [, name] of text(path).matchAll(/npx rebasin ([a-z]+)/g))
        expect(help, path).toContain(`  ${name} `);
    }
  });
});

describe('docs for developers', () => {
  it('embedding.md: its snippets are one module that runs', () => {
    // What the page says the application has.
    const host = `
      import { requestContext } from 'rebasin';
      const application = await requestContext();
      const { device } = application;
      const adapter = { limits: device.limits, features: device.features };
      const image = application.tensorFrom(new Float32Array(64).fill(1)).buffer;
      const target = application.tensor([64]).buffer;`;
    const ends = 'application.destroy();';
    expect(runModule('embedding.mjs', [host, ...blocks('docs/embedding.md', 'js'), ends].join('\n'))).toBe(
      '8\n',
    );
  });

  it('adding-an-operation.md: the operation from outside computes swish and its derivative', () => {
    const out = runModule('swish.mjs', blocks('docs/adding-an-operation.md', 'js').join('\n'));
    const numbers = out.match(/-?\d+\.\d+/g)!.map(Number);
    const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
    const slope = (x: number) => sigmoid(x) * (1 + x * (1 - sigmoid(x)));
    const expected = [sigmoid(1), -2 * sigmoid(-2), slope(1), slope(-2)];
    expect(numbers.length).toBe(4);
    for (const [i, value] of expected.entries()) expect(numbers[i]).toBeCloseTo(value, 6);
  });

  it('adding-a-kernel.md: the kernel from outside reverses columns, and differentiates', () => {
    const out = runModule('flip.mjs', blocks('docs/adding-a-kernel.md', 'js').join('\n'));
    expect(out).toBe('[ 3, 2, 1, 6, 5, 4 ]\n[ 6, 4, 2, 12, 10, 8 ]\n');
  });

  it('files that are quoted are quoted as they are', () => {
    const quotes = pages.flatMap((path) =>
      [...text(path).matchAll(/<!-- file: (\S+) -->\n```ts\n([\s\S]*?)^```/gm)].map(([, file, code]) => ({
        file: file!,
        code,
      })),
    );
    expect(quotes.length).toBeGreaterThan(0);
    for (const { file, code } of quotes) expect(code, file).toBe(text(file));
  });

  it('source files that are named are there', () => {
    const sources = ['src', 'test', 'scripts', 'bench', 'playground', 'examples'].flatMap((top) =>
      readdirSync(top, { recursive: true, encoding: 'utf8' }).map((path) => `${top}/${path}`),
    );
    // As architecture.md names them: from src, or by their last parts.
    const named = (path: string) =>
      [...text(path).matchAll(/`([\w./-]+\.(?:ts|mjs|wgsl))`/g)].map(([, file]) => file!);
    const all = pages.flatMap((path) => named(path).map((file) => `${path}: ${file}`));
    expect(all.length).toBeGreaterThan(50);
    // Files that a reader makes, after the page's own words.
    const made = ['docs/getting-started.md: align.mjs', 'docs/getting-started.md: two-towers.mjs'];
    made.push('docs/adding-an-operation.md: swish.mjs', 'docs/adding-a-kernel.md: flip.mjs');
    const missing = all.filter(
      (line) => !sources.some((source) => `/${source}`.endsWith(`/${line.split(': ')[1]}`)),
    );
    expect(missing.filter((line) => !made.includes(line))).toEqual([]);
  });

  it('links lead to files and headings that there are', () => {
    const anchors = (path: string) =>
      [...text(path).matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
        title!
          .toLowerCase()
          .replace(/[^\w\s-]/g, '')
          .trim()
          .replace(/\s/g, '-'),
      );
    const broken: string[] = [];
    for (const path of pages) {
      for (const [, target] of text(path).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
        const [file, anchor] = target!.split('#') as [string, string | undefined];
        const to = file === '' ? path : join(dirname(path), file);
        if (!existsSync(to) || (anchor !== undefined && !anchors(to).includes(anchor)))
          broken.push(`${path}: ${target}`);
      }
    }
    expect(broken).toEqual([]);
  });
});
