/**
 * The dense float64 linear algebra of age paths: symmetric indefinite systems with their inertia.
 *
 * `factoriseSymmetric` is Bunch and Kaufman's L D L^T with partial pivoting (Bunch and Kaufman 1977, "Some stable methods for calculating
 * inertia and solving symmetric linear systems"; LAPACK's DSYTF2), row by row so that the inner loops run through memory in order. The signs
 * of D are those of the eigenvalues (Sylvester's law of inertia), which tells a minimum from a saddle at the cost of a solve.
 */

/** A factorised symmetric matrix. */
export interface SymmetricFactors {
  /** How many eigenvalues are above, below and at 0 (within rounding of the largest entry). */
  readonly inertia: { readonly positive: number; readonly negative: number; readonly zero: number };
  /** Solves for one right-hand side, f64 [n]; returns a new array. Where an eigenvalue is 0 the result holds Infinity or NaN. */
  solve(right: Float64Array): Float64Array;
}

/** Of the largest entry: a pivot below it counts as 0. */
const ZERO_PIVOT = 1e-14;
/** Bunch and Kaufman's (1 + sqrt 17) / 8, which bounds the growth of entries. */
const PIVOT_RATIO = 0.6403882032022076;

/** Factorises the symmetric matrix f64 [n, n] whose lower triangle is given, row-major. Overwrites it: the caller hands it over. */
export function factoriseSymmetric(matrix: Float64Array, n: number): SymmetricFactors {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  /** Size of the diagonal block that begins at each row: 1, 2, or 0 for the second row of a block. */
  const block = new Uint8Array(n);
  const [first, second] = [new Float64Array(n), new Float64Array(n)];
  let largest = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) largest = Math.max(largest, Math.abs(matrix[i * n + j]!));
  }
  const tiny = ZERO_PIVOT * largest;
  const inertia = { positive: 0, negative: 0, zero: 0 };
  for (let k = 0; k < n; ) {
    const { pivot, size } = choosePivot(matrix, n, k);
    const last = k + size - 1;
    if (pivot !== last) exchange(matrix, n, last, pivot, order);
    block[k] = size;
    if (size === 1) {
      const d = matrix[k * n + k]!;
      if (!(Math.abs(d) > tiny)) inertia.zero++;
      else if (d > 0) inertia.positive++;
      else inertia.negative++;
      eliminateOne(matrix, n, k, first);
    } else {
      // Partial pivoting makes the determinant of a block of two negative.
      inertia.positive++;
      inertia.negative++;
      eliminateTwo(matrix, n, k, first, second);
    }
    k += size;
  }
  return { inertia, solve: (right) => solve(matrix, n, order, block, right) };
}

/** Which row comes next to the diagonal, as a block of one or (together with row k) of two. */
function choosePivot(a: Float64Array, n: number, k: number): { pivot: number; size: 1 | 2 } {
  const diagonal = Math.abs(a[k * n + k]!);
  let row = k;
  let largest = 0;
  for (let i = k + 1; i < n; i++) {
    const value = Math.abs(a[i * n + k]!);
    if (value > largest) [largest, row] = [value, i];
  }
  if (diagonal >= PIVOT_RATIO * largest) return { pivot: k, size: 1 };
  let largestOfRow = 0;
  for (let j = k; j < row; j++) largestOfRow = Math.max(largestOfRow, Math.abs(a[row * n + j]!));
  for (let i = row + 1; i < n; i++) largestOfRow = Math.max(largestOfRow, Math.abs(a[i * n + row]!));
  if (diagonal * largestOfRow >= PIVOT_RATIO * largest * largest) return { pivot: k, size: 1 };
  return Math.abs(a[row * n + row]!) >= PIVOT_RATIO * largestOfRow
    ? { pivot: row, size: 1 }
    : { pivot: row, size: 2 };
}

/** Exchanges rows and columns `to` and `from` (to < from) of the lower triangle, the finished columns of L included. */
function exchange(a: Float64Array, n: number, to: number, from: number, order: Int32Array): void {
  const swap = (p: number, q: number) => {
    const kept = a[p]!;
    a[p] = a[q]!;
    a[q] = kept;
  };
  for (let j = 0; j < to; j++) swap(to * n + j, from * n + j);
  for (let i = to + 1; i < from; i++) swap(i * n + to, from * n + i);
  for (let i = from + 1; i < n; i++) swap(i * n + to, i * n + from);
  swap(to * n + to, from * n + from);
  const kept = order[to]!;
  order[to] = order[from]!;
  order[from] = kept;
}

function eliminateOne(a: Float64Array, n: number, k: number, column: Float64Array): void {
  const d = a[k * n + k]!;
  if (d === 0) return; // then the column is 0 too
  for (let i = k + 1; i < n; i++) column[i] = a[i * n + k]!;
  for (let i = k + 1; i < n; i++) {
    const factor = column[i]! / d;
    a[i * n + k] = factor;
    if (factor === 0) continue;
    const row = i * n;
    for (let j = k + 1; j <= i; j++) a[row + j]! -= factor * column[j]!;
  }
}

