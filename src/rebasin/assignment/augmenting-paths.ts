/**
 * The stages of a shortest augmenting path solve (see `assignment.ts` for sources): each takes an
 * `AssignmentProblem` in progress, assigns more rows and keeps it valid.
 *
 * Nearly all time goes into scans over one row of the gains, so these read as few arrays as they can: in a path
 * search, two (gains and thresholds).
 */
/** A maximisation in progress. Kept true throughout: an assigned entry has the largest `gains - columnDuals` of its row. */
export interface AssignmentProblem {
  n: number;
  /** f64 [n, n], the matrix, negated when minimising. Only read. */
  gains: Float64Array;
  columnDuals: Float64Array;
  /** i32 [n], -1 = none. */
  columnOfRow: Int32Array;
  /** i32 [n], -1 = none. */
  rowOfColumn: Int32Array;
  rowScans: number;
}

export function makeProblem(gains: Float64Array, n: number): AssignmentProblem {
  return {
    n,
    gains,
    columnDuals: new Float64Array(n),
    columnOfRow: new Int32Array(n).fill(-1),
    rowOfColumn: new Int32Array(n).fill(-1),
    rowScans: 0,
  };
}

/** Column duals become the column maxima. */
export function reduceColumns({ n, gains, columnDuals }: AssignmentProblem): void {
  columnDuals.fill(Number.NEGATIVE_INFINITY);
  for (let i = 0, k = 0; i < n; i++) {
    for (let j = 0; j < n; j++, k++) if (gains[k]! > columnDuals[j]!) columnDuals[j] = gains[k]!;
  }
}

/** The two largest reduced gains of a row and their columns; of equal ones, the lowest columns. */
interface RowBest {
  best: number;
  bestColumn: number;
  second: number;
  secondColumn: number;
}

function findRowBest(problem: AssignmentProblem, row: number, found: RowBest): void {
  const { n, gains, columnDuals: duals } = problem;
  problem.rowScans++;
  const start = row * n;
  let best = Number.NEGATIVE_INFINITY;
  let second = Number.NEGATIVE_INFINITY;
  let bestColumn = 0;
  let secondColumn = 0;
  for (let j = 0; j < n; ) {
    // Almost no entry is among the best two: four at a time halves the cost of finding that out.
    while (
      j + 4 <= n &&
      gains[start + j]! - duals[j]! <= second &&
      gains[start + j + 1]! - duals[j + 1]! <= second &&
      gains[start + j + 2]! - duals[j + 2]! <= second &&
      gains[start + j + 3]! - duals[j + 3]! <= second
    ) {
      j += 4;
    }
    for (const end = Math.min(j + 4, n); j < end; j++) {
      const reduced = gains[start + j]! - duals[j]!;
      if (reduced <= second) continue;
      if (reduced > best) {
        second = best;
        secondColumn = bestColumn;
        best = reduced;
        bestColumn = j;
      } else {
        second = reduced;
        secondColumn = j;
      }
    }
  }
  found.best = best;
  found.bestColumn = bestColumn;
  found.second = n > 1 ? second : best;
  found.secondColumn = secondColumn;
}

/**
 * Gives every row the column of its largest reduced gain, if that is still free; returns the rows left over.
 * The column's dual rises by `transfer` of what the row's best column is ahead of its second: rows to come avoid it.
 */
export function assignGreedily(problem: AssignmentProblem, transfer: number): number[] {
  const { n, gains, columnDuals, rowOfColumn, columnOfRow } = problem;
  const row: RowBest = { best: 0, bestColumn: 0, second: 0, secondColumn: 0 };
  const free: number[] = [];
  for (let i = 0; i < n; i++) {
    findRowBest(problem, i, row);
    let column = row.bestColumn;
    const tied = row.second === row.best;
    if (tied && rowOfColumn[i] === -1 && gains[i * n + i]! - columnDuals[i]! === row.best) column = i;
    else if (tied && rowOfColumn[column] !== -1) column = row.secondColumn;
    if (rowOfColumn[column] !== -1) {
      free.push(i);
      continue;
    }
    columnOfRow[i] = column;
    rowOfColumn[column] = i;
    columnDuals[column]! += transfer * (row.best - row.second);
  }
  return free;
}

