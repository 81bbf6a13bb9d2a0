/** `rebasin data`: fetches a public data set into a folder that `--data` takes. */
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { fetchDataset } from '../io/node-public-data.ts';
import { PUBLIC_DATASETS, type PublicFile, publicDataset } from '../io/public-datasets.ts';
import { VERSION } from '../version.ts';
import { printResult } from './output.ts';
import { type Progress, startProgress } from './progress.ts';
import { interruptSignal } from './session.ts';

interface DataCommandOptions {
  readonly out?: string;
  readonly mirror?: string;
  readonly json?: boolean;
}

export function registerData(program: Command): void {
  program
    .command('data <name>')
    .description(
      `Download a public data set (${PUBLIC_DATASETS.map(({ name }) => name).join(', ')}), continue where it stopped, verify it.`,
    )
    .option('--out <folder>', 'where the files go (default: data/NAME)')
    .option('--mirror <url>', 'another server that holds the files under the same names', webAddress)
    .option('--json', 'print the result as JSON on stdout')
    .action(async (name: string, options: DataCommandOptions) => {
      const dataset = publicDataset(name);
      const folder = options.out ?? join('data', name);
      const bars = new FileBars();
      try {
        const { files, downloaded } = await fetchDataset(dataset, folder, {
          signal: interruptSignal(),
          onProgress: (file, received) => bars.update(file, received),
          ...(options.mirror === undefined ? {} : { mirror: options.mirror }),
        });
        const result = { command: 'data', version: VERSION, dataset: name, folder, files, downloaded };
        printResult(options.json, result, [
          `${name} is in ${folder}${downloaded === 0 ? ' (it was already)' : ''}: ${files.join(', ')}`,
          `By ${dataset.origin}.`,
          `Use it: rebasin train --data ${folder}`,
        ]);
      } finally {
        bars.stop();
      }
    });
}

/** One progress bar a file. */
class FileBars {
  #file: PublicFile | undefined;
  #bar: Progress | undefined;

  update(file: PublicFile, received: number): void {
    if (file !== this.#file) {
      this.stop();
      this.#file = file;
      this.#bar = startProgress(file.name, file.bytes);
    }
    this.#bar?.update(received, `${megabytes(received)} of ${megabytes(file.bytes)} MB`);
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function webAddress(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new InvalidArgumentError('expected an address that starts with http:// or https://');
  }
  return text;
}
