import type { Metafile } from 'esbuild';

export interface LibraryBundle {
  readonly metafile: Metafile;
  /** Paths are absolute, under `dist`; nothing was written. */
  readonly files: readonly { readonly path: string; readonly text: string }[];
}

/** The sources of what package.json exports and runs, such as `src/entry-node.ts`, of the repository at `root`. */
export function libraryEntries(root: string): string[];

/** Bundles entries of `src`, such as `src/entry-browser.ts`, of the repository at `root` as they are published. */
export function bundleLibrary(root: string, entryPoints: readonly string[]): Promise<LibraryBundle>;

/** The licences of the npm packages among `inputs`, paths of bundled files from the repository at `root`. */
export function bundledLicences(root: string, inputs: readonly string[]): string;
