/** Softmax, cross-entropy and correctness of one row of logits, in float64. */

export function softmax(row: ArrayLike<number>): number[] {
  const values = Array.from(row);
  const largest = values.reduce((a, b) => Math.max(a, b));
  const terms = values.map((value) => Math.exp(value - largest));
  const total = terms.reduce((a, b) => a + b);
  return terms.map((term) => term / total);
}

export function crossEntropy(row: ArrayLike<number>, label: number): number {
  const values = Array.from(row);
  const largest = values.reduce((a, b) => Math.max(a, b));
  const total = values.reduce((sum, value) => sum + Math.exp(value - largest), 0);
  return Math.log(total) + largest - values[label]!;
}

export function correct(row: ArrayLike<number>, label: number): number {
  let best = 0;
  for (let c = 0; c < row.length; c++) {
    if (Number.isNaN(row[c]!)) return 0;
    if (row[c]! > row[best]!) best = c;
  }
  return best === label ? 1 : 0;
}
