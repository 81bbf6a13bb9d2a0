/**
 * Folding batch norm: in evaluation it is a scale and a shift of each channel, which the layer before it can take over,
 *
 *   W' = g W,   b' = g (b - running mean) + beta,   g = gamma / sqrt(running variance + 1e-5).
 *
 * The network that is left computes the same and has no norm (REPAIR's study of depth trains with batch norm and folds it).
 */
import { UnsupportedError } from '../base/errors.ts';
import type { HostTensors } from '../runtime/arena.ts';
import { apply } from './graph.ts';
import { forwardGraph, type Model } from './models/model.ts';
import { parameter } from './ops/index.ts';
import { rewrite } from './rewrite.ts';
import { findTaps, findWeightedTaps, type WeightedTap } from './taps.ts';

const EPSILON = 1e-5;

/** @returns the network without batch norm and fresh arrays of its values. @throws UnsupportedError where a norm follows no layer. */
export function foldBatchNorm(
  model: Model,
  values: HostTensors,
): { readonly model: Model; readonly values: Map<string, Float32Array> } {
  if (forwardGraph(model, { training: true }).updates.size === 0) {
    throw new UnsupportedError(`foldBatchNorm: ${model.name} has no batch norm`);
  }
  const pairs = normsAfterLayers(model, [forwardGraph(model).logits]);
  const folded = new Map([...values].map(([name, value]) => [name, value.slice()]));
  for (const { norm, layer } of pairs) {
    const take = (part: string) => {
      const value = folded.get(`${norm}.${part}`)!;
      folded.delete(`${norm}.${part}`);
      return value;
    };
    const [gamma, beta, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(take);
    const weight = folded.get(layer.weight)!;
    const bias = (layer.bias && folded.get(layer.bias)) || new Float32Array(gamma!.length);
    const rest = weight.length / gamma!.length;
    for (let c = 0; c < gamma!.length; c++) {
      const factor = gamma![c]! / Math.sqrt(variance![c]! + EPSILON);
      for (let i = 0; i < rest; i++) weight[c * rest + i]! *= factor;
      bias[c] = factor * (bias[c]! - mean![c]!) + beta![c]!;
    }
    folded.set(`${layer.name}.bias`, bias);
  }
  return { model: withoutNorms(model), values: folded };
}

/** The network in evaluation, its norms left out and every layer before one with a bias. */
function withoutNorms(model: Model): Model {
  return {
    ...model,
    name: model.name.replace(/:norm=batch\b/, ''),
    forward(images, pass) {
      const logits = model.forward(images, { ...pass, training: false, updates: new Map() });
      const pairs = normsAfterLayers(model, [logits]);
      const norms = new Set(pairs.map(({ node }) => node));
      const layers = new Map(pairs.map(({ layer }) => [layer.node, layer]));
      const outputs = rewrite([logits], (node, original) => {
        if (norms.has(original)) return node.inputs[0]!;
        const layer = layers.get(original);
        if (!layer || layer.bias !== undefined) return node;
        const bias = parameter(`${layer.name}.bias`, [node.shape[1] as number]);
        return apply(node.operation, [...node.inputs, bias], node.attributes);
      });
      return outputs[0]!;
    },
  };
}

function normsAfterLayers(model: Model, outputs: Parameters<typeof findTaps>[0]) {
  const layers = new Map(findWeightedTaps(outputs).map((tap) => [tap.node, tap]));
  return findTaps(outputs)
    .filter(({ kind }) => kind === 'normalised')
    .map(({ name, node }): { norm: string; node: typeof node; layer: WeightedTap } => {
      const layer = layers.get(node.inputs[0]!);
      if (layer) return { norm: name, node, layer };
      throw new UnsupportedError(
        `foldBatchNorm: in ${model.name} the norm "${name}" follows no linear layer or convolution that could take it over`,
      );
    });
}
