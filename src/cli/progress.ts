/** Progress bars on stderr; plain lines where stderr is no terminal. Results never go there. */
import { SingleBar } from 'cli-progress';
import type { CommandProgress } from '../commands/request.ts';

export interface Progress {
  update(done: number, note?: string): void;
  stop(): void;
}

/** A bar titled `title` that runs from 0 to `total`. */
export function startProgress(title: string, total: number): Progress {
  if (!process.stderr.isTTY) return plainProgress(title, total);
  const bar = new SingleBar({
    format: `${title.padEnd(28)} {bar} {percentage}%  {note}`,
    stream: process.stderr,
    barCompleteChar: '━',
    barIncompleteChar: '·',
    barsize: 28,
    hideCursor: true,
    clearOnComplete: false,
    fps: 8,
  });
  bar.start(total, 0, { note: '' });
  return { update: (done, note = '') => bar.update(done, { note }), stop: () => bar.stop() };
}

/** One bar a stage, each started when the one before is done. */
export function stageBars(): {
  update(stage: string, done: number, total: number, note?: string): void;
  stop(): void;
} {
  let current: { stage: string; bar: Progress } | undefined;
  return {
    update(stage, done, total, note = '') {
      if (current?.stage !== stage) {
        current?.bar.stop();
        current = { stage, bar: startProgress(stage, total) };
      }
      current.bar.update(done, note);
    },
    stop() {
      current?.bar.stop();
    },
  };
}

/** Shows the stages of `work` as bars, and stops them when it ends or throws. */
export async function withStageBars<T>(
  work: (onProgress: (progress: CommandProgress) => void) => Promise<T>,
): Promise<T> {
  const bars = stageBars();
  try {
    return await work(({ stage, done, total, note }) => bars.update(stage, done, total, note));
  } finally {
    bars.stop();
  }
}

/** One line each tenth of the way: what a log file or CI can show. */
function plainProgress(title: string, total: number): Progress {
  let tenths = -1;
  return {
    update(done, note = '') {
      const now = Math.floor((10 * done) / total);
      if (now === tenths) return;
      tenths = now;
      process.stderr.write(`${title}: ${10 * now}%${note ? `  ${note}` : ''}\n`);
    },
    stop() {},
  };
}
