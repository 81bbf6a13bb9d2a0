/** Fields of forms: a label above a control, native elements throughout, so that keyboard and screen readers know them. */
import { element } from '../src/report/elements.ts';

export interface Option<Value extends string> {
  readonly value: Value;
  readonly text: string;
  readonly disabled?: boolean;
}

/**
 * A label with its control. The control gets an id of the label, which stays when the form is made anew.
 * @param scope begins the id: forms that have fields of one name need different ones.
 */
export function field(label: string, control: HTMLElement, scope = 'field'): HTMLElement {
  control.id = `${scope}-${label.toLowerCase().replaceAll(/[^a-z]+/g, '-')}`;
  return element('div', { class: 'field' }, element('label', { for: control.id }, label), control);
}

export function choice<Value extends string>(
  options: readonly Option<Value>[],
  chosen: Value,
  changed: (value: Value) => void,
): HTMLSelectElement {
  const select = element(
    'select',
    {},
    ...options.map(({ value, text, disabled }) =>
      element('option', { value, ...(disabled ? { disabled: '' } : {}) }, text),
    ),
  );
  select.value = chosen;
  select.addEventListener('change', () => changed(select.value as Value));
  return select;
}

/** A number; what is out of range is not told, and the browser says why. */
export function numberInput(
  value: number,
  { min, max, step = 1 }: { readonly min: number; readonly max?: number; readonly step?: number | 'any' },
  changed: (value: number) => void,
): HTMLInputElement {
  const input = element('input', {
    ...{ type: 'number', inputmode: step === 'any' ? 'decimal' : 'numeric', autocomplete: 'off' },
    ...{ min: String(min), step: String(step), value: String(value) },
    ...(max === undefined ? {} : { max: String(max) }),
  });
  input.addEventListener('change', () => {
    if (input.value !== '' && input.reportValidity()) changed(Number(input.value));
  });
  return input;
}

export function textInput(value: string, changed: (value: string) => void): HTMLInputElement {
  const input = element('input', { type: 'text', autocomplete: 'off', spellcheck: 'false', value });
  input.addEventListener('change', () => changed(input.value.trim()));
  return input;
}

/** A button that asks for files, several at once, or for a folder with all that is in it. */
export function fileChoice(
  label: string,
  changed: (files: readonly File[]) => void,
  { folder = false, scope = 'field' } = {},
): HTMLElement {
  const input = element('input', { type: 'file', multiple: '', ...(folder ? { webkitdirectory: '' } : {}) });
  input.addEventListener('change', () => changed([...(input.files ?? [])]));
  return field(label, input, scope);
}

/** A button that does something. */
export function button(
  text: string,
  pressed: () => void,
  attributes: Readonly<Record<string, string>> = {},
): HTMLButtonElement {
  const made = element('button', { type: 'button', ...attributes }, text);
  made.addEventListener('click', pressed);
  return made;
}
