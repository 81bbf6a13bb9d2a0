/** A place that takes files: dropped on it, folders too, or chosen by its button. */
import { element } from '../../src/report/elements.ts';
import { type OwnFile, ownFiles } from '../story/own-files.ts';

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
  /** On a second button, which takes a folder with all that is in it. Default: there is none. */
  readonly folderLabel?: string;
  readonly taken: (files: readonly OwnFile[]) => void;
}

let made = 0;

/** A box with file buttons. They are native inputs, so that the keyboard reaches them. */
export function fileDrop({ label, accept, folderLabel, taken }: FileDropOptions): FileDrop {
  const body = element('div', { class: 'drop-body' });
  const buttons = element('div', { class: 'drop-buttons' });
  const add = (text: string, attributes: Readonly<Record<string, string>>) => {
    const id = `file-drop-${made++}`;
    const input = element('input', { type: 'file', id, multiple: '', ...attributes });
    input.addEventListener('change', () => {
      const files = ownFiles(input.files ?? []);
      input.value = ''; // so that the same file can be chosen again
      if (files.length > 0) taken(files);
    });
    buttons.append(element('span', {}, input, element('label', { for: id }, text)));
  };
  add(label, accept ? { accept } : {});
  if (folderLabel) add(folderLabel, { webkitdirectory: '' });
  const root = element('div', { class: 'drop' }, body, buttons);
  takeDrops(root, taken);
  return { root, body };
}

/** Lets an element take dropped files; what is dropped on an inner one goes to that alone. Where they cannot be had, it says so at its end. */
export function takeDrops(root: HTMLElement, taken: (files: readonly OwnFile[]) => void): void {
  const failure = element('p', { class: 'failure', role: 'alert' });
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
    failure.remove();
    void droppedFiles(event.dataTransfer).then(
      (files) => {
        if (files.length > 0) taken(files);
      },
      (error: Error) => {
        failure.textContent = `What was dropped cannot be read: ${error.message} Choose it by the button.`;
        root.append(failure);
      },
    );
  });
}

/** Files of a drop, with those inside folders. Entries must be asked for before anything is awaited. */
async function droppedFiles({ items, files }: DataTransfer): Promise<OwnFile[]> {
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry?.() ?? []);
  if (entries.length === 0) return ownFiles(files);
  return (await Promise.all(entries.map(filesOf))).flat();
}

async function filesOf(entry: FileSystemEntry): Promise<OwnFile[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [{ path: entry.fullPath.replace(/^\//, ''), file }];
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
