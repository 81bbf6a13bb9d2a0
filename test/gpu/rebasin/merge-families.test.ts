/** Every convolutional family through a merge with every re-normalisation: it works, or refuses with the reason before any work. */
import { describe, expect, it } from 'vitest';
import { UnsupportedError } from '../../../src/base/errors.ts';
import { COLOUR_IMAGES_NORMALISATION, colourImages } from '../../../src/io/colour-images.ts';
import { parseModel } from '../../../src/nn/models/parse-model.ts';
import { GpuDataset } from '../../../src/nn/train/gpu-dataset.ts';
import { scoreNetworks } from '../../../src/rebasin/interpolation/scores.ts';
import { mergeNetworks } from '../../../src/rebasin/merging/merge.ts';
import { RENORMALISATIONS } from '../../../src/rebasin/renormalise/renormalisations.ts';
import { plausibleValues } from '../../support/barely-trained.ts';
import { useContext } from '../../support/context.ts';
import { RENORMALISATION_TABLE } from '../../support/renormalisation-table.ts';

const context = useContext();

describe('merges of convolutional networks', () => {
  it.each(Object.entries(RENORMALISATION_TABLE))('%s', async (name, row) => {
    const model = parseModel(name);
    const models = [plausibleValues(model, 1), plausibleValues(model, 2)];
    const part = colourImages({ count: 6, seed: 0, split: 'train' });
    const images = new GpuDataset(context(), part, COLOUR_IMAGES_NORMALISATION);
    const losses: number[] = [];
    for (const renormalise of RENORMALISATIONS) {
      const merge = mergeNetworks(context(), { model, models, renormalise, statistics: images });
      const answer = row[renormalise];
      if (answer !== 'works') {
        await expect(merge, renormalise).rejects.toThrow(UnsupportedError);
        await expect(merge, renormalise).rejects.toThrow(answer);
        continue;
      }
      const merged = await merge;
      const [scored] = await scoreNetworks(context(), {
        ...{ model: merged.model, networks: [merged.values], images },
      });
      losses.push(scored!.score.loss);
    }
    // Each does something, and something else than the others.
    expect(losses.every(Number.isFinite)).toBe(true);
    expect(new Set(losses).size).toBe(losses.length);
    images.destroy();
  });
});
