/** A model with a bias in every linear layer and convolution, for corrections that shift results (REPAIR) and have to be kept. */
import { apply, type Node } from '../graph.ts';
import { parameter } from '../ops/index.ts';
import { rewrite } from '../rewrite.ts';
import { findWeightedTaps } from '../taps.ts';
import { forwardGraph, type Model } from './model.ts';

/** What is added to the name of a model that was given biases; `parseModel` reads it. */
export const BIAS_SUFFIX = ':bias';

/**
 * The same network with the biases it lacks, `<module>.bias` [C]; zeros there change nothing. A model that lacks none is returned as it
 * is.
 */
export function withBiases(model: Model): Model {
  const lacks = (node: Node) => findWeightedTaps([node]).filter(({ bias }) => bias === undefined);
  if (lacks(forwardGraph(model).logits).length === 0) return model;
  return {
    ...model,
    name: `${model.name}${BIAS_SUFFIX}`,
    forward(images, pass) {
      const logits = model.forward(images, pass);
      const modules = new Map(lacks(logits).map(({ node, name }) => [node, name]));
      const updates = [...pass.updates];
      const outputs = rewrite([logits, ...updates.map(([, node]) => node)], (node, original) => {
        const module = modules.get(original);
        if (module === undefined) return node;
        const bias = parameter(`${module}.bias`, [node.shape[1] as number]);
        return apply(node.operation, [...node.inputs, bias], node.attributes);
      });
      for (const [index, [name]] of updates.entries()) pass.updates.set(name, outputs[index + 1]!);
      return outputs[0]!;
    },
  };
}
