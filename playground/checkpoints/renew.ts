/** Forms that are made anew when a choice is made. */

/** Puts new children into an element; the keyboard stays where it was, by the id of the control. */
export function renew(parent: Element, ...children: readonly Node[]): void {
  const { activeElement } = document;
  const held = activeElement && parent.contains(activeElement) ? activeElement.id : '';
  parent.replaceChildren(...children);
  if (held !== '') document.getElementById(held)?.focus();
}
