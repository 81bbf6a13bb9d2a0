/** Exactly how many values are removed, and which: those of the lowest scores, ties by position. On the host, in float64. */

/**
 * The largest whole number not above sparsity times count, as published codes truncate it. A product that float64 puts just below a
 * whole number is that number: 0.29 of 100 are 29.
 */
export function zeroCount(sparsity: number, count: number): number {
  const product = sparsity * count;
  const nearest = Math.round(product);
  return Math.abs(product - nearest) <= 4 * Number.EPSILON * product ? nearest : Math.floor(product);
}

/** Scores in a row, compared within ranges of it. */
export class Ranking {
  readonly #scores: Float64Array;
  readonly #boundaries: readonly number[];
  /** The scores of each range, ascending: the threshold of any count is one look-up. */
  readonly #sorted: Float64Array;

  /**
   * @param scores finite numbers; kept, not copied.
   * @param boundaries ascending from 0 to the number of scores: range i is from boundaries[i] up to boundaries[i + 1].
   */
  constructor(scores: Float64Array, boundaries: readonly number[]) {
    this.#scores = scores;
    this.#boundaries = boundaries;
    this.#sorted = scores.slice();
    for (const [start, end] of this.#ranges()) this.#sorted.subarray(start, end).sort();
  }

  /**
   * Marks `zeroCount(sparsity, length)` of the lowest scores of each range; of equal scores those that come first. What a sparsity marks,
   * every higher one marks as well.
   * @returns fresh, 1 where marked.
   */
  lowest(sparsity: number): Uint8Array {
    const scores = this.#scores;
    const marked = new Uint8Array(scores.length);
    for (const [start, end] of this.#ranges()) {
      const count = zeroCount(sparsity, end - start);
      if (count === 0) continue;
      const threshold = this.#sorted[start + count - 1]!;
      let left = count;
      for (let i = start; i < end; i++) {
        if (scores[i]! >= threshold) continue;
        marked[i] = 1;
        left--;
      }
      for (let i = start; left > 0; i++) {
        if (scores[i] !== threshold) continue;
        marked[i] = 1;
        left--;
      }
    }
    return marked;
  }

  *#ranges(): Generator<readonly [start: number, end: number]> {
    for (let i = 1; i < this.#boundaries.length; i++) {
      yield [this.#boundaries[i - 1]!, this.#boundaries[i]!];
    }
  }
}
