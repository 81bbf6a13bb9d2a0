/** Buttons that make files, which may fail: then the page says so. */
import { element } from '../../src/report/elements.ts';
import { button } from '../form.ts';

/** A button that saves something; where that fails, the reason stands below the row of the button until it is pressed again. */
export function saveButton(
  text: string,
  save: () => void | Promise<void>,
  attributes: Readonly<Record<string, string>> = {},
): HTMLButtonElement {
  const failure = element('p', { class: 'failure', role: 'alert' });
  const made = button(
    text,
    async () => {
      failure.remove();
      try {
        await save();
      } catch (error) {
        failure.textContent = `Not saved: ${error instanceof Error ? error.message : error}`;
        made.parentElement?.after(failure);
      }
    },
    attributes,
  );
  return made;
}
