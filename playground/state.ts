/**
 * The state of the page as its address: `#story?model=mlp:784-64-10&seed=0`. A section and its values, all as text, each section reading its
 * own. What stands after `#` stays in the browser, and works wherever the files lie.
 */

export const SECTIONS = ['story', 'checkpoints'] as const;

export type SectionName = (typeof SECTIONS)[number];

export type Values = Readonly<Record<string, string>>;

export interface PageState {
  readonly section: SectionName;
  readonly values: Values;
}

/** The state in an address; what is not understood is left out. @param hash from `#` on. */
export function readState(hash: string): PageState {
  const [name, query = ''] = hash.replace(/^#/, '').split('?', 2) as [string, string?];
  const section = SECTIONS.find((known) => known === name) ?? 'story';
  return { section, values: Object.fromEntries(new URLSearchParams(query)) };
}

/** The address of a state, from `#` on. Colons and commas stay legible. */
export function addressOf({ section, values }: PageState): string {
  const query = new URLSearchParams(values)
    .toString()
    .replaceAll('%3A', ':')
    .replaceAll('%2C', ',')
    .replaceAll('%3D', '=');
  return query === '' ? `#${section}` : `#${section}?${query}`;
}
