/** Telling right results from wrong ones. */

/**
 * The first value that is further from what was expected than its bound, in words; undefined when there is none.
 * @param places which values are expected, where not all are. Default: all.
 */
export function firstWrong(
  values: ArrayLike<number>,
  expected: ArrayLike<number>,
  bound: (i: number) => number,
  places?: ArrayLike<number>,
): string | undefined {
  if (places === undefined && values.length !== expected.length)
    return `${values.length} values, expected ${expected.length}`;
  for (let i = 0; i < expected.length; i++) {
    const at = places === undefined ? i : places[i]!;
    if (!(Math.abs(values[at]! - expected[i]!) <= bound(i)))
      return `element ${at} is ${values[at]}, expected ${expected[i]} +- ${bound(i)}`;
  }
  return undefined;
}

/**
 * How far a sum of products may be from float64.
 * @param terms products in the sum; each rounds once, each addition once, an epilogue a few times.
 * @param magnitude sum of the products' magnitudes.
 * @param engine of class f16: each operand, at most 1 here, is rounded to one of the two f16 beside it, or to 0 below 2^-14.
 */
export function sumBound(terms: number, magnitude: number, engine: string): number {
  const float32 = (terms + 3) * 2 ** -24 * magnitude;
  const operands = engine.endsWith('f16') ? (2 ** -9 + 2 ** -20) * magnitude + terms * 2 ** -13 : 0;
  return float32 + operands;
}

/** Thrown where there is no right result to compare with, so that nobody is told to be wrong. */
export class NotComparable extends Error {
  override name = 'NotComparable';

  constructor() {
    super('there is no right result of this library that it could be compared with');
  }
}

/** The first complaint of several. */
export function firstOf(...complaints: readonly (string | undefined)[]): string | undefined {
  return complaints.find((complaint) => complaint !== undefined);
}
