import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vitest/config';

/** Lets tests import `.wgsl` files as strings, as esbuild's text loader does in the build. */
export function wgslText(): Plugin {
  return {
    name: 'wgsl-text',
    enforce: 'pre',
    load(id) {
      const path = id.split('?')[0]!;
      return path.endsWith('.wgsl') ? `export default ${JSON.stringify(readFileSync(path, 'utf8'))};` : null;
    },
  };
}

export default defineConfig({
  plugins: [wgslText()],
  test: {
    projects: [
      {
        extends: true,
        test: { name: 'pure', include: ['test/pure/**/*.test.ts'], pool: 'forks' },
      },
      {
        extends: true,
        test: { name: 'node', include: ['test/gpu/**/*.test.ts', 'test/node/**/*.test.ts'], pool: 'forks', maxWorkers: 2 },
      },
    ],
  },
});
