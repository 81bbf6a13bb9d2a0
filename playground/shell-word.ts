/** Words of commands that a reader copies into a shell. */

/** A word as a shell takes it. */
export function shellWord(text: string): string {
  return /^[\w./,:=+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
