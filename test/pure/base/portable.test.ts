import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashResult } from '../../../src/base/hash.ts';
import { cos, erf, exp, log, pow, sin, tanh } from '../../../src/base/portable.ts';
import { RandomStream } from '../../../src/base/random.ts';

const portable = { exp, log, sin, cos, tanh, erf, pow };

/** Two units in the last place of the smallest mantissa; Math.* itself may be off by one. */
const RELATIVE = 4.5e-16;

/** Correctly rounded values, computed with 1,500 bits. The sixth of sin and cos is the float64 nearest to a multiple of pi/2. */
const REFERENCE: [keyof typeof portable, number, number][] = [
  ['exp', 1.0, Math.E],
  ['exp', -1.0, 0.36787944117144233],
  ['exp', 0.1, 1.1051709180756477],
  ['exp', -700.5, 5.980196118639791e-305],
  ['exp', 709.5, 1.3549863193146328e308],
  ['exp', 1e-10, 1.0000000001],
  ['log', 2.0, Math.LN2],
  ['log', 10.0, Math.LN10],
  ['log', 0.99999, -1.0000050000287824e-5],
  ['log', 1e300, 690.7755278982137],
  ['log', 5e-324, -744.4400719213812],
  ['log', Math.SQRT2, 0.3465735902799727],
  ['sin', 1.0, 0.8414709848078965],
  ['sin', Math.PI, 1.2246467991473532e-16],
  ['sin', 1000000.0, -0.34999350217129294],
  ['sin', 1e22, -0.8522008497671888],
  ['sin', 1.7976931348623157e308, 0.004961954789184062],
  ['sin', 5.319372648326541e255, 1.0],
  ['cos', 1.0, 0.5403023058681398],
  ['cos', Math.PI / 2, 6.123233995736766e-17],
  ['cos', 1000000.0, 0.9367521275331447],
  ['cos', 1e22, 0.523214785395139],
  ['cos', 1.7976931348623157e308, -0.9999876894265599],
  ['cos', 5.319372648326541e255, -4.687165924254628e-19],
  ['tanh', 0.001, 0.0009999996666668],
  ['tanh', 0.3, 0.2913126124515909],
  ['tanh', 0.55, 0.5005202111902353],
  ['tanh', 0.9, 0.7162978701990245],
  ['tanh', 3.0, 0.9950547536867305],
  ['tanh', 19.0, 0.9999999999999999],
  ['erf', 1e-8, 1.1283791670955126e-8],
  ['erf', 0.1, 0.1124629160182849],
  ['erf', 0.5, 0.5204998778130465],
  ['erf', 0.9999999, 0.842700751438961],
  ['erf', 1.0, 0.8427007929497149],
  ['erf', 1.5, 0.9661051464753108],
  ['erf', 2.5, 0.999593047982555],
  ['erf', 4.0, 0.9999999845827421],
  ['erf', 5.9, 0.9999999999999999],
];

function close(got: number, expected: number, absolute = 0): boolean {
  if (Number.isNaN(expected)) return Number.isNaN(got);
  if (!Number.isFinite(expected)) return got === expected;
  return Math.abs(got - expected) <= RELATIVE * Math.abs(expected) + absolute;
}

function expectClose(label: string, got: number, expected: number, absolute = 0): void {
  if (!close(got, expected, absolute)) throw new Error(`${label}: got ${got}, expected ${expected}`);
}

