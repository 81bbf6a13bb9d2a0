/** What every model is: a function from a batch of inputs to logits, and what is needed to feed and describe it. */
import type { ArenaEntry } from '../../runtime/arena.ts';
import { leavesOf, type Node } from '../graph.ts';
import { input } from '../ops/leaves.ts';

export interface Model {
  /** Short name that `parseModel` reads back, such as `mlp:784-512-512-512-10`. */
  readonly name: string;
  /** Shape of one sample, without the batch axis. */
  readonly inputShape: readonly number[];
  readonly classes: number;
  /** What a checkpoint alone does not say and was assumed, one line each. */
  readonly assumptions: readonly string[];
  /** @param images [N, ...inputShape] @returns logits [N, classes] */
  forward(images: Node): Node;
}

/** The model's forward graph on an input node named `images`. */
export function forwardGraph(model: Model): { images: Node; logits: Node } {
  const images = input('images', ['N', ...model.inputShape]);
  return { images, logits: model.forward(images) };
}

/** Names and shapes of the trained parameters, in the network's own order. */
export function parameterEntries(model: Model): ArenaEntry[] {
  const { logits } = forwardGraph(model);
  return leavesOf([logits], 'parameter').map((node) => ({
    name: node.attributes.name as string,
    shape: node.shape as readonly number[],
  }));
}
