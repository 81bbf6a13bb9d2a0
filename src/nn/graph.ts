/**
 * The graph: an immutable description of a computation, made by calling operations on nodes. It knows no GPU.
 *
 * A model is a function from nodes to nodes. There is no graph object: the graph is what can be reached from the nodes one asks for.
 */
import { ShapeError } from '../base/errors.ts';
import type { DType } from '../runtime/kernel.ts';
import type { Attributes, Operation } from './operation.ts';
import type { Shape } from './shape.ts';

/** A value of a graph: an operation on other nodes. Immutable; it knows no GPU. */
export interface Node {
  /** What computes it. */
  readonly operation: Operation;
  /** What it is computed from. */
  readonly inputs: readonly Node[];
  /** What the operation was made with: plain data. */
  readonly attributes: Attributes;
  /** `N` stands for the batch size. */
  readonly shape: Shape;
  /** Of every element. */
  readonly dtype: DType;
}

/** Applies an operation. @throws ShapeError from its shape rule. */
export function apply<A>(operation: Operation<A>, inputs: readonly Node[], attributes: A): Node {
  const shape = operation.shape(
    inputs.map((node) => node.shape),
    attributes,
  );
  return Object.freeze({ operation, inputs, attributes, shape, dtype: operation.dtype ?? 'f32' });
}

/** Every node that `outputs` depend on, inputs before users, in the order of a depth-first walk: a network's own order. */
export function topologicalOrder(outputs: readonly Node[]): Node[] {
  const order: Node[] = [];
  const done = new Set<Node>();
  // An explicit stack: a deep network must not overflow the call stack.
  const stack: { node: Node; next: number }[] = [];
  for (const output of outputs) {
    if (!done.has(output)) stack.push({ node: output, next: 0 });
    done.add(output);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const input = top.node.inputs[top.next++];
      if (!input) {
        order.push(top.node);
        stack.pop();
      } else if (!done.has(input)) {
        done.add(input);
        stack.push({ node: input, next: 0 });
      }
    }
  }
  return order;
}

/** What leaves are: an input of the graph, a parameter (trained) or a buffer (kept, not trained). */
export interface LeafAttributes {
  /** Inputs are given at each run, parameters trained, buffers kept. */
  readonly kind: 'input' | 'parameter' | 'buffer';
  /** Leaves of one kind and name are one value. */
  readonly name: string;
}

/** The leaves of one kind, each name once, in the network's own order. @throws ShapeError where one name has two shapes. */
export function leavesOf(outputs: readonly Node[], kind: LeafAttributes['kind']): Node[] {
  const byName = new Map<string, Node>();
  for (const node of topologicalOrder(outputs)) {
    if (node.inputs.length > 0 || node.attributes?.kind !== kind) continue;
    const known = byName.get(node.attributes.name);
    if (!known) byName.set(node.attributes.name, node);
    else if (known.shape.join() !== node.shape.join()) {
      throw new ShapeError(
        `graph: ${kind} "${node.attributes.name}" is used with shapes [${known.shape}] and [${node.shape}]; give one of them another name`,
      );
    }
  }
  return [...byName.values()];
}
