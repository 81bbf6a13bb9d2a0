/** Forms that are made anew when a choice is made. */

type Control = HTMLInputElement | HTMLSelectElement;

/**
 * Puts new children into an element. Those with a control that is there already, by its id, stay as they are and get the new value: in
 * the middle of a step by the Tab key the browser knows the field that it goes to, and with a field would go what is typed there and not
 * told yet. So a control's listener may rely on nothing but the control and what does not change.
 */
export function renew(parent: Element, ...children: readonly HTMLElement[]): void {
  const active = document.activeElement;
  const held = active && parent.contains(active) ? active.id : '';
  const old = new Map([...parent.children].map((child) => [controlOf(child)?.id, child]));
  const next = children.map((child) => {
    const control = controlOf(child);
    const known = control && old.get(control.id);
    if (!known || !mayStay(known, child)) return child;
    update(controlOf(known)!, control);
    return known;
  });
  const staying = new Set<Node>(next);
  for (const child of [...parent.childNodes]) if (!staying.has(child)) child.remove();
  for (const [i, child] of next.entries()) {
    const there = parent.children[i];
    if (there !== child) parent.insertBefore(child, there ?? null);
  }
  if (held !== '' && !active?.isConnected) document.getElementById(held)?.focus();
}

function controlOf(child: Element): Control | null {
  return child.querySelector<Control>('input, select');
}

/** Fields of text and numbers, and what differs in nothing but its value. */
function mayStay(known: Element, next: Element): boolean {
  const [before, after] = [controlOf(known), controlOf(next)];
  const isTyped = [before, after].every((each) => each && ['text', 'number'].includes(each.type));
  return isTyped || known.isEqualNode(next);
}

/** Gives a control the value of another; unless that is what it showed before, for then it may hold something newer. */
function update(control: Control, next: Control): void {
  if (!(control instanceof HTMLInputElement && next instanceof HTMLInputElement)) {
    control.value = next.value;
    return;
  }
  control.checked = next.checked;
  control.placeholder = next.placeholder;
  if (control.defaultValue === next.defaultValue) return;
  control.defaultValue = next.defaultValue;
  control.value = next.value;
}
