/**
 * The weights of a network as matrices: what singular values and vectors are about. Found in the graph, so every network has them without
 * saying so.
 */
import type { Node } from '../../nn/graph.ts';
import { forwardGraph, type Model } from '../../nn/models/model.ts';
import { findWeightedTaps } from '../../nn/taps.ts';
import { elementCount } from '../../runtime/kernel.ts';

/** A linear layer's weight [out, in], or a convolution's [C_out, C_in, KH, KW] reshaped to (C_out, C_in KH KW), row-major as it lies. */
export interface LayerMatrix {
  /** Its module, such as `fc1` or `layer1.0.conv1`. */
  readonly layer: string;
  /** The parameter's name. */
  readonly weight: string;
  /** Outputs of the layer. */
  readonly rows: number;
  /** Inputs of an output. */
  readonly columns: number;
  /** The layer in the graph of `forwardGraph(model)`: its first input is what the matrix is applied to. */
  readonly node: Node;
}

/** The matrices of `outputs`, in the network's own order; a weight that several layers share counts once, for the first of them. */
export function layerMatricesOf(outputs: readonly Node[]): LayerMatrix[] {
  const seen = new Set<string>();
  return findWeightedTaps(outputs).flatMap(({ name: layer, weight, node }) => {
    if (seen.has(weight)) return [];
    seen.add(weight);
    const [rows = 1, ...others] = node.inputs[1]!.shape as readonly number[];
    return [{ layer, weight, rows, columns: elementCount(others), node }];
  });
}

/** `layerMatricesOf` a model in evaluation mode. */
export function layerMatrices(model: Model): LayerMatrix[] {
  return layerMatricesOf([forwardGraph(model).logits]);
}
