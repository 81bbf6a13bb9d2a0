/**
 * The little that the view needs of the DOM. Text goes in as text nodes and attributes as attributes, never as markup, so whatever a
 * result holds (a file may be called `<script>`) is shown and not run.
 */

/** An element with attributes and children; strings become text. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A drawing with words above it: a title and, where given, a note. */
export function figure(title: string, drawing: Node, note = ''): HTMLElement {
  const caption = element('figcaption', {}, element('strong', {}, title));
  if (note !== '') caption.append(' ', element('span', {}, note));
  return element('figure', {}, caption, drawing);
}

/** A part of the page with its heading. */
export function section(title: string, ...children: readonly (Node | string)[]): HTMLElement {
  return element('section', {}, element('h2', {}, title), ...children);
}

/** A name and what it is, as lists of facts have it. */
export type Fact = readonly [name: string, value: string];

/** Names with what they are. @param kind `facts`: numbers to remember, large; `run`: one a line. */
export function factList(kind: 'facts' | 'run', facts: readonly Fact[]): HTMLElement {
  return element(
    'dl',
    { class: kind },
    ...facts.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
  );
}

/** A table that scrolls by itself where the screen is narrower, so that the page does not. */
export function table(
  caption: string,
  head: readonly HTMLTableRowElement[],
  rows: readonly (readonly (Node | string)[])[],
): HTMLElement {
  const body = rows.map(([first = '', ...rest]) =>
    element('tr', {}, element('th', { scope: 'row' }, first), ...rest.map((cell) => element('td', {}, cell))),
  );
  const made = element(
    'table',
    {},
    element('caption', {}, caption),
    element('thead', {}, ...head),
    element('tbody', {}, ...body),
  );
  // Focusable, or the keyboard could not scroll it.
  return element('div', { class: 'scroller', role: 'region', 'aria-label': caption, tabindex: '0' }, made);
}

/** A row of column headings; a heading may span several columns. */
export function headingRow(headings: readonly { text: string; span?: number }[]): HTMLTableRowElement {
  return element(
    'tr',
    {},
    ...headings.map(({ text, span = 1 }) =>
      element('th', span > 1 ? { scope: 'colgroup', colspan: String(span) } : { scope: 'col' }, text),
    ),
  );
}

/**
 * A box that draws its content for the width it gets, and again when that changes: scaling a finished figure would scale its text. What is
 * observed is a line without height inside the box, which drawing cannot resize.
 * @param height of the box, or what it is for a width.
 */
export function responsive(
  height: number | ((width: number) => number),
  draw: (width: number) => Node,
): HTMLElement {
  const line = element('div');
  const box = element('div', { class: 'drawing' }, line);
  if (typeof height === 'number') box.style.height = `${height}px`;
  let drawn = 0;
  new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0);
    if (width === 0 || width === drawn) return;
    drawn = width;
    if (typeof height !== 'number') box.style.height = `${height(width)}px`;
    box.replaceChildren(line, draw(width));
  }).observe(line);
  return box;
}
