/** A figure with buttons that save what it shows. */
import { downloadPng, downloadSvg } from './figure.ts';
import { saveButton } from './save-button.ts';

/** Adds the buttons to a figure's caption. They save what is drawn in the figure when they are pressed. */
export function figureExports(name: string, made: HTMLElement): HTMLElement {
  const drawn = () => [...made.querySelectorAll<SVGElement>(':is(.drawing, .matrix) > svg')];
  const save = (kind: 'SVG' | 'PNG') =>
    saveButton(
      kind,
      async () => {
        const drawings = drawn();
        if (drawings.length === 0) return;
        if (kind === 'SVG') downloadSvg(`${name}.svg`, drawings);
        else await downloadPng(`${name}.png`, drawings);
      },
      { class: 'export', 'aria-label': `Save the figure "${name}" as ${kind}` },
    );
  const buttons = document.createElement('div');
  buttons.className = 'exports';
  buttons.append(save('SVG'), save('PNG'));
  made.prepend(buttons);
  return made;
}
