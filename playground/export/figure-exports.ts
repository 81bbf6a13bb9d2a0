/** A figure with buttons that save what it shows. */
import { button } from '../form.ts';
import { downloadPng, downloadSvg } from './figure.ts';

/** Adds the buttons to a figure's caption. They save the SVG that the figure holds when they are pressed. */
export function figureExports(name: string, made: HTMLElement): HTMLElement {
  const drawn = () => made.querySelector<SVGElement>('.drawing > svg');
  const save = (kind: 'SVG' | 'PNG') =>
    button(
      kind,
      () => {
        const svg = drawn();
        if (svg && kind === 'SVG') downloadSvg(`${name}.svg`, svg);
        if (svg && kind === 'PNG') void downloadPng(`${name}.png`, svg);
      },
      { class: 'export', 'aria-label': `Save the figure "${name}" as ${kind}` },
    );
  const buttons = document.createElement('div');
  buttons.className = 'exports';
  buttons.append(save('SVG'), save('PNG'));
  made.prepend(buttons);
  return made;
}
