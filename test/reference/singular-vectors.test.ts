/** Singular values and vectors of the reference pair of MNIST MLPs, against a float64 library and the reference's distances. */
import { SingularValueDecomposition as Float64Decomposition, Matrix } from 'ml-matrix';
import { describe, expect, it } from 'vitest';
import { analyseSingularVectors } from '../../src/rebasin/analysis/singular-vectors.ts';
import { matchModels } from '../../src/rebasin/matching/match.ts';
import { useContext } from '../support/context.ts';
import { hasReference, referenceData, referenceModel, referenceNumbers } from '../support/reference.ts';

const FIXTURE = 'mnist-mlp';

describe.skipIf(!hasReference(FIXTURE, 'mnist'))(
  'singular vectors of the MNIST pair',
  { timeout: 1_800_000 },
  () => {
    const context = useContext();

    it('distances, invariance, values as in float64, and R with matching above R without', async () => {
      const [fileA, fileB] = referenceNumbers(FIXTURE).files;
      const a = await referenceModel(FIXTURE, fileA);
      const b = await referenceModel(FIXTURE, fileB);
      const { aligned } = await matchModels(context(), { model: a.model, a: a.values, b: b.values });
      const data = await referenceData(context(), FIXTURE, 'mnist', 't10k-images-idx3-ubyte.gz', 1000);
      const started = performance.now();
      const found = await analyseSingularVectors(context(), {
        ...{ model: a.model, a: a.values, b: b.values, aligned, data },
      });
      data.destroy();
      const { distance, alignment, gammas, layers, invariance } = found;
      const show = (values: readonly number[]) => values.map((value) => value.toFixed(3)).join(' ');
      console.info(`${((performance.now() - started) / 1000).toFixed(1)} s; distance`, distance);
      console.info(`largest |sigma(B) - sigma(pi(B))| / sigma_1: ${invariance.toExponential(2)}`);
      for (const { networks, score, kept } of alignment)
        console.info(`R(${networks.join(', ')}): ${show(score)}; pairs ${kept.join(' ')}`);
      for (const { layer, decomposition, distance: own, inputDirections: to, singularValues } of layers) {
        console.info(layer, decomposition, own, `sigma ${show(singularValues.a.slice(0, 5))} ...`);
        const quarter = (values: readonly number[], k: number) =>
          values.slice(Math.floor((k * values.length) / 4), Math.floor(((k + 1) * values.length) / 4));
        const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / values.length;
        const quarters = [0, 1, 2, 3].map((k) => mean(quarter(to!.a, k)));
        console.info(
          `inputs of ${layer} by quarters of sigma: ${show(quarters)}; at random ${to!.random.toFixed(3)}`,
        );
      }

      expect(distance.before).toBeCloseTo(42.9446, 4);
      expect(distance.after).toBeLessThanOrEqual(36.6745);
      expect(distance.reduction).toBeCloseTo(1 - distance.after / distance.before, 12);
      expect(invariance).toBeLessThan(1e-5);
      const [without, matched] = alignment;
      for (const [at, gamma] of gammas.entries()) {
        if (gamma >= 0.3) expect(matched!.score[at]! - without!.score[at]!).toBeGreaterThan(0.1);
      }
      for (const { weight, shape, singularValues, decomposition } of layers) {
        expect(decomposition).toMatchObject({ converged: true });
        expect(decomposition.orthogonality).toBeLessThan(1e-4);
        expect(decomposition.residual).toBeLessThan(1e-5);
        const matrix = Matrix.from1DArray(shape[0], shape[1], a.values.get(weight)!);
        const { diagonal } = new Float64Decomposition(matrix.transpose(), {
          computeLeftSingularVectors: false,
          computeRightSingularVectors: false,
        });
        for (const [i, sigma] of singularValues.a.entries())
          expect(Math.abs(sigma - diagonal[i]!), `${weight}, ${i}`).toBeLessThan(1e-4 * diagonal[i]!);
      }
    });
  },
);
