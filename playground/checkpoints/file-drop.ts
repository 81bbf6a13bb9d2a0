/** A place that takes files: dropped on it, folders too, or chosen by its button. */
import { element } from '../../src/report/elements.ts';

export interface FileDrop {
  readonly root: HTMLElement;
  /** What stands in the box beside the button. */
  readonly body: HTMLElement;
}

export interface FileDropOptions {
  /** On the button. */
  readonly label: string;
  /** Endings that the file dialog offers, such as `.npz`. Default: all. */
  readonly accept?: string;
  readonly taken: (files: readonly File[]) => void;
}

let made = 0;

/** A box with a file button. The button is a native input, so that the keyboard reaches it. */
export function fileDrop({ label, accept, taken }: FileDropOptions): FileDrop {
  const id = `file-drop-${made++}`;
  const input = element('input', { type: 'file', id, multiple: '', ...(accept ? { accept } : {}) });
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    input.value = ''; // so that the same file can be chosen again
    if (files.length > 0) taken(files);
  });
  const body = element('div', { class: 'drop-body' });
  const root = element('div', { class: 'drop' }, body, element('label', { for: id }, label), input);
  takeDrops(root, taken);
  return { root, body };
}

/** Lets an element take dropped files; what is dropped on an inner one goes to that alone. */
export function takeDrops(root: HTMLElement, taken: (files: readonly File[]) => void): void {
  root.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    event.stopPropagation();
    root.classList.add('over');
  });
  root.addEventListener('dragleave', () => root.classList.remove('over'));
  root.addEventListener('drop', (event) => {
    root.classList.remove('over');
    if (!event.dataTransfer) return;
    event.preventDefault();
    event.stopPropagation();
    void droppedFiles(event.dataTransfer).then((files) => {
      if (files.length > 0) taken(files);
    });
  });
}

/** Files of a drop, with those inside folders. Entries must be asked for before anything is awaited. */
async function droppedFiles({ items, files }: DataTransfer): Promise<File[]> {
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  if (entries.length === 0) return [...files];
  return (await Promise.all(entries.map(filesOf))).flat();
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    return [
      await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject)),
    ];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const found: FileSystemEntry[] = [];
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (batch.length === 0) break; // a reader gives them in parts
    found.push(...batch);
  }
  return (await Promise.all(found.map(filesOf))).flat();
}
