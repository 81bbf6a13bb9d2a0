/**
 * Logistic regression with an l2 penalty, `(penalty / 2) |w|^2 + sum_i v_i ln(1 + e^(-y_i x_i.w))`, for paths in the age.
 *
 * With p_i = sigmoid(-y_i x_i.w), the conditions are `penalty w = sum_i v_i p_i y_i x_i`. On samples with a weight by formula the weight
 * itself depends on w, so the matrix of derivatives is
 * `penalty I + sum_i [v_i p_i (1 - p_i) + (dv_i/dl_i) p_i^2] x_i x_i^T`, and `dw/d(age)` solves it against `sum_i (dv_i/d age) p_i y_i x_i`.
 * As dv/dl < 0 it may be indefinite; the solution is a strict local minimum where it is positive definite.
 */
import { OptionError } from '../base/errors.ts';
import { factoriseSymmetric, maxNorm, multiply, multiplyTransposed } from './linear-algebra.ts';
import { predictLinear, weightedGram } from './linear-model.ts';
import { sigmoid, softplus } from './logistic-function.ts';
import {
  checkFeatures,
  checkLabels,
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

/** Data and penalty of `logisticRegression`. */
export interface LogisticRegressionData {
  /** f64 [samples, columns], row-major; read, not copied. For an intercept add a constant column (it is penalised like the others). */
  readonly features: Float64Array;
  /** 1 or -1, f64 [samples]. */
  readonly labels: Float64Array;
  /** Of |w|^2 / 2, above 0: without it, separable samples have no solution. */
  readonly penalty: number;
}

const MOST_NEWTON_STEPS = 100;

/** @throws ShapeError, DataError or OptionError when the data do not fit, hold NaN, or the penalty is not above 0. */
export function logisticRegression({ features, labels, penalty }: LogisticRegressionData): SelfPacedProblem {
  const samples = labels.length;
  const columns = checkFeatures(features, samples, 'logisticRegression');
  checkLabels(labels, 'logisticRegression');
  if (!(penalty > 0 && penalty < Infinity)) {
    throw new OptionError(`logisticRegression: expected a penalty above 0, got ${penalty}`);
  }
  /** Gradients are sums of features: rounding grows with them. */
  const unit = Math.max(1, maxNorm(features));

  const scores = (w: Float64Array) => multiply(features, w, samples).map((z, i) => labels[i]! * z);
  /** sum_i factor_i y_i x_i. */
  const combine = (factors: Float64Array) =>
    multiplyTransposed(
      features,
      factors.map((factor, i) => factor * labels[i]!),
      columns,
    );

  /** penalty I + sum_i curvature_i x_i x_i^T, the lower triangle. */
  function hessian(curvature: Float64Array): Float64Array {
    const matrix = weightedGram(features, curvature, columns);
    for (let j = 0; j < columns; j++) matrix[j * columns + j]! += penalty;
    return matrix;
  }

  /** sum_i v_i p_i y_i x_i - penalty w: 0 at a solution. */
  function descent(w: Float64Array, weights: Float64Array, p: Float64Array): Float64Array {
    return combine(weights.map((v, i) => v * p[i]!)).map((sum, j) => sum - penalty * w[j]!);
  }

  /** The weight of each sample by its set, and how it changes with the loss. */
  function frozenWeights(losses: Float64Array, { regulariser, age }: Pace, sets: Sets): Float64Array {
    return losses.map((loss, i) =>
      sets[i] === SET.partial ? regulariser.between(loss, age) : sets[i] === SET.full ? 1 : 0,
    );
  }

  function frozenDescent(w: Float64Array, pace: Pace, sets: Sets): Float64Array {
    const z = scores(w);
    return descent(
      w,
      frozenWeights(
        z.map((each) => softplus(-each)),
        pace,
        sets,
      ),
      z.map((each) => sigmoid(-each)),
    );
  }

  return {
    name: 'logistic',
    quantity: 'coefficient',
    samples,
    unknowns: columns,
    lossScale: 1,
    losses: (w) => scores(w).map((z) => softplus(-z)),
    roughness: (w) => (penalty / 2) * w.reduce((sum, each) => sum + each * each, 0),

    fit(weights: Float64Array, start: Float64Array, work: Work): Float64Array {
      const objective = (w: Float64Array) =>
        scores(w).reduce((sum, z, i) => sum + weights[i]! * softplus(-z), 0) + this.roughness(w);
      let w = start.slice();
      let value = objective(w);
      for (let iteration = 0; iteration < MOST_NEWTON_STEPS; iteration++) {
        const p = scores(w).map((z) => sigmoid(-z));
        const gradient = descent(w, weights, p);
        const curvature = p.map((each, i) => weights[i]! * each * (1 - each));
        work.linearSolves++;
        const step = factoriseSymmetric(hessian(curvature), columns).solve(gradient);
        const slope = step.reduce((sum, each, j) => sum + each * gradient[j]!, 0);
        let [length, next] = [1, w];
        let nextValue = value;
        // Near the solution the objective no longer tells points apart, and full steps are right.
        const settled = maxNorm(step) <= 1e-6 * (1 + maxNorm(w));
        do {
          next = w.map((each, j) => each + length * step[j]!);
          nextValue = objective(next);
          length /= 2;
        } while (!settled && nextValue > value - 1e-4 * 2 * length * slope && length > 1e-10);
        const moved = maxNorm(step);
        w = next;
        value = nextValue;
        if (settled && moved <= 1e-9 * (1 + maxNorm(w))) break;
      }
      return w;
    },

    label(w: Float64Array, pace: Pace): Sets {
      return Uint8Array.from(this.losses(w), (loss) => sampleSet(loss, pace));
    },
    slack(w: Float64Array, pace: Pace, sets: Sets): Float64Array {
      return this.losses(w).map((loss, i) => sampleSlack(loss, sets[i]!, pace));
    },
    moved(index: number, w: Float64Array, pace: Pace, sets: Sets): number {
      return nextSampleSet(this.losses(w)[index]!, sets[index]!, pace);
    },

    project: (w) => w.slice(),

    freeze(w: Float64Array, pace: Pace, sets: Sets, work: Work): FrozenSystem {
      const { regulariser, age } = pace;
      const z = scores(w);
      const losses = z.map((each) => softplus(-each));
      const weights = frozenWeights(losses, pace, sets);
      const curvature = z.map((each, i) => {
        const p = sigmoid(-each);
        const byLoss = sets[i] === SET.partial ? regulariser.betweenByLoss(losses[i]!, age) : 0;
        return weights[i]! * p * (1 - p) + byLoss * p * p;
      });
      work.linearSolves++;
      const factors = factoriseSymmetric(hessian(curvature), columns);
      return {
        stable: factors.inertia.positive === columns,
        step: (at, atAge) => factors.solve(frozenDescent(at, { regulariser, age: atAge }, sets)),
        tangent: (at, atAge) => {
          const push = scores(at).map((each, i) =>
            sets[i] === SET.partial ? regulariser.betweenByAge(softplus(-each), atAge) * sigmoid(-each) : 0,
          );
          return factors.solve(combine(push));
        },
      };
    },
    frozenResidual: (w, pace, sets) => maxNorm(frozenDescent(w, pace, sets)) / unit,
    linearIn: () => false,
    residual(w: Float64Array, pace: Pace, sets?: Sets): number {
      const z = scores(w);
      const weights = weightsAt(
        z.map((each) => softplus(-each)),
        pace,
        sets,
      );
      return (
        maxNorm(
          descent(
            w,
            weights,
            z.map((each) => sigmoid(-each)),
          ),
        ) / unit
      );
    },
    predictor: (rows) => (w) => predictLinear(w, rows, 'logisticRegression.predictor'),
  };
}
