/**
 * Lowering: which nodes get a kernel of their own, and which disappear into another's.
 *
 * - What follows an operation able to do it to its own result becomes its epilogue: linear then ReLU; convolution, norm, a shortcut
 *   added, ReLU.
 * - A chain of elementwise operations of one shape becomes one kernel; broadcasts into it are read in place.
 * A node that is an output, or that two others read, is always computed on its own. The choice depends on the graph alone, never on
 * sizes or adapters, so fusing cannot make two runs differ.
 */
import { type Node, topologicalOrder } from './graph.ts';
import type { Epilogue } from './operation.ts';
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
  /** The step's inputs are the operation's, then of its epilogue the norm's mean, factor and shift, then the addend. */
  | { readonly type: 'operation'; readonly operationNode: Node; readonly epilogue: readonly Epilogue[] }
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
  const fused = fuse(node, EPILOGUES, readOnce);
  if (fused) {
    const { operationNode, epilogue, operands } = fused;
    return {
      node,
      inputs: [...operationNode.inputs, ...operands],
      kind: { type: 'operation', operationNode, epilogue },
    };
  }
  if (node.operation.kernels)
    return { node, inputs: node.inputs, kind: { type: 'operation', operationNode: node, epilogue: [] } };
  return lowerElementwise(node, readOnce, outputs);
}

/** Outermost first. */
const EPILOGUES: readonly Epilogue[] = ['relu', 'addend', 'norm'];

/** How many inputs each has beside what it is done to. */
const OPERANDS: Readonly<Record<Epilogue, number>> = { norm: 3, addend: 1, relu: 0 };

interface Fused {
  readonly operationNode: Node;
  /** In the order in which they are done. */
  readonly epilogue: readonly Epilogue[];
  readonly operands: readonly Node[];
}

/** `node` as the last part of an epilogue, of those that may follow each other; undefined where no operation takes it over. */
function fuse(
  node: Node,
  [part, ...inner]: readonly Epilogue[],
  readOnce: (node: Node) => boolean,
): Fused | undefined {
  if (!part) return undefined;
  const { epilogue: does } = node.operation;
  if (does !== part || node.inputs.length !== 1 + OPERANDS[part]) return fuse(node, inner, readOnce);
  for (const [at, taken] of node.inputs.entries()) {
    if (at > (part === 'addend' ? 1 : 0) || !readOnce(taken)) continue;
    const others = node.inputs.filter((_, i) => i !== at);
    if (others.some(({ operation }) => operation.broadcastPattern)) continue; // read in place by an elementwise kernel
    const alone: Fused = { operationNode: taken, epilogue: [], operands: [] };
    const base = [fuse(taken, inner, readOnce), alone].find((one) =>
      one?.operationNode.operation.fuses?.includes(part),
    );
    if (!base) continue;
    const { operationNode, epilogue, operands } = base;
    return { operationNode, epilogue: [...epilogue, part], operands: [...operands, ...others] };
  }
  return undefined;
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
