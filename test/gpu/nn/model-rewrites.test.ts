/** Models made of models: batch norm folded away, biases added. The outputs must not change. */
import { describe, expect, it } from 'vitest';
import { UnsupportedError } from '../../../src/base/errors.ts';
import { RandomStream } from '../../../src/base/random.ts';
import { foldBatchNorm } from '../../../src/nn/fold-batch-norm.ts';
import { forwardGraph, type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { parseModel } from '../../../src/nn/models/parse-model.ts';
import { recogniseModel } from '../../../src/nn/models/recognise.ts';
import { withBiases } from '../../../src/nn/models/with-biases.ts';
import { compile } from '../../../src/nn/program.ts';
import { withZeroBiases } from '../../../src/rebasin/renormalise/renormalisations.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../../src/runtime/arena.ts';
import { elementCount } from '../../../src/runtime/kernel.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();

function randomValues(model: Model): Map<string, Float32Array> {
  const random = new RandomStream(3, 'values of a test');
  return new Map(
    stateEntries(model).map(({ name, shape }) => {
      const values = new Float32Array(elementCount(shape));
      random.derive(name).fillNormal(values);
      const scale = shape.length > 1 ? Math.sqrt(2 / elementCount(shape.slice(1))) : 0.3;
      const positive = /running_var|bn\d*\.weight|1\.weight/.test(name) && shape.length === 1;
      return [name, values.map((x) => (positive ? 0.5 + Math.abs(x) : scale * x))];
    }),
  );
}

async function outputs(model: Model, values: HostTensors): Promise<Float32Array> {
  const arena = new Arena(context(), new ArenaLayout(stateEntries(model)));
  arena.write(values);
  const { logits } = forwardGraph(model);
  const program = compile(context(), { outputs: { logits }, arenas: [arena], batchSize: 3 });
  const images = new Float32Array(3 * elementCount(model.inputShape));
  new RandomStream(1, 'images of a test').fillNormal(images);
  context().write(program.input('images'), images);
  program.run();
  const result = await context().read(program.output('logits'));
  program.destroy();
  arena.destroy();
  return result;
}

describe('foldBatchNorm', () => {
  it.each(['mlp:12-9-8-5:norm=batch', 'resnet8:width=0.5:input=1x12x12', 'vgg11:width=0.0625:norm=batch'])(
    'leaves what %s computes',
    async (name) => {
      const model = parseModel(name);
      const values = randomValues(model);
      const folded = foldBatchNorm(model, values);
      expect([...folded.values.keys()].sort()).toEqual(
        stateEntries(folded.model)
          .map((e) => e.name)
          .sort(),
      );
      expect([...folded.values.keys()].some((key) => key.includes('running'))).toBe(false);
      const [before, after] = [await outputs(model, values), await outputs(folded.model, folded.values)];
      const largest = Math.max(...before.map(Math.abs));
      // Some tens of layers and roundings of 6e-8, each of what its layer sums.
      before.forEach((x, i) => {
        expect(Math.abs(x - after[i]!)).toBeLessThan(2e-5 * largest);
      });
    },
  );

  it('gives an MLP of the plain kind, and refuses what has nothing to fold', () => {
    const model = parseModel('mlp:12-9-5:norm=batch');
    expect(foldBatchNorm(model, randomValues(model)).model.name).toBe('mlp:12-9-5');
    const plain = parseModel('mlp:12-9-5');
    expect(() => foldBatchNorm(plain, randomValues(plain))).toThrow(UnsupportedError);
  });
});

describe('withBiases', () => {
  it.each([
    'mlp:12-9-5:no-bias',
    'resnet8:width=0.5:norm=layer:input=1x12x12',
    'resnet8:width=0.5:input=1x12x12',
  ])('with zeros computes what %s computes, to the bit', async (name) => {
    const model = parseModel(name);
    const biased = withBiases(model);
    const values = randomValues(model);
    expect(await outputs(biased, withZeroBiases(biased, values))).toEqual(await outputs(model, values));
    expect(biased.name).toBe(`${model.name}:bias`);
    expect(stateEntries(parseModel(biased.name))).toEqual(stateEntries(biased));
  });

  it('is the model itself where nothing is missing', () => {
    const model = parseModel('mlp:12-9-5');
    expect(withBiases(model)).toBe(model);
  });

  it('keeps what training stores', () => {
    const biased = withBiases(parseModel('resnet8:width=0.5'));
    const { updates } = forwardGraph(biased, { training: true });
    expect(updates.size).toBe(2 * 9);
  });

  it('is recognised in a checkpoint by its names', () => {
    const biased = withBiases(parseModel('resnet8:width=0.5:norm=layer'));
    const tensors = stateEntries(biased).map(({ name, shape }) => ({ name, shape }));
    expect(recogniseModel(tensors).name).toBe(biased.name);
    expect(recogniseModel(tensors, biased.name).name).toBe(biased.name);
  });
});
