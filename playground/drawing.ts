/** Drawings that change while one looks at them. */
import { element } from '../src/report/elements.ts';

const EVERY_MS = 120;

export interface LiveDrawing {
  readonly root: HTMLElement;
  /** Draws again, at a next frame: eight times a second at most. */
  redraw(): void;
}

/**
 * A box that draws its content for the width it gets, when that changes and when told to.
 * @param height of the box in pixels.
 * @param draw returns nothing while there is nothing to draw: the box stays as high, and says what it waits for.
 * @param waiting what that is.
 */
export function liveDrawing(
  height: number,
  draw: (width: number) => Node | undefined,
  waiting = '',
): LiveDrawing {
  const line = element('div');
  const root = element('div', { class: 'drawing', 'data-waiting': waiting }, line);
  root.style.height = `${height}px`;
  let width = 0;
  let last = Number.NEGATIVE_INFINITY;
  let isWaiting = false;
  const now = () => {
    isWaiting = false;
    last = performance.now();
    if (width === 0) return;
    const drawn = draw(width);
    root.classList.toggle('waiting', drawn === undefined);
    root.replaceChildren(line, ...(drawn ? [drawn] : []));
  };
  const redraw = () => {
    if (isWaiting) return;
    isWaiting = true;
    const wait = Math.max(0, last + EVERY_MS - performance.now());
    setTimeout(() => requestAnimationFrame(now), wait);
  };
  new ResizeObserver(([entry]) => {
    const found = Math.floor(entry?.contentRect.width ?? 0);
    if (found === 0 || found === width) return;
    width = found;
    redraw();
  }).observe(line);
  return { root, redraw };
}
