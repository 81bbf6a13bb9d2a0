/** Matrix products in all three layouts: squares, sizes that fit no tile, layers of networks, tall and skinny ones. */
import { RandomStream } from '../../src/base/random.ts';
import { packedMatmul } from '../../src/kernels/matmul/packed.ts';
import { matmulReference } from '../../test/reference/matmul.ts';
import type { Family, TimedCase } from '../case.ts';
import { firstWrong, sumBound } from '../check.ts';
import type { MatmulProblem } from '../problem.ts';
import { dispatching } from './dispatching.ts';

type Shape = Pick<MatmulProblem, 'layout' | 'm' | 'n' | 'k'> & {
  readonly epilogue?: boolean;
  readonly hardwareOnly?: boolean;
};

const LAYOUTS = ['NN', 'NT', 'TN'] as const;

const SHAPES: readonly Shape[] = [
  ...[256, 512, 1024].flatMap((size) => LAYOUTS.map((layout) => ({ layout, m: size, n: size, k: size }))),
  ...[2048, 4096].flatMap((size) =>
    LAYOUTS.map((layout) => ({ layout, m: size, n: size, k: size, hardwareOnly: true })),
  ),
  { layout: 'NN', m: 509, n: 503, k: 499 }, // primes
  { layout: 'NT', m: 128, n: 512, k: 784, epilogue: true }, // an MLP's first layer at batch 128
  { layout: 'NT', m: 512, n: 512, k: 784 }, // at batch 512, its weight gradient, the next layer's input gradient
  { layout: 'TN', m: 512, n: 784, k: 512 },
  { layout: 'NT', m: 512, n: 10, k: 512 }, // ten logits and their gradients
  { layout: 'TN', m: 10, n: 512, k: 512 },
  { layout: 'NN', m: 512, n: 512, k: 10 },
  { layout: 'NN', m: 8192, n: 64, k: 64 }, // tall
  { layout: 'NN', m: 64, n: 64, k: 8192 }, // deep: few outputs, long sums
  { layout: 'NN', m: 1, n: 4096, k: 4096 }, // one row
];

export const matmulFamily: Family = {
  name: 'matmul',
  about: 'matrix products: square, tall, skinny, transposed, with bias and relu',
  cases: async () => SHAPES.map(matmulCase),
};

/** One product as a case. */
export function matmulCase(shape: Shape): TimedCase {
  const { layout, m, n, k, epilogue = false } = shape;
  return {
    name: `matmul/${layout}${epilogue ? '+bias+relu' : ''}/${m}x${n}x${k}`,
    flops: 2 * m * n * k,
    bytes: 4 * (m * k + k * n + m * n),
    hardwareOnly: shape.hardwareOnly ?? false,
    classes: ['f16'],
    prepare() {
      const problem = problemOf(shape);
      const expected = expectedOf(problem);
      return {
        problem,
        own: (context) => [
          dispatching(context, (tensors) => {
            const a = tensors.of(problem.a, layout === 'TN' ? [k, m] : [m, k]);
            const b = tensors.of(problem.b, layout === 'NT' ? [n, k] : [k, n]);
            const output = tensors.make([m, n]);
            const transposes = { transposeA: layout === 'TN', transposeB: layout === 'NT' };
            const { bias } = problem;
            const after = bias ? { bias: tensors.of(bias), activation: 'relu' as const } : {};
            return {
              dispatches: packedMatmul(context, {
                a,
                b,
                output,
                ...transposes,
                ...after,
                scratch: tensors.make,
              }),
              results: [output],
            };
          }),
        ],
        check: ([values], asked) => {
          const bound = (i: number) => sumBound(k, expected.magnitudes[i]!, asked);
          return firstWrong(values!, expected.values, bound, expected.places);
        },
      };
    },
  };
}

function problemOf({ layout, m, n, k, epilogue }: Shape): MatmulProblem {
  const stream = new RandomStream(1, `bench matmul ${m} ${n} ${k}`);
  const uniform = (count: number, name: string) => {
    const values = new Float32Array(count);
    stream.derive(name).fillUniform(values, -1, 1);
    return values;
  };
  const bias = epilogue ? { bias: uniform(n, 'bias') } : {};
  return { kind: 'matmul', layout, m, n, k, a: uniform(m * k, 'a'), b: uniform(k * n, 'b'), ...bias };
}

/** Products that plain loops do in half a second. */
const FULL_CHECK = 2 ** 27;
const LINES = 16;

/** The product in float64; of large ones 16 rows and 16 columns, so that every row and every column of the output is looked at. */
function expectedOf(problem: MatmulProblem) {
  const { layout, m, n, k, a, b, bias } = problem;
  const transposes = { transposeA: layout === 'TN', transposeB: layout === 'NT' };
  const whole = { m, n, k, a, b, ...transposes, ...(bias ? { bias, relu: true } : {}) };
  if (m * n * k <= FULL_CHECK) return { ...matmulReference(whole), places: undefined };
  const spread = (size: number) => [
    ...new Set(Array.from({ length: LINES }, (_, i) => Math.round((i * (size - 1)) / (LINES - 1)))),
  ];
  const [rows, columns] = [spread(m), spread(n)];
  const someRows = lines(a, layout === 'TN' ? 'columns' : 'rows', rows, k, m);
  const someColumns = lines(b, layout === 'NT' ? 'rows' : 'columns', columns, k, n);
  const inRows = matmulReference({ ...whole, m: rows.length, a: someRows, transposeA: false });
  const chosenBias = bias && Float32Array.from(columns, (j) => bias[j]!);
  const inColumns = matmulReference({
    ...{ ...whole, n: columns.length, b: someColumns, transposeB: true },
    ...(chosenBias ? { bias: chosenBias } : {}),
  });
  const places = [
    ...rows.flatMap((i) => Array.from({ length: n }, (_, j) => i * n + j)),
    ...Array.from({ length: m }, (_, i) => columns.map((j) => i * n + j)).flat(),
  ];
  return {
    values: [...inRows.values, ...inColumns.values],
    magnitudes: [...inRows.magnitudes, ...inColumns.magnitudes],
    places,
  };
}

/** Chosen lines of an operand, each of k values, one after another. `columns`: the operand is [k, size], `rows`: [size, k]. */
function lines(
  values: Float32Array,
  axis: 'rows' | 'columns',
  chosen: readonly number[],
  k: number,
  size: number,
): Float32Array {
  const out = new Float32Array(chosen.length * k);
  for (const [i, line] of chosen.entries()) {
    for (let l = 0; l < k; l++) out[i * k + l] = values[axis === 'rows' ? line * k + l : l * size + line]!;
  }
  return out;
}
