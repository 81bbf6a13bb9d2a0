/**
 * Taps: the places of a network where activations are read or corrected, with names that people know. They are found in the graph, so
 * every network has them without saying so.
 *
 * - `weighted`: the result of a linear layer or a convolution, named after its module (`fc1`, `layer1.0.conv1`).
 * - `normalised`: the result of a norm with its scale and shift, named after its module (`bn1`).
 * - `activation`: the result of an activation function, named after the last tap before it; where a residual block ends, that is the
 *   last norm or convolution of the block (`layer1.0.bn2`), whose result has been added to the stream.
 */
import { type LeafAttributes, type Node, topologicalOrder } from './graph.ts';

/** A place of a network where activations are read. */
export interface Tap {
  /** Result of a linear layer or convolution, of a norm, or of an activation function. */
  readonly kind: 'weighted' | 'normalised' | 'activation';
  /** Unique among the taps of a kind. */
  readonly name: string;
  /** [N, C] or [N, C, H, W]. */
  readonly node: Node;
}

/** A linear layer or a convolution. */
export interface WeightedTap extends Tap {
  readonly kind: 'weighted';
  /** Parameter names. */
  readonly weight: string;
  /** Undefined where the layer has none. */
  readonly bias: string | undefined;
}

const WEIGHTED = new Set(['linear', 'conv2d']);
const NORMALISED = new Set(['normalise', 'trainingNorm']);
const ACTIVATIONS = new Set(['relu', 'tanh', 'gelu', 'softplus', 'sigmoid']);

/** Every tap of the network that computes `outputs`, in the network's own order. */
export function findTaps(outputs: readonly Node[]): Tap[] {
  const taps: Tap[] = [];
  const used = new Set<string>();
  /** The name of the last tap before a node, along first inputs: a block's own path before its shortcut. */
  const lastName = new Map<Node, string>();
  for (const node of topologicalOrder(outputs)) {
    const before = node.inputs[0] && lastName.get(node.inputs[0]);
    const tap = tapOf(node, before);
    if (before !== undefined) lastName.set(node, before);
    if (!tap) continue;
    let { name } = tap;
    for (let n = 2; used.has(`${tap.kind} ${name}`); n++) name = `${tap.name}#${n}`;
    used.add(`${tap.kind} ${name}`);
    lastName.set(node, name);
    taps.push({ ...tap, name });
  }
  return taps;
}

/** The weighted taps alone. */
export function findWeightedTaps(outputs: readonly Node[]): WeightedTap[] {
  return findTaps(outputs).filter((tap): tap is WeightedTap => tap.kind === 'weighted');
}

function tapOf(node: Node, before: string | undefined): Tap | WeightedTap | undefined {
  const { operation, inputs } = node;
  if (WEIGHTED.has(operation.name)) {
    const [weight, bias] = [leafOf(inputs[1]), leafOf(inputs[2])];
    if (weight?.kind !== 'parameter') return undefined;
    return { kind: 'weighted', name: moduleOf(weight.name), node, weight: weight.name, bias: bias?.name };
  }
  if (NORMALISED.has(operation.name)) {
    // Statistics and parameters that the norm reads itself; a batch's own statistics lead back through the layer before.
    const leaf = inputs
      .slice(1)
      .map(leafOf)
      .find((found) => found !== undefined);
    return leaf && { kind: 'normalised', name: moduleOf(leaf.name), node };
  }
  if (ACTIVATIONS.has(operation.name)) return { kind: 'activation', name: before ?? 'input', node };
  return undefined;
}

function leafOf(node: Node | undefined): LeafAttributes | undefined {
  return node?.inputs.length === 0 && node.attributes?.name !== undefined ? node.attributes : undefined;
}

/** `layer1.0.conv1.weight` belongs to `layer1.0.conv1`. */
function moduleOf(name: string): string {
  return name.includes('.') ? name.slice(0, name.lastIndexOf('.')) : name;
}
