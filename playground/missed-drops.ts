/** Files that miss the box which takes them: the browser would open them in place of the page. */

/** Files dropped where nothing takes them do nothing. */
export function keepFileDrops(): void {
  for (const type of ['dragover', 'drop'] as const) {
    addEventListener(type, (event) => {
      const isTaken = event.defaultPrevented || (event.target as Element).matches('input[type=file]');
      if (isTaken || !event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'none';
    });
  }
}
