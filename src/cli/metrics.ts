/** `--metrics`: losses while training as JSON lines, one report a line. A resumed run goes on where its state does. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { FitProgress } from '../nn/train/fit.ts';

export class MetricsFile {
  readonly #path: string | undefined;

  /** @param resumedStep lines of an earlier run up to this step are kept, later ones (which will come again) are dropped. */
  constructor(path: string | undefined, resumedStep: number) {
    this.#path = path;
    if (path === undefined) return;
    const old = resumedStep > 0 && existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    // A line cut short by a kill is no JSON; it is later than any state that was saved whole.
    const kept = old.filter((line) => {
      try {
        return line !== '' && (JSON.parse(line) as FitProgress).step <= resumedStep;
      } catch {
        return false;
      }
    });
    writeFileSync(path, kept.map((line) => `${line}\n`).join(''));
  }

  add(report: FitProgress): void {
    if (this.#path !== undefined) appendFileSync(this.#path, `${JSON.stringify(report)}\n`);
  }
}
