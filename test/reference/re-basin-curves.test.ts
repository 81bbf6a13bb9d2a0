/**
 * Matchings, curves and variance ratios of the two reference pairs against numbers computed with PyTorch and SciPy, by the preset
 * `reference`. See curves.ts for how a run is resumed.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useContext } from '../support/context.ts';
import { hasReference, referenceNumbers } from '../support/reference.ts';
import { type Fixture, type MatchingName, type Point, ReferencePair } from './curves.ts';

/** REBASIN_HALF_WAY=1 looks at the midpoints alone: minutes in place of an hour. */
const LAMBDA = process.env.REBASIN_HALF_WAY ? [0.5] : Array.from({ length: 11 }, (_, i) => i / 10);

const FIXTURES: readonly (Fixture & { readonly withCurves: readonly MatchingName[] })[] = [
  {
    name: 'mnist-mlp',
    data: 'mnist',
    evaluation: { file: 't10k-images-idx3-ubyte.gz' },
    statistics: { file: 'train-images-idx3-ubyte.gz', limit: 10_000 },
    ratioTaps: 'weighted',
    renormalisation: 'repair',
    withCurves: ['naive', 'wm', 'am_corr', 'am_inner'],
  },
  {
    name: 'cifar10-resnet20',
    data: 'cifar-10',
    evaluation: { file: 'data_batch_5.bin.gz', limit: 2000 },
    statistics: { file: 'data_batch_1.bin.gz', limit: 1000 },
    ratioTaps: 'normalised',
    renormalisation: 'reset',
    withCurves: ['naive', 'wm', 'am_corr'],
  },
];

for (const fixture of FIXTURES) {
  describe.skipIf(!hasReference(fixture.name, fixture.data))(
    `the pair of ${fixture.name}`,
    { timeout: 7_200_000 },
    () => {
      const context = useContext();
      let pair: ReferencePair;
      const expected = () => referenceNumbers(fixture.name).pairs[0];
      beforeAll(async () => {
        pair = await ReferencePair.open(context(), fixture);
      });
      afterAll(() => pair?.destroy());

      it.each(['corr', 'inner'] as const)(
        'activation matching by %s reaches the objectives',
        async (name) => {
          const { groups } = await pair.matching(`am_${name}`);
          // The reference names groups its own way; the order is the network's in both.
          const theirs = Object.values(expected().activation_matching[name]) as (typeof groups)[string][];
          const ours = Object.values(groups);
          expect(ours).toHaveLength(theirs.length);
          for (const [i, { identity, matched }] of ours.entries()) {
            expect(Math.abs(matched / theirs[i]!.matched - 1)).toBeLessThan(1e-3);
            expect(Math.abs(identity - theirs[i]!.identity)).toBeLessThan(1e-3 * theirs[i]!.matched);
          }
        },
      );

      const cases = fixture.withCurves.flatMap((name) => [
        { name, kind: 'plain' },
        { name, kind: fixture.renormalisation },
      ]);
      it.each(cases)('the curve $name, $kind, lies on the reference', async ({ name, kind }) => {
        const theirs = expected().methods[name];
        const key = kind === 'reset' ? 'bn_reset' : kind;
        const points: Point[] = [];
        for (const lambda of LAMBDA) points.push(await pair.point(name, kind !== 'plain', lambda));
        const wanted = LAMBDA.map((lambda) => theirs[key].loss[Math.round(10 * lambda)]);
        const off = points.map(({ loss }, i) => Math.abs(loss - wanted[i]));
        console.info(
          `${fixture.name} ${name} ${kind}: loss ${points.map(({ loss }) => loss.toFixed(4)).join(' ')}; ` +
            `largest difference ${Math.max(...off).toExponential(1)}`,
        );
        for (const [i, difference] of off.entries()) {
          expect(difference, `loss at lambda ${LAMBDA[i]}`).toBeLessThanOrEqual(
            Math.max(0.02 * wanted[i], 0.005),
          );
        }
        const varianceRatio = points.find(({ lambda }) => lambda === 0.5)!.varianceRatio!;
        const ratios = theirs.variance_ratio[key];
        for (const [layer, ratio] of Object.entries(ratios)) {
          expect(Math.abs(varianceRatio[layer]! - (ratio as number)), layer).toBeLessThanOrEqual(0.01);
        }
      });
    },
  );
}
