/**
 * Runs benchmarks: `npm run bench -- NAME [options]`, NAME one of those below or `all`. Each checks its results first, then times.
 * Software adapters are labelled as such: their times say nothing about GPUs.
 */
const BENCHMARKS: Readonly<Record<string, () => Promise<unknown>>> = {
  matmul: () => import('./matmul.ts'),
  conv: () => import('./conv.ts'),
  norm: () => import('./norm.ts'),
  'cross-moments': () => import('./cross-moments.ts'),
  assignment: () => import('./assignment.ts'),
  host: () => import('./host.ts'),
  size: () => import('./size.ts'),
  agepath: () => import('./agepath.ts'),
};

const [name = 'all', ...options] = process.argv.slice(2);
if (name !== 'all' && !(name in BENCHMARKS)) {
  process.stderr.write(
    `bench: unknown benchmark "${name}"; expected all, ${Object.keys(BENCHMARKS).join(', ')}\n`,
  );
  process.exit(2);
}
process.argv.splice(2, process.argv.length, ...options);
for (const key of name === 'all' ? Object.keys(BENCHMARKS) : [name]) await BENCHMARKS[key]!();

export {};
