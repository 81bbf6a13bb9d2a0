/**
 * Reverse-mode differentiation as a graph transformation: a graph goes in, a larger graph comes out. No tape; since the gradient is
 * written with operations that have gradients themselves, it can be differentiated again.
 */
import { ShapeError, UnsupportedError } from '../base/errors.ts';
import { leavesOf, type Node, topologicalOrder } from './graph.ts';
import { add } from './ops/arithmetic.ts';
import { fill } from './ops/fill.ts';
import { formatShape, sameShape } from './shape.ts';

/**
 * Gradients of `output` with respect to nodes it depends on.
 * @param outputGradient of `output`'s shape: the vector of a vector-Jacobian product. Default: 1, for a scalar output.
 * @returns one node per entry of `withRespectTo`, of its shape; zeros where the output does not depend on it.
 * @throws UnsupportedError when the way there leads through an operation without a gradient.
 */
export function gradients(output: Node, withRespectTo: readonly Node[], outputGradient?: Node): Node[] {
  if (outputGradient ? !sameShape(output.shape, outputGradient.shape) : output.shape.length > 0) {
    throw new ShapeError(
      `gradients: an output of shape ${formatShape(output.shape)} needs an outputGradient of that shape, ` +
        `got ${outputGradient ? formatShape(outputGradient.shape) : 'none'}; reduce it to a scalar or pass one`,
    );
  }
  return vectorJacobianProduct([[output, outputGradient ?? fill([], 1)]], withRespectTo);
}

/**
 * Gradients of sum over outputs of <output, vector>: one walk for many outputs, whatever they share.
 * @param outputs each with a vector of its shape, which counts as constant
 * @returns one node per entry of `withRespectTo`, of its shape; zeros where no output depends on it.
 * @throws UnsupportedError when the way there leads through an operation without a gradient.
 */
export function vectorJacobianProduct(
  outputs: readonly (readonly [output: Node, vector: Node])[],
  withRespectTo: readonly Node[],
): Node[] {
  const order = topologicalOrder(outputs.map(([output]) => output));
  const same = identify([...withRespectTo, ...order]);
  const reaches = new Set(withRespectTo.map(same));
  for (const node of order) if (node.inputs.some((input) => reaches.has(same(input)))) reaches.add(node);

  const adjoints = new Map<Node, Node>();
  const addTo = (node: Node, part: Node) => {
    const sumSoFar = adjoints.get(same(node));
    adjoints.set(same(node), sumSoFar ? add(sumSoFar, part) : part);
  };
  for (const [output, vector] of outputs) addTo(output, vector);
  for (const node of order.reverse()) {
    const adjoint = adjoints.get(node);
    const wanted = node.inputs.map((input) => reaches.has(same(input)));
    if (!adjoint || !wanted.includes(true)) continue;
    const { operation, inputs, attributes } = node;
    if (!operation.gradient) {
      throw new UnsupportedError(
        `gradients: operation "${operation.name}" has no gradient; differentiate before it`,
      );
    }
    const parts = operation.gradient({ inputs, output: node, outputGradient: adjoint, attributes, wanted });
    for (const [i, input] of inputs.entries()) {
      const part = parts[i];
      if (part && wanted[i]) addTo(input, part);
    }
  }
  return withRespectTo.map((node) => adjoints.get(same(node)) ?? fill(node.shape, 0));
}

/** Leaves of one kind and name are one value, so they share one gradient: maps each to the first of them. */
function identify(nodes: readonly Node[]): (node: Node) => Node {
  const first = new Map<string, Node>();
  const keyOf = (node: Node) => `${node.attributes?.kind} ${node.attributes?.name}`;
  for (const node of nodes) {
    if (node.attributes?.kind && !first.has(keyOf(node))) first.set(keyOf(node), node);
  }
  return (node) => (node.attributes?.kind ? first.get(keyOf(node))! : node);
}

/** Gradients of a scalar loss with respect to every parameter it depends on, by the parameter's name. */
export function parameterGradients(loss: Node): Map<string, Node> {
  const parameters = leavesOf([loss], 'parameter');
  const nodes = gradients(loss, parameters);
  return new Map(parameters.map((node, i) => [node.attributes.name as string, nodes[i]!]));
}
