/** Tensors of a checkpoint by name and shape: what recognition looks at. */

export interface NamedShape {
  /** Of a tensor in a checkpoint. */
  readonly name: string;
  /** Elements along each axis. */
  readonly shape: readonly number[];
}

/** Natural order: runs of digits compare as numbers, everything else by code unit. */
export function compareNaturally(a: string, b: string): number {
  const split = (text: string) => text.match(/\d+|\D+/g) ?? [];
  const [x, y] = [split(a), split(b)];
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const [p, q] = [x[i]!, y[i]!];
    if (p === q) continue;
    const byNumber = /^\d/.test(p) && /^\d/.test(q) ? Number(p) - Number(q) : 0;
    if (byNumber !== 0) return byNumber;
    return p < q ? -1 : 1;
  }
  return x.length - y.length;
}

/** The shape of a tensor, if it is there. */
export function shapeOf(tensors: readonly NamedShape[], name: string): readonly number[] | undefined {
  return tensors.find((tensor) => tensor.name === name)?.shape;
}
