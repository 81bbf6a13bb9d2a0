/**
 * Axes as symbols: what an operation's axes rule joins and pins, so that the permutation symmetries of a network come out by themselves.
 *
 * An axis is a concatenation of segments, each a product of factors, down to atoms: runs of indices that are permuted as a whole or not
 * at all. Joining is union-find on atoms. Axes of unlike structure are refined to a common split, and since every axis refers to its
 * atoms through the union-find, whatever was joined to them before is refined too. Where no common split exists the atoms are pinned.
 *
 * This file knows one derivation's bookkeeping; which axes are joined is said by `src/nn/ops`, who walks the graph is `derive-axes.ts`.
 */
import { ShapeError } from '../base/errors.ts';
import type { Dim } from './shape.ts';

/** A run of indices that is one thing. Made by `freshAxis`; changed only by `joinAxes` and `pinAxis`. */
export interface Atom {
  /** One index. */
  readonly kind: 'atom';
  /** Number of indices; NaN for the batch dimension. */
  readonly size: number;
  /** What this atom turned out to be: another atom, or a finer structure of the same size. */
  same: Axis | undefined;
  /** Why it cannot be permuted. */
  pinned: string | undefined;
  /** Atoms with different labels are never treated as one group, even where every tensor treats them alike. */
  readonly labels: Set<object>;
}

/** Index = (((i0 * size1) + i1) * size2 + i2) ...: the first factor is the outermost. */
export interface Product {
  /** A product of axes. */
  readonly kind: 'product';
  /** The slowest first. */
  readonly factors: readonly Axis[];
}

/** Segments one after the other. */
export interface Concatenation {
  /** Axes one after another. */
  readonly kind: 'concatenation';
  /** In order. */
  readonly segments: readonly Axis[];
}

/** What an axis of a tensor is made of: one index (atom), a product of axes (a flatten), or axes one after another (a concatenation). */
export type Axis = Atom | Product | Concatenation;

/** A new axis that nothing is known about, except that the batch dimension is never permuted. */
export function freshAxis(dim: Dim): Axis {
  const batch = dim === 'N';
  return atom(batch ? Number.NaN : dim, batch ? 'the batch dimension' : undefined, new Set());
}

/** Segments one after the other: what concatenating tensors along an axis makes, or channels padded with zeros on both sides. */
export function concatenatedAxis(segments: readonly Axis[]): Axis {
  return { kind: 'concatenation', segments };
}

/** A product, outermost first: what flattening C x H x W makes, or what G groups of C / G channels are. */
export function productAxis(factors: readonly Axis[]): Axis {
  return { kind: 'product', factors };
}

/**
 * `count` segments of one size whose units must not change places across segments although every tensor has all of them: the channels
 * of a group norm.
 */
export function separateSegmentsAxis(count: number, size: number): Axis {
  return concatenatedAxis(
    Array.from({ length: count }, () => atom(size, undefined, new Set([{}]))), // a label is an identity, nothing else
  );
}

/** Number of indices; NaN where the batch dimension is part of it. */
export function axisSize(axis: Axis): number {
  if (axis.kind === 'atom') return axis.size;
  if (axis.kind === 'product') return sizeOfProduct(axis.factors);
  return axis.segments.reduce((sum, segment) => sum + axisSize(segment), 0);
}

/** The axis as it is known by now: flat, with root atoms only; a product has no factors of size 1 and starts with no concatenation. */
export function resolveAxis(axis: Axis): Axis {
  if (axis.kind === 'atom') {
    if (axis.same) axis.same = resolveAxis(axis.same); // keeps chains of atoms short
    return axis.same ?? axis;
  }
  if (axis.kind === 'product') return resolveProduct(axis.factors);
  const segments = axis.segments.flatMap((segment) => {
    const resolved = resolveAxis(segment);
    if (resolved.kind === 'concatenation') return resolved.segments;
    return axisSize(resolved) === 0 ? [] : [resolved];
  });
  if (segments.length === 0) return atom(0, undefined, new Set());
  return segments.length === 1 ? segments[0]! : { kind: 'concatenation', segments };
}

