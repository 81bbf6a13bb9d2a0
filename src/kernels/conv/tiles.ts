/** The tiles of convolutions in workgroup memory: which there are, and the values that their texts want. */
import type { TileNames } from '../variant.ts';
import { ENOUGH_WORKGROUPS } from '../variant.ts';

interface WorkgroupTile {
  /** Channels. */
  readonly rows: number;
  /** Outputs of a convolution, or weights of a gradient. */
  readonly columns: number;
  /** Invocations across and down. */
  readonly threads: readonly [number, number];
}

/** Largest first; the name says rows and columns. Two buffers of each fit into the 16 KiB that every adapter has. */
const WORKGROUP_TILES: Readonly<Record<string, WorkgroupTile>> = {
  '64x64': { rows: 64, columns: 64, threads: [8, 8] },
  '32x64': { rows: 32, columns: 64, threads: [8, 8] },
  '16x64': { rows: 16, columns: 64, threads: [8, 4] },
  '32x32': { rows: 32, columns: 32, threads: [8, 8] },
};

/** Tiles of each variant, largest first. */
export const CONV_TILES: TileNames = { workgroup: /* @__PURE__ */ Object.keys(WORKGROUP_TILES) };

/** The tile for a matrix of rows x columns (times `others` such): no larger than the rows want, and enough of them to keep a GPU busy. */
export function chooseWorkgroupTile(
  rows: number,
  columns: number,
  others: number,
  asked?: string,
): { tile: string; workgroups: number } {
  const workgroups = (tile: string) => {
    const { rows: tileRows, columns: tileColumns } = WORKGROUP_TILES[tile]!;
    return others * Math.ceil(rows / tileRows) * Math.ceil(columns / tileColumns);
  };
  const fitting = rows > 32 ? '64x64' : rows > 16 ? '32x64' : '16x64';
  const tile = asked ?? (rows > 16 && workgroups(fitting) < ENOUGH_WORKGROUPS ? '32x32' : fitting);
  return { tile, workgroups: workgroups(tile) };
}

/** What a workgroup text's template wants to know of a tile. */
export function workgroupValues(tile: string, copied: 'outputs' | 'weights'): Record<string, number> {
  const { rows, columns, threads } = WORKGROUP_TILES[tile]!;
  const [threadsX, threadsY] = threads;
  const count = threadsX * threadsY;
  return {
    TILE_M: rows,
    TILE_N: columns,
    THREADS_X: threadsX,
    THREADS_Y: threadsY,
    ROWBLOCKS: rows / (4 * threadsY),
    COLUMNBLOCKS: columns / (4 * threadsX),
    // vec4 that an invocation copies in a step of 16: it has one k of a, and of b one k (weights) or one column (outputs)
    A_COPIES: (4 * rows) / count,
    B_COPIES: copied === 'outputs' ? (16 * columns) / (4 * count) : (4 * columns) / count,
  };
}
