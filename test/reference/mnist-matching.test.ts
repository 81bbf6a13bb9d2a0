/** Weight matching of the reference pair of MNIST MLPs, against numbers computed with SciPy (reference.json). */
import { describe, expect, it } from 'vitest';
import { weightMatching } from '../../src/rebasin/matching/weight-matching.ts';
import { checkGraphEquivalence } from '../../src/rebasin/spec/equivalence.ts';
import { useContext } from '../support/context.ts';
import { hasMnistMlp, loadMnistMlp } from '../support/mnist-mlp.ts';

describe.skipIf(!hasMnistMlp())('weightMatching of the MNIST pair', () => {
  const context = useContext();

  it('in graph order reaches the objective and the distance of the reference', async () => {
    const { spec, a, b } = await loadMnistMlp();
    const started = performance.now();
    const result = await weightMatching(context(), { spec, a, b });
    console.info(
      `graph order: objective ${result.objective.after.toFixed(6)}, distance ${result.distance.after.toFixed(5)}, ` +
        `${result.sweeps} sweeps: ${result.objectivePerSweep.map((value) => value.toFixed(3)).join(' ')}, ` +
        `${((performance.now() - started) / 1000).toFixed(2)} s`,
    );
    expect(result.objective.before).toBeCloseTo(6.48617107, 6);
    expect(result.distance.before).toBeCloseTo(42.944576, 5);
    expect(result.objective.after).toBeGreaterThanOrEqual(256.0);
    expect(result.distance.after).toBeLessThanOrEqual(36.68);
    expect(result.converged).toBe(true);
  });

  it('in five random orders comes close to it', async () => {
    const { spec, a, b } = await loadMnistMlp();
    for (let seed = 0; seed < 5; seed++) {
      const result = await weightMatching(context(), { spec, a, b, order: 'random', seed });
      console.info(
        `random order, seed ${seed}: objective ${result.objective.after.toFixed(6)}, ${result.sweeps} sweeps`,
      );
      expect(result.objective.after).toBeGreaterThanOrEqual(255.5);
      expect(result.converged).toBe(true);
    }
  });

  it('rests on a sound spec', async () => {
    const { spec, logits, a } = await loadMnistMlp();
    const equivalence = await checkGraphEquivalence(context(), spec, [logits], { values: a });
    console.info(`equivalence: largest relative difference ${equivalence.maxDifference.toExponential(2)}`);
    expect(equivalence.passed).toBe(true);
  });
});
