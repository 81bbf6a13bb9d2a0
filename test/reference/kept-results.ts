/**
 * Results of long tests, kept in `test/reference/results/<name>.json` with a hash of the sources they were computed by: a broken run goes
 * on where it stopped, and a change to the engine starts anew.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

export class KeptResults {
  readonly #name: string;
  readonly #file: string;
  readonly #results: Map<string, unknown>;

  constructor(name: string) {
    this.#name = name;
    this.#file = resolve(root, `test/reference/results/${name}.json`);
    this.#results = readResults(this.#file);
  }

  /** A result from the file, or computed and kept there. */
  async once<T>(key: string, compute: () => Promise<T>): Promise<T> {
    const known = this.#results.get(key);
    if (known !== undefined) return known as T;
    const started = performance.now();
    const made = await compute();
    console.info(`${this.#name}: ${key}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
    this.#results.set(key, made);
    mkdirSync(resolve(this.#file, '..'), { recursive: true });
    const lines = [['sources', sourcesHash()], ...this.#results].map(
      ([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`,
    );
    writeFileSync(`${this.#file}.new`, `{\n${lines.join(',\n')}\n}\n`);
    renameSync(`${this.#file}.new`, this.#file);
    return made;
  }
}

/** Results by key, if they were computed by these very sources. */
function readResults(file: string): Map<string, unknown> {
  if (!existsSync(file)) return new Map();
  const { sources, ...results } = JSON.parse(readFileSync(file, 'utf8'));
  if (sources === sourcesHash()) return new Map(Object.entries(results));
  console.info(`${file} was computed by other sources: everything is computed anew`);
  return new Map();
}

let hashed: string | undefined;

/** SHA-256 of everything a result can depend on. */
function sourcesHash(): string {
  if (hashed) return hashed;
  const folders = ['base', 'runtime', 'kernels', 'nn', 'rebasin', 'io'];
  const files = folders
    .flatMap((folder) =>
      readdirSync(resolve(root, 'src', folder), { recursive: true, encoding: 'utf8' }).map(
        (file) => `src/${folder}/${file}`,
      ),
    )
    .filter((file) => /\.(ts|wgsl)$/.test(file))
    .sort();
  const hash = createHash('sha256');
  for (const file of files) hash.update(file).update(readFileSync(resolve(root, file)));
  hashed = hash.digest('hex');
  return hashed;
}
