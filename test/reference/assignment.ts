/**
 * Linear sum assignment by trying all permutations: the definition, float64, n <= 8.
 * Returns the best sum; which permutation reaches it is not unique, so it is not returned.
 */
export function bruteForceAssignment(matrix: ArrayLike<number>, n: number, maximise = true): number {
  if (n > 8) throw new Error(`bruteForceAssignment: expected n <= 8, got ${n}`);
  const used = new Array<boolean>(n).fill(false);
  const better = maximise ? Math.max : Math.min;
  const best = (row: number, sum: number): number => {
    if (row === n) return sum;
    let result = maximise ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    for (let column = 0; column < n; column++) {
      if (used[column]) continue;
      used[column] = true;
      result = better(result, best(row + 1, sum + matrix[row * n + column]!));
      used[column] = false;
    }
    return result;
  };
  return best(0, 0);
}
