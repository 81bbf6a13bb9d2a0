/** VGG-like networks: convolutions, norms, ReLUs and pools in a row, then linear layers. Written as a list, as `nn.Sequential` is. */
import type { Node } from '../graph.ts';
import { conv, linear, type Norm, norm } from '../layers.ts';
import { flatten, maxPool, relu } from '../ops/index.ts';
import type { Model } from './model.ts';

/** One layer, with the name of its module. */
export type SequentialLayer =
  | {
      readonly type: 'conv';
      readonly module: string;
      readonly channels: number;
      readonly kernelSize: number;
      readonly bias: boolean;
    }
  | { readonly type: 'norm'; readonly module: string; readonly norm: Norm }
  | { readonly type: 'relu' | 'maxpool' | 'flatten' }
  | { readonly type: 'linear'; readonly module: string; readonly features: number; readonly bias: boolean };

/** Of `sequential`. */
export interface SequentialOptions {
  /** Shown as the model's name. */
  readonly name: string;
  /** Of one sample: [C, H, W], or [features]. */
  readonly inputShape: readonly [channels: number, height: number, width: number];
  /** Logits of a sample. */
  readonly classes: number;
  /** One after another. */
  readonly layers: readonly SequentialLayer[];
  /** What was assumed, one line each. */
  readonly assumptions?: readonly string[];
}

/** A network that is a list of layers. Pools are 2x2 with stride 2; convolutions keep the size. */
export function sequential({
  name,
  inputShape,
  classes,
  layers,
  assumptions = [],
}: SequentialOptions): Model {
  return {
    name,
    inputShape,
    classes,
    assumptions,
    forward(images, pass) {
      let x: Node = images;
      for (const layer of layers) {
        if (layer.type === 'conv') {
          x = conv(x, layer.module, layer.channels, { kernelSize: layer.kernelSize, bias: layer.bias });
        } else if (layer.type === 'norm') x = norm(x, layer.module, layer.norm, pass);
        else if (layer.type === 'linear') x = linear(x, layer.module, layer.features, { bias: layer.bias });
        else if (layer.type === 'relu') x = relu(x);
        else if (layer.type === 'maxpool') x = maxPool(x, 2);
        else x = flatten(x);
      }
      return x;
    },
  };
}
