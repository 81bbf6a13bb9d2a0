/** Files for the reader: made in the page, from what it has. */

/** Offers bytes or text as a file. */
export function download(name: string, content: BlobPart, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A value as JSON, indented as the command line writes it. */
export function downloadJson(name: string, value: unknown): void {
  download(name, `${JSON.stringify(value, null, 1)}\n`, 'application/json');
}
