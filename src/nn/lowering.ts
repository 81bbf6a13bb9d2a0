/**
 * Lowering: which nodes get a kernel of their own, and which disappear into another's.
 *
 * - An activation that follows an operation able to apply it (linear then ReLU) becomes its epilogue.
 * - A chain of elementwise operations of one shape becomes one kernel; broadcasts into it are read in place.
 * A node that is an output, or that two others read, is always computed on its own. The choice depends on the graph alone, never on
 * sizes or adapters, so fusing cannot make two runs differ.
 */
import { type Node, topologicalOrder } from './graph.ts';
import { sameShape } from './shape.ts';

/** One kernel call: what it computes, from which nodes. */
export interface Step {
  /** The node whose value the step writes. */
  readonly node: Node;
  /** Nodes whose values it reads, each materialised by an earlier step or a leaf. */
  readonly inputs: readonly Node[];
  readonly kind: StepKind;
}

export type StepKind =
  | { readonly type: 'operation'; readonly operationNode: Node; readonly activation?: 'relu' }
  | { readonly type: 'elementwise'; readonly expression: FusedExpression };

/** A fused chain. Input i is letter i of `a`..`h`; `broadcasts[i]` is the broadcast node that reads it, if one does. */
export interface FusedExpression {
  readonly text: string;
  readonly broadcasts: readonly (Node | undefined)[];
  /** The nodes whose scalars `s0`, `s1`, ... are, in order, concatenated. */
  readonly scalarNodes: readonly Node[];
}

/** With the output 8 storage bindings: what every WebGPU device has, a host's with default limits too. */
const MAX_INPUTS = 7;
const MAX_SCALARS = 4;

/** Steps that compute `outputs`, in order. Leaves have no step. */
export function lower(outputs: readonly Node[]): Step[] {
  const order = topologicalOrder(outputs);
  const uses = new Map<Node, number>();
  for (const node of order) for (const input of node.inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  const outputSet = new Set(outputs);
  const readOnce = (node: Node) => uses.get(node) === 1 && !outputSet.has(node);

  const needed = new Set<Node>(outputs);
  const steps: Step[] = [];
  for (let i = order.length - 1; i >= 0; i--) {
    const node = order[i]!;
    if (!needed.has(node) || isLeaf(node)) continue;
    const step = lowerNode(node, readOnce, outputSet);
    for (const input of step.inputs) needed.add(input);
    steps.push(step);
  }
  return steps.reverse();
}

export function isLeaf(node: Node): boolean {
  return !node.operation.kernels && !node.operation.expression;
}

function lowerNode(node: Node, readOnce: (node: Node) => boolean, outputs: ReadonlySet<Node>): Step {
  const { operation } = node;
  const producer = node.inputs[0];
  if (operation.activation && producer?.operation.fusesActivation && readOnce(producer)) {
    return {
      node,
      inputs: producer.inputs,
      kind: { type: 'operation', operationNode: producer, activation: operation.activation },
    };
  }
  if (operation.kernels)
    return { node, inputs: node.inputs, kind: { type: 'operation', operationNode: node } };
  return lowerElementwise(node, readOnce, outputs);
}

function lowerElementwise(root: Node, readOnce: (node: Node) => boolean, outputs: ReadonlySet<Node>): Step {
  const inputs: Node[] = [];
  const broadcasts: (Node | undefined)[] = [];
  const scalarNodes: Node[] = [];
  let scalarCount = 0;

  const letterOf = (node: Node, broadcast: Node | undefined): string => {
    let index = inputs.findIndex((known, i) => known === node && broadcasts[i] === broadcast);
    if (index < 0) {
      index = inputs.push(node) - 1;
      broadcasts.push(broadcast);
    }
    return 'abcdefgh'[index]!;
  };
  const scalarsOf = (node: Node) => node.operation.expression!(node.attributes, 1).scalars?.length ?? 0;

  // How many inputs are still to be given letters by operands not yet visited: inlining must leave room for them.
  const inline = (node: Node, reserved: number): string => {
    const operands = node.inputs;
    const firstScalar = scalarCount;
    const own = scalarsOf(node);
    if (own > 0) {
      scalarCount += own;
      scalarNodes.push(node);
    }
    const texts = operands.map((operand, i) => {
      const reservedHere = reserved + operands.length - 1 - i;
      const { operation } = operand;
      if (operation.broadcastPattern && !outputs.has(operand)) return letterOf(operand.inputs[0]!, operand);
      const inlinable =
        operation.expression &&
        !operation.broadcastPattern &&
        readOnce(operand) &&
        sameShape(operand.shape, root.shape) &&
        inputs.length + operand.inputs.length + reservedHere <= MAX_INPUTS &&
        scalarCount + scalarsOf(operand) <= MAX_SCALARS;
      if (inlinable) return `(${inline(operand, reservedHere)})`;
      return letterOf(operand, undefined);
    });
    const { text } = node.operation.expression!(node.attributes, 1);
    return text.replace(/\b(?:[a-h]|s\d)\b/g, (word) =>
      word.length === 1 ? texts['abcdefgh'.indexOf(word)]! : `s${firstScalar + Number(word[1])}`,
    );
  };

  if (root.operation.broadcastPattern) {
    const text = letterOf(root.inputs[0]!, root);
    return {
      node: root,
      inputs,
      kind: { type: 'elementwise', expression: { text, broadcasts, scalarNodes } },
    };
  }
  const text = inline(root, 0);
  return { node: root, inputs, kind: { type: 'elementwise', expression: { text, broadcasts, scalarNodes } } };
}
