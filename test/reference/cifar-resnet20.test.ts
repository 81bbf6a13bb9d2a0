/** The ResNet20s of the reference in full: the public one on 1,000 test images, both ends of the pair on 2,000 of batch 5. */
import { describe, expect, it } from 'vitest';
import { Evaluator } from '../../src/nn/train/evaluate.ts';
import { useContext } from '../support/context.ts';
import {
  arenaOf,
  hasReference,
  referenceData,
  referenceModel,
  referenceNumbers,
} from '../support/reference.ts';

describe.skipIf(!hasReference('cifar10-resnet20', 'cifar-10'))(
  'the ResNet20s of the reference',
  { timeout: 1_800_000 },
  () => {
    const context = useContext();

    async function evaluate(fixture: string, file: string, images: string, limit: number) {
      const reference = await referenceModel(fixture, file);
      const arena = arenaOf(context(), reference);
      const data = await referenceData(context(), fixture, 'cifar-10', images, limit);
      const evaluator = new Evaluator(context(), reference.model, [arena], data, 100);
      const result = await evaluator.evaluate();
      for (const owned of [evaluator, data, arena]) owned.destroy();
      console.info(`${fixture} ${file}: loss ${result.loss.toFixed(5)}, accuracy ${result.accuracy}`);
      return result;
    }

    it('the public one scores 91.5 % on 1,000 test images', async () => {
      const { loss, accuracy } = await evaluate(
        'cifar10-resnet20-pretrained',
        'model.safetensors',
        'test_first_1000.bin.gz',
        1000,
      );
      const expected = referenceNumbers('cifar10-resnet20-pretrained').test;
      expect(Math.abs(accuracy - expected.acc)).toBeLessThanOrEqual(0.001);
      expect(Math.abs(loss - expected.loss)).toBeLessThan(1e-3);
    });

    it.each([0, 1])('end %s of the pair has the loss and accuracy of the reference', async (index) => {
      const numbers = referenceNumbers('cifar10-resnet20');
      const { loss, accuracy } = await evaluate(
        'cifar10-resnet20',
        numbers.files[index],
        'data_batch_5.bin.gz',
        2000,
      );
      const expected = numbers.models[index];
      expect(Math.abs(accuracy - expected.acc)).toBeLessThanOrEqual(0.001); // two of 2,000 images
      expect(Math.abs(loss - expected.loss)).toBeLessThan(1e-3);
    });
  },
);
