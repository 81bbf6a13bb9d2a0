/** Copying for the reader. */
import { button } from '../form.ts';

/** A button that puts text on the clipboard, and says so. */
export function copyButton(text: string, what: () => string): HTMLButtonElement {
  const made = button(text, () => {
    const say = (word: string) => {
      made.textContent = word;
      setTimeout(() => {
        made.textContent = text;
      }, 1500);
    };
    navigator.clipboard.writeText(what()).then(
      () => say('Copied'),
      () => say('Not allowed: copy it by hand'),
    );
  });
  return made;
}
