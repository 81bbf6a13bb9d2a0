/** A claim's verdict as words behind a shape: a disc with a tick, a square with a cross, an open ring. Colour says it a third time. */
import { element } from './elements.ts';
import type { StudyVerdict } from './study-result.ts';

/** In a square of 16: what is filled or drawn in the verdict's colour, and what is drawn on it in that of the background. */
const SHAPES: Readonly<Record<StudyVerdict, { readonly area: string; readonly sign: string }>> = {
  held: { area: 'M8 0a8 8 0 1 0 0 16a8 8 0 1 0 0-16', sign: 'M4.4 8.4l2.5 2.6l4.8-5.4' },
  'not held': { area: 'M1 1h14v14h-14z', sign: 'M5 5l6 6M11 5l-6 6' },
  'not decided': { area: 'M8 1a7 7 0 1 0 0 14a7 7 0 1 0 0-14', sign: '' },
};

/** @param as another word than the verdict itself, such as one with a capital. */
export function verdictMark(verdict: StudyVerdict, as: string = verdict): HTMLElement {
  const { area, sign } = SHAPES[verdict];
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  for (const [name, value] of Object.entries({ viewBox: '0 0 16 16', width: '16', height: '16' })) {
    svg.setAttribute(name, value);
  }
  svg.setAttribute('aria-hidden', 'true');
  for (const [part, path] of Object.entries({ area, sign })) {
    const drawn = document.createElementNS('http://www.w3.org/2000/svg', 'path');
    drawn.setAttribute('class', part);
    drawn.setAttribute('d', path);
    svg.append(drawn);
  }
  return element('span', { class: `verdict ${verdict.replaceAll(' ', '-')}` }, svg, as);
}
