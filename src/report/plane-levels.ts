/**
 * Levels of a contour picture: round numbers that people read, dense where values are small. Losses on a plane span decades, from the
 * basins of the networks to the slopes around them, so levels grow by factors; accuracies are levelled by their errors.
 */

/** Factors within a decade, finest first. */
const SERIES = [[1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8], [1, 1.5, 2, 3, 5, 7], [1, 2, 5], [1, 3], [1]] as const;

/** Fewer levels than this leave a picture empty; more than this, nobody tells apart. */
const [FEWEST, MOST] = [4, 8];

/**
 * At most 8 ascending round levels, strictly between the smallest and the largest value.
 * @param values at least 0; whatever is not finite is left out. @returns none where all are equal.
 */
export function contourLevels(values: readonly number[]): number[] {
  const finite = values.filter((value) => Number.isFinite(value));
  const high = Math.max(...finite);
  const least = Math.min(...finite);
  // A value of 0, which an error may have, has no decade; what lies more than six decades below the highest is as good as 0.
  const low = least > 0 ? Math.max(least, 1e-6 * high) : 1e-3 * high;
  if (!(high > low)) return [];
  for (const series of SERIES) {
    const levels = geometricLevels(low, high, series);
    if (levels.length <= MOST) return levels.length >= FEWEST ? levels : linearLevels(low, high);
  }
  return linearLevels(low, high);
}

function geometricLevels(low: number, high: number, series: readonly number[]): number[] {
  const levels: number[] = [];
  for (let decade = Math.floor(Math.log10(low)); decade <= Math.log10(high); decade++) {
    for (const factor of series) {
      const level = Number(`${factor}e${decade}`);
      if (level > low && level < high) levels.push(level);
    }
  }
  return levels;
}

/** Multiples of 1, 2 or 5 times a power of ten, of the finest of these steps that is coarse enough. */
function linearLevels(low: number, high: number): number[] {
  for (let decade = Math.floor(Math.log10(high - low)) - 1; ; decade++) {
    for (const factor of [1, 2, 5]) {
      const step = Number(`${factor}e${decade}`);
      const first = Math.floor(low / step) + 1;
      const count = Math.ceil(high / step) - first;
      // Rounded, so that three steps of 0.1 are 0.3.
      if (count <= MOST) return Array.from({ length: count }, (_, i) => round((first + i) * step));
    }
  }
}

function round(value: number): number {
  return Number(value.toPrecision(12));
}
