/**
 * The Lasso (Tibshirani 1996), `penalty |w|_1 + (ridge / 2) |w|^2 + sum_i v_i r_i^2 / 2` with residuals r = y - Xw, for paths in the age.
 *
 * A coefficient is 0 or has a sign; call those with one active, A. With c_j = x_j.(v o r) the conditions are
 * `c_j - ridge w_j = penalty sign(w_j)` on A, and |c_j| <= penalty elsewhere. On samples with a weight by formula the weight depends on
 * the residual, so a residual counts with `theta_i = v_i + (dv_i/dl_i) r_i^2` in the matrix `X_A^T diag(theta) X_A + ridge I` (theta is 1
 * at weight 1 and 0 at weight 0; below 0 where a larger residual pulls less). `dw_A/d(age)` solves it against
 * `X_A^T ((dv/d age) o r)`. For the mixture regulariser `v_i r_i = sqrt(2) g sign(r_i) - (g/age) r_i` there: linear, so one solve is exact.
 */
import { OptionError } from '../base/errors.ts';
import { fitLasso } from './lasso-fit.ts';
import { factoriseSymmetric, maxNorm, multiply, multiplyTransposed } from './linear-algebra.ts';
import { predictLinear, weightedGram } from './linear-model.ts';
import {
  checkFeatures,
  checkFinite,
  type FrozenSystem,
  nextSampleSet,
  type Pace,
  SET,
  type SelfPacedProblem,
  type Sets,
  sampleSet,
  sampleSlack,
  type Work,
  weightsAt,
} from './problem.ts';

/** Data and penalties of `lasso`. */
export interface LassoData {
  /** f64 [samples, columns], row-major; read, not copied. There is no intercept: centre features and targets. */
  readonly features: Float64Array;
  /** f64 [samples]. */
  readonly targets: Float64Array;
  /** Of |w|_1, at least 0. Losses are not divided by the number of samples. */
  readonly penalty: number;
  /** Of |w|^2 / 2, at least 0 (default); above 0 this is the elastic net (Zou and Hastie 2005), and with penalty 0 ridge regression. */
  readonly ridge?: number;
}

