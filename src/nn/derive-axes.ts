/**
 * Runs the axes rule of every operation of a graph: which axes of which tensors carry the same index, and which can be permuted.
 * No GPU. What groups of units follow from this is said in `src/rebasin/spec/permutation-spec.ts`.
 */
import { type Atom, type Axis, axisSize, freshAxis, joinAxes, pinAxis, resolveAxis } from './axes.ts';
import { type LeafAttributes, type Node, topologicalOrder } from './graph.ts';
import type { Shape } from './shape.ts';

/** The value of a node, or a leaf: all leaves of one kind and name are one tensor. */
export interface TensorAxes {
  /** Set for leaves. */
  readonly leaf?: LeafAttributes;
  /** The node; of a leaf, the first node that stands for it. */
  readonly node: Node;
  readonly shape: Shape;
  readonly axes: readonly Axis[];
}

/**
 * Derives the axes of every tensor of a graph. Pinned are: axes of the network's inputs, of the nodes given as outputs, and what
 * operations pin.
 * @returns every tensor once, in the network's own order.
 */
export function deriveAxes(outputs: readonly Node[]): TensorAxes[] {
  const tensors: TensorAxes[] = [];
  const byNode = new Map<Node, TensorAxes>();
  const byLeaf = new Map<string, TensorAxes>();
  for (const node of topologicalOrder(outputs)) {
    const leaf = node.inputs.length === 0 ? leafOf(node) : undefined;
    const key = leaf && `${leaf.kind} ${leaf.name}`;
    let tensor = key === undefined ? undefined : byLeaf.get(key);
    if (!tensor) {
      tensor = { ...(leaf ? { leaf } : {}), node, shape: node.shape, axes: node.shape.map(freshAxis) };
      tensors.push(tensor);
      if (key !== undefined) byLeaf.set(key, tensor);
    }
    byNode.set(node, tensor);
    node.operation.axes({
      inputs: node.inputs.map((input) => byNode.get(input)!.axes),
      output: tensor.axes,
      attributes: node.attributes,
      join: joinAxes,
      pin: pinAxis,
    });
  }
  for (const node of outputs) {
    for (const axis of byNode.get(node)!.axes) pinAxis(axis, "the network's output");
  }
  return tensors;
}

function leafOf(node: Node): LeafAttributes | undefined {
  return node.attributes?.kind !== undefined && node.attributes.name !== undefined
    ? { kind: node.attributes.kind, name: node.attributes.name }
    : undefined;
}

/** Where an atom lies on an axis: index = start + sum of o_k * stride_k + unit * inner + i, with o_k < count_k and i < inner. */
export interface Occurrence {
  readonly atom: Atom;
  readonly start: number;
  readonly inner: number;
  readonly outer: readonly { readonly count: number; readonly stride: number }[];
  /** The factors that this occurrence is multiplied with, outermost first: on its outside, and on its inside. */
  readonly outside: readonly Axis[];
  readonly inside: readonly Axis[];
}

/** Every occurrence of every atom on an axis, in the order of the axis. */
export function occurrencesOn(axis: Axis): Occurrence[] {
  const found: Occurrence[] = [];
  const walk = (part: Axis, at: Omit<Occurrence, 'atom'>): void => {
    const resolved = resolveAxis(part);
    if (resolved.kind === 'atom') {
      found.push({ ...at, atom: resolved });
    } else if (resolved.kind === 'concatenation') {
      let { start } = at;
      for (const segment of resolved.segments) {
        walk(segment, { ...at, start });
        start += axisSize(segment) * at.inner;
      }
    } else {
      resolved.factors.forEach((factor, k) => {
        const [before, after] = [resolved.factors.slice(0, k), resolved.factors.slice(k + 1)];
        const inner = at.inner * productOfSizes(after);
        const count = productOfSizes(before);
        walk(factor, {
          start: at.start,
          inner,
          outer: count === 1 ? at.outer : [...at.outer, { count, stride: axisSize(factor) * inner }],
          outside: [...at.outside, ...before],
          inside: [...after, ...at.inside],
        });
      });
    }
  };
  walk(axis, { start: 0, inner: 1, outer: [], outside: [], inside: [] });
  return found;
}

const productOfSizes = (axes: readonly Axis[]): number =>
  axes.reduce((product, axis) => product * axisSize(axis), 1);
