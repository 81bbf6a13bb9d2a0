/**
 * Proof that a spec is sound (ALGORITHMS 1.6.1): a random permutation of every group leaves the network's outputs unchanged within
 * 1e-4 of the largest |output|. Run it on values where parameters and buffers are all distinct (a trained model, or `distinctValues`):
 * scale 1, shift 0, mean 0 and variance 1 would hide errors. What it does not prove is that nothing was tied needlessly.
 */
import { DataError } from '../../base/errors.ts';
import { RandomStream } from '../../base/random.ts';
import { leavesOf, type Node } from '../../nn/graph.ts';
import { compile, type Program } from '../../nn/program.ts';
import { concreteShape } from '../../nn/shape.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { elementCount } from '../../runtime/kernel.ts';
import { permuteValues } from './apply-permutation.ts';
import { identityPermutation } from './permutation.ts';
import type { PermutationSpec } from './permutation-spec.ts';

/** Whether a random permutation of every group left the outputs unchanged. */
export interface Equivalence {
  /** max |f(theta) - f(pi(theta))| / max |f(theta)|; Infinity where either is not finite. */
  readonly maxDifference: number;
  /** Whether that is at most 1e-4. */
  readonly passed: boolean;
}

/** Differences up to this part of the largest |output| are rounding: sums over permuted units are taken in another order. */
const TOLERANCE = 1e-4;

/** Of `checkEquivalence`. */
export interface EquivalenceOptions {
  /** The network's value for each entry of the spec. Default: `distinctValues(spec, seed)`. */
  readonly values?: HostTensors;
  /** For the permutations and the default values. Default: 0. */
  readonly seed?: number;
}

/**
 * Checks a spec against any implementation of the network.
 * @param forward computes the outputs for given values; always for the same inputs.
 * @throws DataError where every output is 0, which would pass any spec.
 */
export async function checkEquivalence(
  spec: PermutationSpec,
  forward: (values: HostTensors) => Promise<Float32Array>,
  options: EquivalenceOptions = {},
): Promise<Equivalence> {
  const { seed = 0, values = distinctValues(spec, seed) } = options;
  const original = await forward(values);
  const permuted = await forward(permuteValues(spec, randomPermutations(spec, seed), values));
  if (![...original, ...permuted].every(Number.isFinite)) {
    return { maxDifference: Number.POSITIVE_INFINITY, passed: false };
  }
  let largest = 0;
  let difference = 0;
  for (const [i, x] of original.entries()) {
    difference = Math.max(difference, Math.abs(x - permuted[i]!));
    largest = Math.max(largest, Math.abs(x));
  }
  if (largest === 0) {
    throw new DataError(
      'checkEquivalence: every output is 0, which proves nothing; give other values or inputs',
    );
  }
  const maxDifference = difference / largest;
  return { maxDifference, passed: maxDifference <= TOLERANCE };
}

/**
 * Checks a spec against the graph it was derived from, on random inputs.
 * @param outputs nodes whose inputs are all f32, such as the logits.
 */
export async function checkGraphEquivalence(
  context: Context,
  spec: PermutationSpec,
  outputs: readonly Node[],
  options: EquivalenceOptions & { readonly batchSize?: number } = {},
): Promise<Equivalence> {
  const { seed = 0, batchSize = 16 } = options;
  const arena = new Arena(context, new ArenaLayout(spec.entries), 'equivalence check');
  let program: Program | undefined;
  try {
    const named = Object.fromEntries(outputs.map((node, index) => [String(index), node]));
    const compiled = compile(context, { outputs: named, arenas: [arena], batchSize });
    program = compiled;
    const stream = new RandomStream(seed, 'equivalence check: inputs');
    for (const { attributes, shape } of leavesOf(outputs, 'input')) {
      const values = new Float32Array(elementCount(concreteShape(shape, batchSize)));
      stream.derive(attributes.name).fillNormal(values);
      context.write(compiled.input(attributes.name), values);
    }
    const forward = async (values: HostTensors) => {
      arena.write(values);
      compiled.run();
      const parts = [];
      for (const index of outputs.keys()) parts.push(...(await context.read(compiled.output(String(index)))));
      return Float32Array.from(parts);
    };
    return await checkEquivalence(spec, forward, options);
  } finally {
    program?.destroy();
    arena.destroy();
  }
}

/**
 * Random values that are all different: tensors with two or more axes uniform in +-sqrt(3 / fan_in), so that outputs neither vanish nor
 * explode; other parameters uniform in +-1; buffers uniform in 0.5 .. 1.5, since one may be a variance.
 * @returns fresh f32 arrays by name, for every entry of the spec.
 */
export function distinctValues(spec: PermutationSpec, seed: number): Map<string, Float32Array> {
  const random = new RandomStream(seed, 'equivalence check: values');
  return new Map(
    spec.entries.map(({ name, shape, kind }) => {
      const values = new Float32Array(elementCount(shape));
      const bound = shape.length >= 2 ? Math.sqrt(3 / Math.max(1, elementCount(shape.slice(1)))) : 1;
      const [low, high] = kind === 'buffer' ? [0.5, 1.5] : [-bound, bound];
      random.derive(name).fillUniform(values, low, high);
      return [name, values];
    }),
  );
}

/** A random permutation of every group, none of them the identity. */
export function randomPermutations(spec: PermutationSpec, seed: number): Record<string, Int32Array> {
  const random = new RandomStream(seed, 'equivalence check: permutations');
  return Object.fromEntries(
    spec.groups.map(({ name, size }) => {
      const drawn = Int32Array.from(random.derive(name).permutation(size));
      // A group of two is drawn in its old order half of the time: shift it by one.
      const moved = drawn.some((from, to) => from !== to);
      return [name, moved ? drawn : identityPermutation(size).map((i) => (i + 1) % size)];
    }),
  );
}
