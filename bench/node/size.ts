/** Bundle size: what applications ship that import all, the core, or a few names of the published package. See `bundle-sizes.ts`. */
import { existsSync } from 'node:fs';
import type { Family, MeasuredCase } from '../case.ts';

type Sizes = typeof import('./bundle-sizes.ts');
type BundleSize = import('./bundle-sizes.ts').BundleSize;

/** Applications, by what they import. */
const APPLICATIONS: Readonly<Record<string, readonly string[] | '*'>> = {
  'context-alone': ['requestContext'],
  'matrix-products': ['requestContext', 'matmulKernel'],
  'run-mlp': ['requestContext', 'mlp', 'forwardGraph', 'compile', 'Arena', 'ArenaLayout'],
  'train-mlp': ['requestContext', 'mlp', 'fit', 'GpuDataset', 'Evaluator'],
  'match-and-sweep': [
    ...['requestContext', 'mlp', 'derivePermutationSpec', 'weightMatching'],
    ...['permuteArena', 'sweep', 'Evaluator', 'GpuDataset'],
  ],
  demo: ['requestContext', 'runDemo'],
  everything: '*',
};

export const sizeFamily: Family = {
  name: 'size',
  about: 'bundle size of applications and of the core',
  cases: async () => [
    ...Object.entries(APPLICATIONS).map(([name, imports]) =>
      sizeCase(name, (sizes) => sizes.applicationSize(imports)),
    ),
    sizeCase('engine', (sizes) => sizes.layerSize('engine')),
    sizeCase('core', (sizes) => sizes.layerSize('core')),
  ],
};

function sizeCase(name: string, measure: (sizes: Sizes) => Promise<BundleSize>): MeasuredCase {
  return {
    name: `size/${name}`,
    async measure() {
      // What bundles is in the repository only; from elsewhere the case can be named, but not run.
      const sizes = await import('./bundle-sizes.ts').catch(() => undefined);
      if (!sizes || !existsSync('src/index.ts'))
        return [
          { engine: 'rebasin', error: 'it is measured in the repository, with its packages installed' },
        ];
      const { bytes, gzipBytes, folders } = await measure(sizes);
      const byFolder = [...folders].map(([folder, size]) => [`bytes of ${folder}`, size] as const);
      return [{ engine: 'rebasin', figures: { bytes, gzipBytes, ...Object.fromEntries(byFolder) } }];
    },
  };
}