describe('portable elementary functions', () => {
  test('are within 1.5 units in the last place of values computed with 1,500 bits', () => {
    for (const [name, x, expected] of REFERENCE) {
      const unit = Math.max(2 ** (Math.floor(Math.log2(Math.abs(expected))) - 52), 2 ** -1074);
      const got = (portable[name] as (x: number) => number)(x);
      expect(Math.abs(got - expected), `${name}(${x})`).toBeLessThanOrEqual(1.5 * unit);
    }
  });

  test('exp agrees with Math.exp over its whole range, subnormal results included', () => {
    fc.assert(
      fc.property(fc.double({ min: -746, max: 710 }), (x) => {
        expectClose(`exp(${x})`, portable.exp(x), Math.exp(x), 2 ** -1074);
      }),
      { numRuns: 20_000 },
    );
  });

  test('log agrees with Math.log for every positive float64, subnormal ones included', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, noNaN: true }), (x) => {
        expectClose(`log(${x})`, portable.log(x), Math.log(x));
      }),
      { numRuns: 20_000 },
    );
    for (let i = 1; i < 2000; i++) expectClose(`log`, portable.log(i / 1000), Math.log(i / 1000));
  });

  test('sin and cos agree with Math for every float64, huge ones included', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.double({ min: -100, max: 100 })), (x) => {
        expectClose(`sin(${x})`, portable.sin(x), Math.sin(x));
        expectClose(`cos(${x})`, portable.cos(x), Math.cos(x));
      }),
      { numRuns: 20_000 },
    );
  });

  test('tanh agrees with Math.tanh', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.double({ min: -3, max: 3 })), (x) => {
        expectClose(`tanh(${x})`, portable.tanh(x), Math.tanh(x));
      }),
      { numRuns: 20_000 },
    );
  });

  test('erf agrees with its alternating series summed in integers', () => {
    for (let x = -5; x <= 5; x += 1 / 64) expectClose(`erf(${x})`, portable.erf(x), seriesErf(x));
  });

  test('pow agrees with Math.pow over its range, and on every pair of special values', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -100, max: 100, noNaN: true }),
        fc.double({ min: 2 ** -300, max: 2 ** 300 }),
        (exponent, x) => {
          expectClose(`pow(${x}, ${exponent})`, portable.pow(x, exponent), x ** exponent, 2 ** -1074);
        },
      ),
      { numRuns: 20_000 },
    );
    const special = [0, -0, 1, -1, 2, -2, 3, 0.5, -0.5, Infinity, -Infinity, NaN, 2 ** 53, 5e-324, 1e308];
    for (const x of special) {
      for (const y of special) {
        const [got, expected] = [portable.pow(x, y), x ** y];
        expectClose(`pow(${x}, ${y})`, got, expected);
        expect(Object.is(got, -0), `sign of pow(${x}, ${y})`).toBe(Object.is(expected, -0));
      }
    }
  });

  test('NaN, infinities and both zeros behave as in Math', () => {
    for (const x of [NaN, Infinity, -Infinity, 0, -0]) {
      for (const name of ['exp', 'log', 'sin', 'cos', 'tanh'] as const) {
        expect(portable[name](x), `${name}(${x})`).toBe(Math[name](x));
      }
    }
    expect(portable.log(-1)).toBe(NaN);
    expect(portable.erf(NaN)).toBe(NaN);
    expect(portable.erf(Infinity)).toBe(1);
    expect(portable.erf(-Infinity)).toBe(-1);
    expect(portable.erf(-0)).toBe(-0);
  });

  test('give the same bits on every engine: 70,000 values hash to a fixed number', () => {
    const inputs = new Float64Array(10_000);
    new RandomStream(1, 'portable').fillUniform(inputs, -20, 20);
    const values = {
      exp: inputs.map(portable.exp),
      log: inputs.map((x) => portable.log(Math.abs(x))),
      sin: inputs.map((x) => portable.sin(x * x * x)),
      cos: inputs.map((x) => portable.cos(x * x * x)),
      tanh: inputs.map((x) => portable.tanh(x / 4)),
      erf: inputs.map((x) => portable.erf(x / 4)),
      pow: inputs.map((x, i) => portable.pow(Math.abs(x), inputs[(i + 1) % inputs.length]!)),
    };
    expect(hashResult(values)).toBe('7b8472cfdec211a3a3851fb58e104d9b376ad980b4e358bcbf3a80e1db49a5b7');
    values.exp[77]! += 1;
    expect(hashResult(values)).not.toBe('7b8472cfdec211a3a3851fb58e104d9b376ad980b4e358bcbf3a80e1db49a5b7');
  });
});

/** erf by its Maclaurin series in fixed point with 400 fractional bits: exact far beyond float64. */
function seriesErf(x: number): number {
  const bits = 400n;
  const fixed = BigInt(x * 2 ** 40) << (bits - 40n);
  const square = (fixed * fixed) >> bits;
  let term = fixed;
  let sum = fixed;
  for (let n = 1n; term > 1n || term < -1n; n++) {
    term = -((term * square) >> bits) / n;
    sum += term / (2n * n + 1n);
  }
  // 2 / sqrt(pi) times 2^100; the float64 constant is not enough for the last bits.
  const value = (sum * 1430390528453656073574567464941n) >> 100n;
  return Number(value >> (bits - 200n)) / 2 ** 200;
}
