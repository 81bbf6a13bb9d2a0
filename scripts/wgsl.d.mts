import type { Plugin } from 'esbuild';

/** A WGSL text without comments, indentation and blank lines; comments that begin with `{{` stay: text is put in their place. */
export function stripWgsl(text: string): string;

/** For esbuild: a `.wgsl` file is its stripped text. */
export const strippedWgsl: Plugin;
