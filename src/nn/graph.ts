/**
 * The graph: an immutable description of a computation, made by calling operations on nodes. It knows no GPU.
 *
 * A model is a function from nodes to nodes. There is no graph object: the graph is what can be reached from the nodes one asks for.
 */
import { ShapeError } from '../base/errors.ts';
import type { DType } from '../runtime/kernel.ts';
import type { Attributes, Operation } from './operation.ts';
import type { Shape } from './shape.ts';

export interface Node {
  readonly operation: Operation;
  readonly inputs: readonly Node[];
  readonly attributes: Attributes;
  readonly shape: Shape;
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
  readonly kind: 'input' | 'parameter' | 'buffer';
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
