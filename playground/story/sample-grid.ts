/** Sample images, each with what both mixtures say it is. Wrong answers are crossed out: colour alone would not tell. */
import { element } from '../../src/report/elements.ts';
import type { Classification } from './classify-task.ts';
import { LINE_NAMES, type LineName } from './line-name.ts';
import type { Samples } from './story-task.ts';

export interface SampleGrid {
  readonly root: HTMLElement;
  clear(): void;
  show(samples: Samples): void;
  /** @returns how many images each line has right, and of how many. */
  classify(classification: Classification): Record<LineName | 'of', number>;
}

interface Cell {
  readonly label: number;
  readonly answers: Readonly<Record<LineName, HTMLElement>>;
}

export function sampleGrid(): SampleGrid {
  const root = element('ol', { class: 'samples', 'aria-label': 'Test images and what both mixtures say' });
  let cells: Cell[] = [];

  return {
    root,
    clear() {
      cells = [];
      root.replaceChildren();
    },
    show(samples) {
      cells = Array.from(samples.labels, (label) => ({
        label,
        answers: {
          naive: element('span', { class: 'naive', role: 'img' }),
          aligned: element('span', { class: 'aligned', role: 'img' }),
        },
      }));
      root.replaceChildren(
        ...cells.map(({ label, answers }, i) =>
          element('li', {}, picture(samples, i, label), element('div', {}, answers.naive, answers.aligned)),
        ),
      );
    },
    classify(classification) {
      const right = { naive: 0, aligned: 0, of: cells.length };
      for (const name of LINE_NAMES) {
        const logits = classification[name];
        const classes = logits.length / cells.length;
        for (const [i, { label, answers }] of cells.entries()) {
          const answer = largest(logits.subarray(i * classes, (i + 1) * classes));
          const isRight = answer === label;
          if (isRight) right[name]++;
          const words = `${name}: ${answer}, ${isRight ? 'right' : 'wrong'}`;
          answers[name].replaceChildren(isRight ? `${answer}` : element('s', {}, `${answer}`));
          answers[name].title = words;
          answers[name].setAttribute('aria-label', words);
        }
      }
      return right;
    },
  };
}

/** One image on a canvas of its own size, enlarged by the style sheet. */
function picture(
  { channels, height, width, images }: Samples,
  index: number,
  label: number,
): HTMLCanvasElement {
  const canvas = element('canvas', {
    ...{ role: 'img', 'aria-label': `image ${index + 1}, a ${label}` },
    ...{ width: String(width), height: String(height) },
  });
  const pixels = width * height;
  const start = index * channels * pixels;
  const drawn = new ImageData(width, height);
  for (let i = 0; i < pixels; i++) {
    for (let c = 0; c < 3; c++) {
      drawn.data[4 * i + c] = images[start + (channels === 1 ? 0 : c) * pixels + i]!;
    }
    drawn.data[4 * i + 3] = 255;
  }
  canvas.getContext('2d')?.putImageData(drawn, 0, 0);
  return canvas;
}

/** Where the largest value is; of equal ones the first. */
function largest(values: Float32Array): number {
  let best = 0;
  for (const [i, value] of values.entries()) if (value > values[best]!) best = i;
  return best;
}