/** The atoms an axis consists of, in order, each as often as it occurs. */
export function atomsOf(axis: Axis): Atom[] {
  const resolved = resolveAxis(axis);
  if (resolved.kind === 'atom') return [resolved];
  const parts = resolved.kind === 'product' ? resolved.factors : resolved.segments;
  return parts.flatMap(atomsOf);
}

/** Says that an axis cannot be permuted. The first reason is kept. */
export function pinAxis(axis: Axis, reason: string): void {
  for (const part of atomsOf(axis)) part.pinned ??= reason;
}

/**
 * Says that two axes carry the same index: permuting one permutes the other.
 * @throws ShapeError when their sizes differ, which only a wrong axes rule can ask for.
 */
export function joinAxes(a: Axis, b: Axis): void {
  const x = resolveAxis(a);
  const y = resolveAxis(b);
  if (x === y) return;
  const sizes = [axisSize(x), axisSize(y)] as const;
  if (sizes.every(Number.isFinite) && sizes[0] !== sizes[1]) {
    throw new ShapeError(
      `joinAxes: an axes rule joins axes of ${sizes[0]} and ${sizes[1]} indices; it must join axes of one size`,
    );
  }
  if (sizes[0] === 0) return;
  // Without a size nothing can be split: the batch dimension matches only itself, and products of it only factor by factor.
  const unlike = x.kind !== y.kind || x.kind === 'concatenation' || !sizes.every(Number.isNaN);
  if (sizes.some(Number.isNaN) && unlike) pinBoth([x], [y]);
  else if (x.kind === 'atom') become(x, y);
  else if (y.kind === 'atom') become(y, x);
  else if (x.kind === 'product' && y.kind === 'product') joinProducts([...x.factors], [...y.factors]);
  else joinSegments(segmentsOf(x), segmentsOf(y));
}

function atom(size: number, pinned: string | undefined, labels: Set<object>): Atom {
  return { kind: 'atom', size, same: undefined, pinned, labels };
}

const sizeOfProduct = (factors: readonly Axis[]): number =>
  factors.reduce((product, factor) => product * axisSize(factor), 1);

const segmentsOf = (axis: Axis): Axis[] => (axis.kind === 'concatenation' ? [...axis.segments] : [axis]);

function resolveProduct(parts: readonly Axis[]): Axis {
  const factors = parts.flatMap((part) => {
    const resolved = resolveAxis(part);
    if (resolved.kind === 'product') return resolved.factors;
    return axisSize(resolved) === 1 ? [] : [resolved];
  });
  const [outermost, ...inner] = factors;
  if (!outermost) return parts.length === 1 ? resolveAxis(parts[0]!) : atom(1, undefined, new Set());
  if (inner.length === 0) return resolveAxis(outermost);
  if (outermost.kind !== 'concatenation') return { kind: 'product', factors };
  // (S1 + S2) x I is S1 x I + S2 x I. A concatenation further inside stays where it is: its segments are not contiguous.
  return resolveAxis(concatenatedAxis(outermost.segments.map((segment) => productAxis([segment, ...inner]))));
}

/** Replaces a root atom by a structure of the same size, which inherits what was known of the atom. */
function become(root: Atom, structure: Axis): void {
  root.same = structure;
  for (const part of atomsOf(structure)) {
    part.pinned ??= root.pinned;
    for (const label of root.labels) part.labels.add(label);
  }
}

