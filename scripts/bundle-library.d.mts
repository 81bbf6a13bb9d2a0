import type { Metafile } from 'esbuild';

export interface LibraryBundle {
  readonly metafile: Metafile;
  /** Paths are absolute, under `dist`; nothing was written. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

/** Bundles entries of `src`, such as `src/entry-browser.ts`, of the repository at `root` as they are published. */
export function bundleLibrary(root: string, entryPoints: readonly string[]): Promise<LibraryBundle>;
