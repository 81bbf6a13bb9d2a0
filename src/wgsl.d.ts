/** A WGSL file imports as its text: esbuild's text loader and vitest's plugin (`vitest.config.ts`) both do this. */
declare module '*.wgsl' {
  const source: string;
  export default source;
}