/**
 * Augmenting row reduction: a free row takes its best column, raises the column's dual until its second best is as
 * good, and the row that held the column looks for another. Returns the rows that are still free.
 * @param steps rows may outbid each other by ever smaller amounts; after so many steps the path search is the better way.
 */
export function reduceAugmentingRows(problem: AssignmentProblem, free: number[], steps: number): number[] {
  const { columnDuals, rowOfColumn, columnOfRow } = problem;
  const found: RowBest = { best: 0, bestColumn: 0, second: 0, secondColumn: 0 };
  const left: number[] = [];
  let remaining = steps;
  for (const start of free) {
    let row = start;
    while (row !== -1) {
      findRowBest(problem, row, found);
      let column = found.bestColumn;
      const raised = columnDuals[column]! + (found.best - found.second);
      // Rounding may leave the dual where it was: that is a tie.
      const wins = raised > columnDuals[column]!;
      if (wins) columnDuals[column] = raised;
      else if (rowOfColumn[column] !== -1) column = found.secondColumn;
      const displaced = rowOfColumn[column]!;
      rowOfColumn[column] = row;
      columnOfRow[row] = column;
      if (displaced !== -1) columnOfRow[displaced] = -1;
      if (displaced !== -1 && (!wins || remaining-- <= 0)) {
        left.push(displaced);
        break;
      }
      row = displaced;
    }
  }
  return left;
}

/** Scratch of the path searches: Dijkstra over columns, with the queue as a binary heap that knows positions. */
interface Search {
  /** f64 [n]: length of the shortest path found to each column. */
  distance: Float64Array;
  /** f64 [n]: `columnDuals - distance`, no less than what could still matter, Infinity once a column is scanned. */
  threshold: Float64Array;
  /** i32 [n]: the row before each column on its path. */
  predecessor: Int32Array;
  /** i32 [n]: the free row that each column's path starts from. */
  rootOfColumn: Int32Array;
  /** i32 [n]: the nearest free column of each root, -1 = none yet. */
  sinkOfRoot: Int32Array;
  heap: Int32Array;
  heapSize: number;
  /** i32 [n]: place of each column in the heap, -1 = not in it. */
  position: Int32Array;
  scanned: Int32Array;
}

function makeSearch(n: number): Search {
  return {
    distance: new Float64Array(n),
    threshold: new Float64Array(n),
    predecessor: new Int32Array(n),
    rootOfColumn: new Int32Array(n),
    sinkOfRoot: new Int32Array(n).fill(-1),
    heap: new Int32Array(n),
    heapSize: 0,
    position: new Int32Array(n),
    scanned: new Int32Array(n),
  };
}

/** What stopping before the optimum left: f64 of the free rows, by how much each misses its largest reduced gain. Their sum is the gap. */
export type Shortfalls = ReadonlyMap<number, number>;

/**
 * Assigns each of the free rows, or stops as soon as giving those left the best free columns costs at most `maximumGap` in all.
 *
 * A search from one row stops at the nearest free column. A search from all at once scans each row at most once and
 * finds disjoint paths for many of them, but goes as far as the longest. So a few rows are searched from one by one;
 * if that turns out dear, all the rest at once, as often as that is cheaper a row; then one by one again.
 */
