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

/** The first complaint of several. */
export function firstOf(...complaints: readonly (string | undefined)[]): string | undefined {
  return complaints.find((complaint) => complaint !== undefined);
}