function eliminateTwo(
  a: Float64Array,
  n: number,
  k: number,
  first: Float64Array,
  second: Float64Array,
): void {
  const [d11, d21, d22] = [a[k * n + k]!, a[(k + 1) * n + k]!, a[(k + 1) * n + k + 1]!];
  for (let i = k + 2; i < n; i++) {
    first[i] = a[i * n + k]!;
    second[i] = a[i * n + k + 1]!;
  }
  // Divided by d21 first, the largest of the three, as in LAPACK: the determinant itself might overflow.
  const [p, q] = [d22 / d21, d11 / d21];
  const scale = 1 / (p * q - 1) / d21;
  for (let i = k + 2; i < n; i++) {
    const f1 = scale * (p * first[i]! - second[i]!);
    const f2 = scale * (q * second[i]! - first[i]!);
    a[i * n + k] = f1;
    a[i * n + k + 1] = f2;
    const row = i * n;
    for (let j = k + 2; j <= i; j++) a[row + j]! -= f1 * first[j]! + f2 * second[j]!;
  }
}

function solve(
  a: Float64Array,
  n: number,
  order: Int32Array,
  block: Uint8Array,
  right: Float64Array,
): Float64Array {
  const x = Float64Array.from({ length: n }, (_, i) => right[order[i]!]!);
  for (let i = 0; i < n; i++) {
    // Of a block of two, the entry between its rows belongs to D.
    const end = block[i] === 0 ? i - 1 : i;
    let sum = x[i]!;
    for (let j = 0; j < end; j++) sum -= a[i * n + j]! * x[j]!;
    x[i] = sum;
  }
  for (let k = 0; k < n; k++) {
    if (block[k] === 1) x[k] = x[k]! / a[k * n + k]!;
    else if (block[k] === 2) {
      const d21 = a[(k + 1) * n + k]!;
      const [p, q] = [a[(k + 1) * n + k + 1]! / d21, a[k * n + k]! / d21];
      const scale = 1 / (p * q - 1) / d21;
      const [x1, x2] = [x[k]!, x[k + 1]!];
      x[k] = scale * (p * x1 - x2);
      x[k + 1] = scale * (q * x2 - x1);
    }
  }
  for (let i = n - 1; i >= 0; i--) {
    const end = block[i] === 0 ? i - 1 : i;
    const value = x[i]!;
    for (let j = 0; j < end; j++) x[j]! -= a[i * n + j]! * value;
  }
  const result = new Float64Array(n);
  for (let i = 0; i < n; i++) result[order[i]!] = x[i]!;
  return result;
}

/** matrix [rows, columns] times vector [columns]. */
export function multiply(matrix: Float64Array, vector: Float64Array, rows: number): Float64Array {
  const columns = vector.length;
  const result = new Float64Array(rows);
  for (let i = 0, k = 0; i < rows; i++) {
    let sum = 0;
    for (let j = 0; j < columns; j++, k++) sum += matrix[k]! * vector[j]!;
    result[i] = sum;
  }
  return result;
}

/** The transpose of matrix [rows, columns] times vector [rows]. */
export function multiplyTransposed(
  matrix: Float64Array,
  vector: Float64Array,
  columns: number,
): Float64Array {
  const result = new Float64Array(columns);
  for (let i = 0; i < vector.length; i++) {
    const factor = vector[i]!;
    if (factor === 0) continue;
    const row = i * columns;
    for (let j = 0; j < columns; j++) result[j]! += factor * matrix[row + j]!;
  }
  return result;
}

/** The largest magnitude, 0 of an empty vector; NaN where there is one. */
export function maxNorm(vector: Float64Array): number {
  let largest = 0;
  for (const value of vector) {
    const size = Math.abs(value);
    if (!(size <= largest)) largest = size;
  }
  return largest;
}

/**
 * A vector of largest element 1 that the matrix f64 [n, n] sends to 0 (within 1e-10 of its largest entry), or undefined where it is regular.
 * Gauss elimination with complete pivoting. Overwrites the matrix.
 */
export function nullVector(matrix: Float64Array, n: number): Float64Array | undefined {
  const columnOf = Int32Array.from({ length: n }, (_, j) => j);
  let rank = 0;
  let scale = 0;
  for (; rank < n; rank++) {
    let [best, pivotRow, pivotColumn] = [0, rank, rank];
    for (let i = rank; i < n; i++) {
      for (let j = rank; j < n; j++) {
        const size = Math.abs(matrix[i * n + j]!);
        if (size > best) [best, pivotRow, pivotColumn] = [size, i, j];
      }
    }
    scale = Math.max(scale, best);
    if (!(best > 1e-10 * scale)) break;
    for (let j = 0; j < n; j++) {
      const kept = matrix[rank * n + j]!;
      matrix[rank * n + j] = matrix[pivotRow * n + j]!;
      matrix[pivotRow * n + j] = kept;
    }
    for (let i = 0; i < n; i++) {
      const kept = matrix[i * n + rank]!;
      matrix[i * n + rank] = matrix[i * n + pivotColumn]!;
      matrix[i * n + pivotColumn] = kept;
    }
    const column = columnOf[rank]!;
    columnOf[rank] = columnOf[pivotColumn]!;
    columnOf[pivotColumn] = column;
    for (let i = rank + 1; i < n; i++) {
      const factor = matrix[i * n + rank]! / matrix[rank * n + rank]!;
      if (factor === 0) continue;
      for (let j = rank; j < n; j++) matrix[i * n + j]! -= factor * matrix[rank * n + j]!;
    }
  }
  if (rank === n) return undefined;
  const solution = new Float64Array(n);
  solution[rank] = 1;
  for (let i = rank - 1; i >= 0; i--) {
    let sum = 0;
    for (let j = i + 1; j <= rank; j++) sum += matrix[i * n + j]! * solution[j]!;
    solution[i] = -sum / matrix[i * n + i]!;
  }
  const largest = maxNorm(solution);
  const result = new Float64Array(n);
  for (let j = 0; j < n; j++) result[columnOf[j]!] = solution[j]! / largest;
  return result;
}