export function augmentAll(problem: AssignmentProblem, free: number[], maximumGap: number): Shortfalls {
  const search = makeSearch(problem.n);
  const before = problem.rowScans;
  let lastLook = Number.NEGATIVE_INFINITY;
  // A look scans each free row once. Looks take no more time than the searches between them.
  const complete = (rows: readonly number[]): Shortfalls | undefined => {
    if (maximumGap === 0 || rows.length === 0 || problem.rowScans - lastLook < rows.length) return undefined;
    const shortfalls = completeGreedily(problem, rows, maximumGap);
    lastLook = problem.rowScans;
    return shortfalls;
  };

  let done = 0;
  while (done < free.length && problem.rowScans - before < problem.n / 4) {
    const shortfalls = complete(free.slice(done));
    if (shortfalls) return shortfalls;
    augment(problem, search, free.slice(done, ++done));
  }
  const scansPerRow = (problem.rowScans - before) / done;

  let rest = free.slice(done);
  // What a search from all costs at most, if it serves all: two scans a root, and every assigned row.
  let cheaper = scansPerRow * rest.length > problem.n + 2 * rest.length;
  while (cheaper && rest.length > 1) {
    const start = problem.rowScans;
    const left = augment(problem, search, rest);
    cheaper = problem.rowScans - start < scansPerRow * (rest.length - left.length);
    rest = left;
  }
  for (const [k, row] of rest.entries()) {
    const shortfalls = complete(rest.slice(k));
    if (shortfalls) return shortfalls;
    augment(problem, search, [row]);
  }
  return new Map();
}

/** Gives each of the free rows the free column of its largest reduced gain, unless that costs more than `maximumGap` in all. */
export function completeGreedily(
  problem: AssignmentProblem,
  free: readonly number[],
  maximumGap: number,
): Shortfalls | undefined {
  const { n, gains, columnDuals, rowOfColumn, columnOfRow } = problem;
  const found: RowBest = { best: 0, bestColumn: 0, second: 0, secondColumn: 0 };
  const columns = Array.from(rowOfColumn.keys()).filter((column) => rowOfColumn[column] === -1);
  const shortfalls = new Map<number, number>();
  const taken: [row: number, column: number][] = [];
  let gap = 0;
  for (const row of free) {
    findRowBest(problem, row, found);
    let place = 0;
    let best = Number.NEGATIVE_INFINITY;
    for (const [k, column] of columns.entries()) {
      const reduced = gains[row * n + column]! - columnDuals[column]!;
      if (reduced <= best) continue;
      best = reduced;
      place = k;
    }
    gap += found.best - best;
    if (gap > maximumGap) return undefined;
    shortfalls.set(row, found.best - best);
    taken.push([row, columns.splice(place, 1)[0]!]);
  }
  for (const [row, column] of taken) {
    rowOfColumn[column] = row;
    columnOfRow[row] = column;
  }
  return shortfalls;
}

/**
 * One Dijkstra from all `roots`, until each has reached a free column of its own or no path is left; then the duals
 * of the columns scanned are updated, and each root that has a column is assigned along its path. Paths of different
 * roots share no row and no column, so all can be taken. Returns the roots that found none.
 */