/** @throws ShapeError, DataError or OptionError when the data do not fit, hold NaN, or neither penalty is above 0. */
export function lasso({ features, targets, penalty, ridge = 0 }: LassoData): SelfPacedProblem {
  const samples = targets.length;
  const columns = checkFeatures(features, samples, 'lasso');
  checkFinite(targets, 'lasso', (i) => `target of sample ${i}`);
  if (!(penalty >= 0 && ridge >= 0 && penalty + ridge > 0 && penalty + ridge < Infinity)) {
    throw new OptionError(
      `lasso: expected a penalty and a ridge of at least 0, one of them above, got ${penalty} and ${ridge}`,
    );
  }
  /** Correlations are products of features and residuals: rounding grows with them. */
  const unit = Math.max(1, maxNorm(features) * Math.max(1, maxNorm(targets)));

  const residualsOf = (w: Float64Array) => multiply(features, w, samples).map((fit, i) => targets[i]! - fit);
  const lossOf = (r: number) => (r * r) / 2;
  /** c - ridge w: what the sign of each coefficient is held against. */
  const pull = (w: Float64Array, weights: Float64Array, r: Float64Array) =>
    multiplyTransposed(
      features,
      weights.map((v, i) => v * r[i]!),
      columns,
    ).map((c, j) => c - ridge * w[j]!);
  const activeOf = (sets: Sets) => {
    const active: number[] = [];
    for (let j = 0; j < columns; j++) if (sets[samples + j] !== SET.zero) active.push(j);
    return active;
  };
  const signOf = (set: number) => (set === SET.positive ? 1 : set === SET.negative ? -1 : 0);

  function frozenWeights(r: Float64Array, { regulariser, age }: Pace, sets: Sets): Float64Array {
    return r.map((each, i) =>
      sets[i] === SET.partial ? regulariser.between(lossOf(each), age) : sets[i] === SET.full ? 1 : 0,
    );
  }

  /** The equations of the active coefficients, and -w_j for the others, which are to be 0. */
  function frozenPull(w: Float64Array, pace: Pace, sets: Sets): Float64Array {
    const r = residualsOf(w);
    return pull(w, frozenWeights(r, pace, sets), r).map((each, j) =>
      sets[samples + j] === SET.zero ? -w[j]! : each - penalty * signOf(sets[samples + j]!),
    );
  }

  return {
    name: 'lasso',
    quantity: 'coefficient',
    samples,
    unknowns: columns,
    lossScale: 1,
    losses: (w) => residualsOf(w).map(lossOf),
    roughness: (w) => w.reduce((sum, each) => sum + penalty * Math.abs(each) + (ridge / 2) * each * each, 0),
    fit: (weights, start, work) => fitLasso({ features, targets, penalty, ridge }, weights, start, work),

    label(w: Float64Array, pace: Pace): Sets {
      const sets = new Uint8Array(samples + columns);
      residualsOf(w).forEach((r, i) => {
        sets[i] = sampleSet(lossOf(r), pace);
      });
      // What a solve leaves of a 0 has no sign.
      const tiny = 1e-13 * (1 + maxNorm(w));
      w.forEach((each, j) => {
        const bySign = each > tiny ? SET.positive : each < -tiny ? SET.negative : SET.zero;
        sets[samples + j] = penalty === 0 ? SET.free : bySign;
      });
      return sets;
    },

    slack(w: Float64Array, pace: Pace, sets: Sets): Float64Array {
      const r = residualsOf(w);
      const c = pull(w, frozenWeights(r, pace, sets), r);
      const slack = new Float64Array(samples + columns);
      for (let i = 0; i < samples; i++) slack[i] = sampleSlack(lossOf(r[i]!), sets[i]!, pace);
      for (let j = 0; j < columns; j++) {
        const set = sets[samples + j]!;
        if (set === SET.free) slack[samples + j] = Infinity;
        else slack[samples + j] = set === SET.zero ? 1 - Math.abs(c[j]!) / penalty : signOf(set) * w[j]!;
      }
      return slack;
    },

    moved(index: number, w: Float64Array, pace: Pace, sets: Sets): number {
      const r = residualsOf(w);
      if (index < samples) return nextSampleSet(lossOf(r[index]!), sets[index]!, pace);
      if (sets[index] !== SET.zero) return SET.zero;
      return pull(w, frozenWeights(r, pace, sets), r)[index - samples]! > 0 ? SET.positive : SET.negative;
    },

    project: (w, sets) => w.map((each, j) => (sets[samples + j] === SET.zero ? 0 : each)),

    freeze(w: Float64Array, pace: Pace, sets: Sets, work: Work): FrozenSystem {
      const { regulariser, age } = pace;
      const active = activeOf(sets);
      const r = residualsOf(w);
      const theta = frozenWeights(r, pace, sets).map((v, i) =>
        sets[i] === SET.partial ? v + regulariser.betweenByLoss(lossOf(r[i]!), age) * r[i]! * r[i]! : v,
      );
      work.linearSolves++;
      const matrix = weightedGram(features, theta, columns, active);
      for (let a = 0; a < active.length; a++) matrix[a * active.length + a]! += ridge;
      const factors = factoriseSymmetric(matrix, active.length);
      /** From the right-hand sides of all coefficients; those at 0 keep theirs. */
      const solve = (right: Float64Array) => {
        const solved = factors.solve(Float64Array.from(active, (j) => right[j]!));
        const result = right.slice();
        active.forEach((j, a) => {
          result[j] = solved[a]!;
        });
        return result;
      };
      return {
        stable: factors.inertia.positive === active.length,
        step: (at, atAge) => solve(frozenPull(at, { regulariser, age: atAge }, sets)),
        tangent: (at, atAge) => {
          const push = residualsOf(at).map((each, i) =>
            sets[i] === SET.partial ? regulariser.betweenByAge(lossOf(each), atAge) * each : 0,
          );
          return solve(
            multiplyTransposed(features, push, columns).map((each, j) =>
              sets[samples + j] === SET.zero ? 0 : each,
            ),
          );
        },
      };
    },
    frozenResidual: (w, pace, sets) => maxNorm(frozenPull(w, pace, sets)) / unit,
    linearIn: (regulariser, sets) =>
      regulariser.name === 'mixture' || !sets.subarray(0, samples).includes(SET.partial),
    residual(w: Float64Array, pace: Pace, sets?: Sets): number {
      const r = residualsOf(w);
      const c = pull(w, weightsAt(r.map(lossOf), pace, sets), r);
      const violations = c.map((each, j) =>
        w[j] === 0 ? Math.max(0, Math.abs(each) - penalty) : each - penalty * Math.sign(w[j]!),
      );
      return maxNorm(violations) / unit;
    },
    predictor: (rows) => (w) => predictLinear(w, rows, 'lasso.predictor'),
  };
}
