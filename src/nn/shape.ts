/** Shapes whose batch dimension N is still open. */
import { ShapeError } from '../base/errors.ts';

/** A dimension: a number, or `'N'`, the batch size, which one program runs with many values of. */
export type Dim = number | 'N';

/** Elements along each axis; `N` only as the first. */
export type Shape = readonly Dim[];

/** A shape with the batch size put in. */
export function concreteShape(shape: Shape, batchSize: number): number[] {
  return shape.map((dim) => (dim === 'N' ? batchSize : dim));
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

/** `[N, 784]` */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** @throws ShapeError unless the two shapes are equal. */
export function expectSameShape(operation: string, a: Shape, b: Shape): void {
  if (!sameShape(a, b)) {
    throw new ShapeError(
      `${operation}: both inputs need one shape, got ${formatShape(a)} and ${formatShape(b)}; broadcast one of them first`,
    );
  }
}

/** @throws ShapeError unless the shape has `rank` axes. */
export function expectRank(operation: string, what: string, shape: Shape, rank: number): void {
  if (shape.length !== rank) {
    throw new ShapeError(`${operation}: ${what} needs ${rank} axes, got ${formatShape(shape)}`);
  }
}
