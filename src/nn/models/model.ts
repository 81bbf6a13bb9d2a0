/** What every model is: a function from a batch of inputs to logits, and what is needed to feed and describe it. */
import type { ArenaEntry } from '../../runtime/arena.ts';
import { leavesOf, type Node } from '../graph.ts';
import { input } from '../ops/leaves.ts';

/** How a model is being run: training and evaluation are different graphs. */
export interface Pass {
  /** Whether statistics of the batch are used and tracked, or running ones. */
  readonly training: boolean;
  /** Of running statistics; null averages over all batches, counted by `batchesTracked`. Default: 0.1. */
  readonly momentum?: number | null;
  /** [], how many batches came before this one. */
  readonly batchesTracked?: Node;
  /** Where a training pass puts the new values of its buffers (running statistics), by name. */
  readonly updates: Map<string, Node>;
}

/** An architecture: what a sample is, and how logits come of it. Knows no values and no GPU. */
export interface Model {
  /** Short name that `parseModel` reads back, such as `mlp:784-512-512-512-10`. */
  readonly name: string;
  /** Shape of one sample, without the batch axis. */
  readonly inputShape: readonly number[];
  /** Logits of a sample. */
  readonly classes: number;
  /** What a checkpoint alone does not say and was assumed, one line each. */
  readonly assumptions: readonly string[];
  /** @param images [N, ...inputShape] @returns logits [N, classes] */
  forward(images: Node, pass: Pass): Node;
}

/** An entry of a model's state dict. */
export interface StateEntry extends ArenaEntry {
  /** Parameters are trained; buffers (running statistics) are kept. */
  readonly kind: 'parameter' | 'buffer';
}

/** The model's graph on an input node named `images`, and (of a training pass) the new values of its buffers. */
export function forwardGraph(
  model: Model,
  options: Omit<Partial<Pass>, 'updates'> = {},
): { images: Node; logits: Node; updates: ReadonlyMap<string, Node> } {
  const images = input('images', ['N', ...model.inputShape]);
  const updates = new Map<string, Node>();
  return { images, logits: model.forward(images, { training: false, ...options, updates }), updates };
}

/** Names and shapes of everything a checkpoint holds: parameters, then buffers, each in the network's own order. */
export function stateEntries(model: Model): StateEntry[] {
  const { logits } = forwardGraph(model);
  return (['parameter', 'buffer'] as const).flatMap((kind) =>
    leavesOf([logits], kind).map((node) => ({
      name: node.attributes.name as string,
      shape: node.shape as readonly number[],
      kind,
    })),
  );
}