/** Matches factors from the innermost outwards, splitting the larger one where its size is a multiple of the smaller. */
function joinProducts(xs: Axis[], ys: Axis[]): void {
  while (xs.length > 0 && ys.length > 0) {
    const x = popFactor(xs);
    const y = popFactor(ys);
    const [sizeX, sizeY] = [axisSize(x), axisSize(y)];
    if (sizeX === sizeY || (Number.isNaN(sizeX) && Number.isNaN(sizeY))) {
      joinAxes(x, y);
      continue;
    }
    const [large, small, largeRest, smallRest] = sizeX > sizeY ? [x, y, xs, ys] : [y, x, ys, xs];
    const outer = axisSize(large) / axisSize(small);
    if (!Number.isInteger(outer)) {
      pinBoth([...xs, x], [...ys, y]);
      return;
    }
    const split = [freshAxis(outer), freshAxis(axisSize(small))];
    joinAxes(large, productAxis(split));
    largeRest.push(...split);
    smallRest.push(small);
  }
}

function popFactor(factors: Axis[]): Axis {
  const last = resolveAxis(factors.pop()!);
  if (last.kind !== 'product') return last;
  factors.push(...last.factors);
  return popFactor(factors);
}

/** Matches segments from the first onwards, cutting the larger one at the end of the smaller. */
function joinSegments(xs: Axis[], ys: Axis[]): void {
  while (xs.length > 0 && ys.length > 0) {
    const x = shiftSegment(xs);
    const y = shiftSegment(ys);
    const [sizeX, sizeY] = [axisSize(x), axisSize(y)];
    if (sizeX === sizeY) {
      joinAxes(x, y);
      continue;
    }
    const [large, small, largeRest, smallRest] = sizeX > sizeY ? [x, y, xs, ys] : [y, x, ys, xs];
    const cut = cutSegment(large, axisSize(small));
    if (cut) {
      largeRest.unshift(...cut);
      smallRest.unshift(small);
    } else {
      pinToNextBoundary(large, largeRest, small, smallRest);
    }
  }
}

function shiftSegment(segments: Axis[]): Axis {
  const first = resolveAxis(segments.shift()!);
  if (first.kind !== 'concatenation') return first;
  segments.unshift(...first.segments);
  return shiftSegment(segments);
}

/** Cuts a segment after `size` indices; undefined where that would cut through a unit of its outermost factor. */
function cutSegment(segment: Axis, size: number): [Axis, Axis] | undefined {
  const [outermost, ...inner] = segment.kind === 'product' ? segment.factors : [segment];
  const units = size / sizeOfProduct(inner);
  if (outermost?.kind !== 'atom' || !Number.isInteger(units)) return undefined;
  const [before, after] = [freshAxis(units), freshAxis(outermost.size - units)];
  become(outermost, concatenatedAxis([before, after]));
  return [productAxis([before, ...inner]), productAxis([after, ...inner])];
}

/** Pins both sides up to the next place where a segment ends on both. */
function pinToNextBoundary(x: Axis, xs: Axis[], y: Axis, ys: Axis[]): void {
  const [left, right] = [[x], [y]];
  let difference = axisSize(x) - axisSize(y);
  while (difference !== 0) {
    const [rest, taken] = difference < 0 ? [xs, left] : [ys, right];
    const next = shiftSegment(rest);
    taken.push(next);
    difference += difference < 0 ? axisSize(next) : -axisSize(next);
  }
  pinBoth(left, right);
}

function pinBoth(xs: readonly Axis[], ys: readonly Axis[]): void {
  const describe = (axes: readonly Axis[]) => axes.map((axis) => formatAxis(axis)).join(', ');
  const reason = `no common split of ${describe(xs)} and ${describe(ys)}`;
  for (const axis of [...xs, ...ys]) pinAxis(axis, reason);
}

/** `16`, `64 x 49`, `8 + 16 + 8`. */
function formatAxis(axis: Axis): string {
  const resolved = resolveAxis(axis);
  if (resolved.kind === 'atom') return Number.isNaN(resolved.size) ? 'N' : String(resolved.size);
  if (resolved.kind === 'concatenation') return resolved.segments.map(formatAxis).join(' + ');
  return resolved.factors
    .map((factor) => (factor.kind === 'concatenation' ? `(${formatAxis(factor)})` : formatAxis(factor)))
    .join(' x ');
}
