/**
 * Bundle size: what applications ship that import all, the core, or a few names of the published package. See `bundle-sizes.ts`.
 *
 *     npm run bench -- size [--json]
 */
import { parseArgs } from 'node:util';
import { applicationSize, type BundleSize, layerSize } from './bundle-sizes.ts';

const { values: options } = parseArgs({ options: { json: { type: 'boolean', default: false } } });

/** Applications, by what they import. */
const APPLICATIONS: Readonly<Record<string, readonly string[]>> = {
  'a context alone': ['requestContext'],
  'matrix products': ['requestContext', 'matmulKernel'],
  'run an MLP': ['requestContext', 'mlp', 'forwardGraph', 'compile', 'Arena', 'ArenaLayout'],
  'train an MLP': ['requestContext', 'mlp', 'fit', 'GpuDataset', 'Evaluator'],
  'match weights, sweep': [
    ...['requestContext', 'mlp', 'derivePermutationSpec', 'weightMatching'],
    ...['permuteArena', 'sweep', 'Evaluator', 'GpuDataset'],
  ],
  'the demo: train, match, sweep, RESET': ['requestContext', 'runDemo'],
};

function report(name: string, imports: string, { bytes, gzipBytes, folders }: BundleSize): void {
  if (options.json) {
    const line = { case: 'size', name, imports, bytes, gzipBytes, folders: Object.fromEntries(folders) };
    console.log(JSON.stringify(line));
    return;
  }
  const kB = (count: number) => `${(count / 1000).toFixed(1)} kB`.padStart(9);
  console.log(`${name.padEnd(40)} ${kB(bytes)} minified ${kB(gzipBytes)} gzipped`);
}

for (const [name, imports] of Object.entries(APPLICATIONS))
  report(name, imports.join(), await applicationSize(imports));
report('engine: runtime, kernels, nn', '', await layerSize('engine'));
const core = await layerSize('core');
report('core: runtime, kernels, nn, rebasin', '', core);
report('all that is exported', '*', await applicationSize('*'));
if (!options.json) {
  console.log('\nThe core by folder, minified:');
  for (const [folder, bytes] of core.folders)
    console.log(`  ${folder.padEnd(24)} ${(bytes / 1000).toFixed(1).padStart(6)} kB`);
}