function augment(problem: AssignmentProblem, search: Search, roots: number[]): number[] {
  const { n, gains, columnDuals, rowOfColumn, columnOfRow } = problem;
  const { distance, threshold, predecessor, rootOfColumn, sinkOfRoot, scanned, position } = search;
  startPaths(problem, search, roots);

  // A single root's nearest free column bounds everything: no path as long as that is ever looked at.
  const single = roots.length === 1;
  let bound = Number.POSITIVE_INFINITY;
  let nearest = -1;
  for (let j = 0; single && j < n; j++) {
    if (rowOfColumn[j]! === -1 && distance[j]! < bound) {
      bound = distance[j]!;
      nearest = j;
    }
  }
  position.fill(-1);
  search.heapSize = 0;
  for (let j = 0; j < n; j++) {
    if (distance[j]! < bound) insert(search, j);
    threshold[j] = columnDuals[j]! - Math.min(distance[j]!, bound);
  }

  let scans = 0;
  let reached = 0;
  for (let waiting = roots.length; ; ) {
    const near = search.heapSize > 0 && distance[search.heap[0]!]! < bound;
    if (!near && nearest === -1) break;
    const column = near ? takeFirst(search) : nearest;
    const root = rootOfColumn[column]!;
    const row = rowOfColumn[column]!;
    reached = distance[column]!;
    threshold[column] = Number.POSITIVE_INFINITY;
    scanned[scans++] = column;
    if (row === -1) {
      if (sinkOfRoot[root] !== -1) continue;
      sinkOfRoot[root] = column;
      if (--waiting === 0) break;
      continue;
    }

    problem.rowScans++;
    const start = row * n;
    // A path through this row reaches column j at offset - (gains[row, j] - columnDuals[j]).
    const offset = gains[start + column]! - columnDuals[column]! + reached;
    for (let j = 0; j < n && bound > reached; ) {
      while (
        j + 4 <= n &&
        gains[start + j]! <= threshold[j]! + offset &&
        gains[start + j + 1]! <= threshold[j + 1]! + offset &&
        gains[start + j + 2]! <= threshold[j + 2]! + offset &&
        gains[start + j + 3]! <= threshold[j + 3]! + offset
      ) {
        j += 4;
      }
      for (const end = Math.min(j + 4, n); j < end; j++) {
        if (gains[start + j]! <= threshold[j]! + offset) continue;
        const length = offset - (gains[start + j]! - columnDuals[j]!);
        if (length < bound && length < distance[j]!) {
          distance[j] = length;
          predecessor[j] = row;
          rootOfColumn[j] = root;
          if (single && rowOfColumn[j]! === -1) {
            bound = length;
            nearest = j;
          } else if (position[j]! === -1) insert(search, j);
          else moveUp(search, position[j]!);
        }
        threshold[j] = columnDuals[j]! - Math.min(distance[j]!, bound);
      }
    }
  }

  for (let k = 0; k < scans; k++) columnDuals[scanned[k]!]! -= distance[scanned[k]!]! - reached;
  return roots.filter((root) => {
    const found = sinkOfRoot[root] !== -1;
    for (let column = sinkOfRoot[root]!; column !== -1; ) {
      const row = predecessor[column]!;
      const next = columnOfRow[row]!;
      rowOfColumn[column] = row;
      columnOfRow[row] = column;
      column = next;
    }
    sinkOfRoot[root] = -1;
    return !found;
  });
}

/** Sets distance, predecessor and root of every column to those of the nearest root, one step away. */
function startPaths(problem: AssignmentProblem, search: Search, roots: number[]): void {
  const { n, gains, columnDuals } = problem;
  const { distance, predecessor, rootOfColumn } = search;
  const found: RowBest = { best: 0, bestColumn: 0, second: 0, secondColumn: 0 };
  distance.fill(Number.POSITIVE_INFINITY);
  for (const root of roots) {
    // Several roots start level when each counts from its own largest reduced gain; for one alone it makes no odds.
    if (roots.length > 1) findRowBest(problem, root, found);
    problem.rowScans++;
    for (let j = 0; j < n; j++) {
      const length = found.best - (gains[root * n + j]! - columnDuals[j]!);
      if (length >= distance[j]!) continue;
      distance[j] = length;
      predecessor[j] = root;
      rootOfColumn[j] = root;
    }
  }
}

function insert(search: Search, column: number): void {
  search.heap[search.heapSize] = column;
  moveUp(search, search.heapSize++);
}

function moveUp({ heap, position, distance }: Search, place: number): void {
  const column = heap[place]!;
  const key = distance[column]!;
  let k = place;
  while (k > 0) {
    const parent = (k - 1) >> 1;
    const above = heap[parent]!;
    if (distance[above]! <= key) break;
    heap[k] = above;
    position[above] = k;
    k = parent;
  }
  heap[k] = column;
  position[column] = k;
}

function takeFirst(search: Search): number {
  const { heap, position, distance } = search;
  const first = heap[0]!;
  position[first] = -1;
  const size = --search.heapSize;
  if (size === 0) return first;
  const column = heap[size]!;
  const key = distance[column]!;
  let k = 0;
  for (let child = 1; child < size; child = 2 * k + 1) {
    if (child + 1 < size && distance[heap[child + 1]!]! < distance[heap[child]!]!) child++;
    const below = heap[child]!;
    if (distance[below]! >= key) break;
    heap[k] = below;
    position[below] = k;
    k = child;
  }
  heap[k] = column;
  position[column] = k;
  return first;
}
