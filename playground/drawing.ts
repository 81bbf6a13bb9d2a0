/** Drawings that change while one looks at them. */
import { element } from '../src/report/elements.ts';

export interface LiveDrawing {
  readonly root: HTMLElement;
  /** Draws again, at the next frame and not more often than every `everyMs`. */
  redraw(): void;
}

/**
 * A box that draws its content for the width it gets, when that changes and when told to.
 * @param height of the box in pixels.
 * @param draw returns nothing while there is nothing to draw: the box stays empty, at its height.
 */
export function liveDrawing(
  height: number,
  draw: (width: number) => Node | undefined,
  everyMs = 120,
): LiveDrawing {
  const line = element('div');
  const root = element('div', { class: 'drawing' }, line);
  root.style.height = `${height}px`;
  let width = 0;
  let last = Number.NEGATIVE_INFINITY;
  let waiting = false;
  const now = () => {
    waiting = false;
    last = performance.now();
    if (width === 0) return;
    const drawn = draw(width);
    root.replaceChildren(line, ...(drawn ? [drawn] : []));
  };
  const redraw = () => {
    if (waiting) return;
    waiting = true;
    const wait = Math.max(0, last + everyMs - performance.now());
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
