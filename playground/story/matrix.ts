/**
 * A permutation as its matrix on a canvas, moving: a dot in row i and column p[i]. Dots that the last sweep moved slide to their new place
 * and carry the colour of alignment; those that stayed are plain. So one sees the matrix settle.
 */
import { element } from '../../src/report/elements.ts';
import { fixedUnits } from '../../src/report/summary.ts';

const MOVING_MS = 420;

export class Matrix {
  readonly root: HTMLElement;
  readonly #canvas = element('canvas', { role: 'img' });
  readonly #note = element('span');
  readonly #name: string;
  readonly #size: number;
  #from: ArrayLike<number>;
  #to: ArrayLike<number>;
  #started = 0;
  #frame = 0;

  /** It begins with the identity. @param size of the canvas, in pixels of the page. */
  constructor(name: string, units: number, size: number) {
    this.#name = name;
    this.#size = size;
    this.#from = this.#to = Int32Array.from({ length: units }, (_, i) => i);
    this.#canvas.style.width = this.#canvas.style.height = `${size}px`;
    this.root = element(
      'figure',
      { class: 'moving-matrix' },
      element('figcaption', {}, element('strong', {}, name), this.#note),
      this.#canvas,
    );
    this.#describe();
    this.redraw();
  }

  /** Slides from what is shown to another permutation of as many units. */
  show(permutation: ArrayLike<number>): void {
    this.#from = this.#to;
    this.#to = permutation;
    this.#describe();
    this.#started = matchMedia('(prefers-reduced-motion: reduce)').matches ? 0 : performance.now();
    this.redraw();
  }

  /** Draws again, such as in other colours. */
  redraw(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    const { width } = this.#canvas;
    const pixels = Math.round(this.#size * devicePixelRatio);
    if (width !== pixels) this.#canvas.width = this.#canvas.height = pixels;
    const drawing = this.#canvas.getContext('2d');
    if (drawing === null) return;
    const style = getComputedStyle(this.#canvas);
    const colour = (name: string) => style.getPropertyValue(`--rebasin-${name}`).trim() || '#888';
    const elapsed = Math.min(1, (performance.now() - this.#started) / MOVING_MS);
    const eased = 1 - (1 - elapsed) * (1 - elapsed) * (1 - elapsed);
    const units = this.#to.length;
    const cell = pixels / units;
    const dot = Math.max(cell, 1.75 * devicePixelRatio);
    drawing.clearRect(0, 0, pixels, pixels);
    drawing.strokeStyle = colour('rule');
    drawing.lineWidth = devicePixelRatio;
    drawing.strokeRect(0.5, 0.5, pixels - 1, pixels - 1);
    const [plain, moving] = [colour('ink'), colour('aligned')];
    for (let row = 0; row < units; row++) {
      const [from, to] = [this.#from[row]!, this.#to[row]!];
      drawing.fillStyle = from === to ? plain : moving;
      const column = from + (to - from) * eased;
      drawing.fillRect((column + 0.5) * cell - dot / 2, (row + 0.5) * cell - dot / 2, dot, dot);
    }
    if (elapsed < 1) this.redraw();
  }

  #describe(): void {
    const fixed = fixedUnits(Array.from(this.#to));
    this.#note.textContent = `${fixed} in place`;
    this.#canvas.setAttribute(
      'aria-label',
      `Permutation of the ${this.#to.length} units of ${this.#name} as a matrix: ${fixed} in place`,
    );
  }
}
