/** The MNIST pair of the reference, dropped into the page with MNIST's test images: the numbers of its `reference.json`. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { usePlayground } from '../support/playground.ts';
import { hasReference, referenceNumbers } from '../support/reference.ts';

const FIXTURE = 'mnist-mlp';
const SHARED = resolve(import.meta.dirname, '../../../shared');

describe.skipIf(!hasReference(FIXTURE, 'mnist'))('the MNIST pair of the reference, in the page', () => {
  const playground = usePlayground();

  it('has the reference’s distances, and its losses at both ends and half-way, naive and matched', async () => {
    const { files, pairs, normalisation } = referenceNumbers(FIXTURE);
    const [{ l2_before, weight_matching, methods, lambdas }] = pairs;
    const { page, messages } = await playground.open('#checkpoints?limit=0&points=3&analyses=match,line');
    await page
      .getByLabel('Choose file A')
      .setInputFiles(files.map((file: string) => `${SHARED}/reference/${FIXTURE}/${file}`));
    await page.locator('#outcome-match').waitFor();
    await page
      .getByLabel('Choose image files')
      .setInputFiles(
        ['images-idx3', 'labels-idx1'].map((name) => `${SHARED}/data/mnist/t10k-${name}-ubyte.gz`),
      );
    await page
      .getByText(
        `10,000 test images of 1×28×28 (t10k-images-idx3-ubyte). Pixels from 0 to 1, less ${normalisation.mean}`,
      )
      .waitFor();
    await page.locator('#analysis-match').uncheck();
    await page.getByRole('button', { name: 'Run', exact: true }).click();
    await page.locator('#outcome-line').waitFor({ timeout: 110_000 });

    const saved = async (analysis: string, name: string) => {
      const article = page.locator(`#outcome-${analysis}`);
      await article.locator('.provenance').evaluate((each) => each.setAttribute('open', ''));
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        article.getByRole('button', { name: `${name}.json`, exact: true }).click(),
      ]);
      return JSON.parse(readFileSync(await download.path(), 'utf8'));
    };
    const match = await saved('match', 'match');
    expect(match.distance.before).toBeCloseTo(l2_before, 4);
    expect(match.objective.before).toBeCloseTo(weight_matching.objective_per_sweep[0], 3);
    // The same order of visits, so the same local optimum.
    expect(match.objective.after).toBeCloseTo(weight_matching.objective_per_sweep.at(-1), 2);
    expect(match.distance.after).toBeCloseTo(methods.wm.l2, 3);
    expect(match.equivalence.passed).toBe(true);

    const points = [0, 0.5, 1].map((lambda) => lambdas.indexOf(lambda));
    const naive = await saved('line', 'sweep-naive');
    const aligned = await saved('line', 'sweep-aligned');
    for (const [sweep, { plain }] of [
      [naive, methods.naive],
      [aligned, methods.wm],
    ]) {
      for (const [i, point] of points.entries()) {
        expect(sweep.test.loss[i]).toBeCloseTo(plain.loss[point], 4);
        expect(sweep.test.accuracy[i]).toBeCloseTo(plain.acc[point], 3);
      }
    }
    expect(messages).toEqual([]);
  });
});
