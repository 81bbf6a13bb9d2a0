/** Gradients of whole convolutional networks in training mode, batch norm included, against the float64 reference. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/base/random.ts';
import { parameterGradients } from '../../../src/nn/gradient.ts';
import { initialiseParameters } from '../../../src/nn/initialise.ts';
import { forwardGraph, type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { resnet } from '../../../src/nn/models/resnet.ts';
import { sequential } from '../../../src/nn/models/sequential.ts';
import * as ops from '../../../src/nn/ops/index.ts';
import { compile } from '../../../src/nn/program.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import { evaluateReference } from '../../reference/graph.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

const common = { inputShape: [3, 8, 8], classes: 5 } as const;
const residual = { ...common, channels: 4, blocks: [1, 1] } as const;
const MODELS: Model[] = [
  sequential({
    ...common,
    name: 'a small VGG-BN',
    layers: [
      { type: 'conv', module: 'features.0', channels: 6, kernelSize: 3, bias: true },
      { type: 'norm', module: 'features.1', norm: 'batch' },
      { type: 'relu' },
      { type: 'maxpool' },
      { type: 'conv', module: 'features.4', channels: 9, kernelSize: 3, bias: true },
      { type: 'norm', module: 'features.5', norm: 'batch' },
      { type: 'relu' },
      { type: 'maxpool' },
      { type: 'flatten' },
      { type: 'linear', module: 'classifier', features: 5, bias: true },
    ],
  }),
  resnet({ ...residual, name: 'a small ResNet-BN', shortcut: 'conv1x1', norm: 'batch' }),
  resnet({ ...residual, name: 'a small ResNet-BN with option A', shortcut: 'pad', norm: 'batch' }),
  resnet({
    ...residual,
    name: 'a small ResNet-LN with bottlenecks',
    shortcut: 'conv3x3',
    norm: 'layer',
    bottleneck: true,
  }),
];

const N = 6;

describe('whole-network gradients', () => {
  for (const model of MODELS) {
    it(`of ${model.name} equal the float64 reference, running statistics too`, async () => {
      const entries = stateEntries(model);
      const values = initialiseParameters(entries, 3, 'kaiming');
      const random = new RandomStream(3, 'images');
      const images = new Float32Array(N * 3 * 8 * 8);
      random.fillUniform(images, -1, 1);
      const labels = Uint32Array.from({ length: N }, (_, i) => (i * 2) % 5);

      const { logits, updates } = forwardGraph(model, { training: true });
      const loss = ops.mean(ops.crossEntropy(logits, ops.input('labels', ['N'], 'u32')), 0);
      const nodes = new Map([['loss', loss], ...parameterGradients(loss), ...updates]);
      const arena = new Arena(context(), new ArenaLayout(entries));
      arena.write(values);
      const program = compile(context(), {
        outputs: Object.fromEntries(nodes),
        arenas: [arena],
        batchSize: N,
      });
      context().write(program.input('images'), images);
      context().write(program.input('labels'), labels);
      program.run();

      const leaves = new Map<string, ArrayLike<number>>([...values, ['images', images], ['labels', labels]]);
      const expected = evaluateReference([...nodes.values()], leaves, N);
      for (const [i, name] of [...nodes.keys()].entries()) {
        const actual = await context().read(program.output(name));
        const largest = expected[i]!.reduce((max, value) => Math.max(max, Math.abs(value)), 1e-2);
        // A dozen layers, each with sums of up to 384 terms and a division by a deviation: some hundred roundings of 6e-8. Of values
        // that are sums of larger ones (a bias before a batch norm has gradient 0), the terms are of order 1e-2.
        for (const [k, value] of expected[i]!.entries()) {
          expect(Math.abs(actual[k]! - value), `${name}[${k}]: ${actual[k]} for ${value}`).toBeLessThan(
            2e-5 * largest,
          );
        }
      }
      program.destroy();
      arena.destroy();
    });
  }
});
