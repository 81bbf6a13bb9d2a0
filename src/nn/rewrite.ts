/** Rewriting: a graph with some of its nodes replaced. Nodes are immutable, so what lies behind a replaced node is made anew. */
import { apply, type Node, topologicalOrder } from './graph.ts';

/**
 * Rewrites the graph of `outputs`.
 * @param replace gets each node after its inputs were rewritten, and the original; returns what takes its place (the node itself to keep
 * it). Leaves are passed as well.
 * @returns the rewritten outputs, in the same order. Nodes behind which nothing changed are the very same objects.
 */
export function rewrite(outputs: readonly Node[], replace: (node: Node, original: Node) => Node): Node[] {
  const rewritten = new Map<Node, Node>();
  for (const original of topologicalOrder(outputs)) {
    const inputs = original.inputs.map((input) => rewritten.get(input)!);
    const unchanged = inputs.every((input, i) => input === original.inputs[i]);
    const node = unchanged ? original : apply(original.operation, inputs, original.attributes);
    rewritten.set(original, replace(node, original));
  }
  return outputs.map((node) => rewritten.get(node)!);
}
