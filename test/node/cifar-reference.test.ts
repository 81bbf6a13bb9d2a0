/** The ResNet20s of the reference on a few images: PyTorch's logits, and derived specs that leave the outputs alone. */
import { describe, expect, it } from 'vitest';
import { forwardGraph } from '../../src/nn/models/model.ts';
import { Evaluator } from '../../src/nn/train/evaluate.ts';
import { checkGraphEquivalence } from '../../src/rebasin/spec/equivalence.ts';
import { derivePermutationSpec } from '../../src/rebasin/spec/permutation-spec.ts';
import { useContext } from '../support/context.ts';
import {
  arenaOf,
  hasReference,
  referenceData,
  referenceModel,
  referenceNumbers,
} from '../support/reference.ts';

const CASES = [
  {
    fixture: 'cifar10-resnet20-pretrained',
    file: 'model.safetensors',
    images: 'test_first_1000.bin.gz',
    name: 'resnet20:shortcut=pad',
    // biome-ignore lint/suspicious/noExplicitAny: JSON of the fixtures
    logits: (numbers: any) => numbers.logits_first_4,
  },
  {
    fixture: 'cifar10-resnet20',
    file: 'model-a.safetensors',
    images: 'data_batch_5.bin.gz',
    name: 'resnet20',
    // biome-ignore lint/suspicious/noExplicitAny: JSON of the fixtures
    logits: (numbers: any) => numbers.models[0].logits_first_4,
  },
];

for (const { fixture, file, images, name, logits } of CASES) {
  describe.skipIf(!hasReference(fixture, 'cifar-10'))(`${fixture} of the reference`, () => {
    const context = useContext();

    it('is recognised, and gives the logits of PyTorch within 2e-3', async () => {
      const reference = await referenceModel(fixture, file);
      expect(reference.model.name).toBe(name);
      const arena = arenaOf(context(), reference);
      const data = await referenceData(context(), fixture, 'cifar-10', images, 4);
      const evaluator = new Evaluator(context(), reference.model, [arena], data);
      const actual = await evaluator.logits(4);
      logits(referenceNumbers(fixture))
        .flat()
        .forEach((expected: number, i: number) => {
          expect(Math.abs(actual[i]! - expected)).toBeLessThan(2e-3);
        });
      for (const owned of [evaluator, data, arena]) owned.destroy();
    });

    it('has a spec whose random permutations leave its outputs alone', async () => {
      const { model } = await referenceModel(fixture, file);
      const { logits } = forwardGraph(model);
      const spec = derivePermutationSpec([logits]);
      expect(spec.groups).toHaveLength(12);
      expect(
        (await checkGraphEquivalence(context(), spec, [logits], { batchSize: 2 })).maxDifference,
      ).toBeLessThan(1e-4);
    });
  });
}
