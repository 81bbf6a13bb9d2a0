/**
 * The kernel support vector machine with an offset (Cortes and Vapnik 1995), `|w|^2 / 2 + cost sum_i [v_i xi_i + f(v_i; age)]` with hinge
 * losses xi_i = max(0, 1 - m_i), for paths in the age. The regulariser is scaled by the cost too, so that weights depend on the plain loss.
 *
 * Solved in the multipliers: with Q_ij = y_i y_j k(x_i, x_j), margins m = Q alpha + y b, and `y.alpha = 0`, each sample is beyond the margin
 * (m > 1, alpha = 0), on it (m = 1, 0 <= alpha <= cost), or has a loss: full (alpha = cost), partial (alpha = cost v(xi; age)) or
 * dropped (alpha = 0). With S on the margin and M partial, kappa = -cost dv/dxi and mu = cost dv/d(age), the derivatives solve
 *
 *     [ 0    y_S^T  y_M^T           ] [ db      ]   [ 0         ]
 *     [ y_S  Q_SS   Q_SM            ] [ dalpha_S] = [ 0         ] d(age)
 *     [ y_M  Q_MS   Q_MM - 1/kappa  ] [ dalpha_M]   [ -mu/kappa ]
 *
 * The solution is a strict local minimum of the latent objective just where this matrix has |S| positive and |M| + 1 negative eigenvalues
 * (it is a Schur complement of the Hessian on the tangent space). Rows and columns of M are scaled by sqrt(kappa), which keeps
 * the signs and stays finite as kappa goes to 0. For the linear regulariser the equations are linear: one solve is exact.
 */
import { DataError, OptionError, ShapeError } from '../base/errors.ts';
import { checkKernel, type Kernel, kernelMatrix } from './kernel.ts';
import { factoriseSymmetric, maxNorm, multiply } from './linear-algebra.ts';
import {
  checkFeatures,
  checkFinite,
  checkLabels,
  type FrozenSystem,
  type Pace,
  SET,
  type SelfPacedProblem,
  type Sets,
  sampleSet,
  type Work,
  weightsAt,
} from './problem.ts';
import { fitSupportVectors, marginsOf } from './support-vector-fit.ts';

/** Data and penalty of `supportVectorMachine`. */
export interface SupportVectorMachineData {
  /** f64 [samples, columns], row-major; read, not copied. */
  readonly features: Float64Array;
  /** 1 or -1, both of them, f64 [samples]. */
  readonly labels: Float64Array;
  /** Which kernel. */
  readonly kernel: Kernel;
  /** C: what a loss costs, above 0. */
  readonly cost: number;
  /** k(x_i, x_j), f64 [samples, samples], symmetric, where it is known already; default: computed here. Read, not kept. */
  readonly gram?: Float64Array;
}

/** A margin this near 1 is on the margin: solutions come from solves, with rounding. */
const ON_MARGIN = 1e-9;
/** So small a slope of the weight counts as none; keeps the scaling finite. */
const LEAST_SLOPE = 1e-24;

/**
 * A solution is [alpha, b], f64 [samples + 1]; without support vectors on the margin b is an interval, of which the end nearer to the start is taken.
 * @throws ShapeError, DataError or OptionError when the data do not fit, hold NaN or a single class, or an option is out of range.
 */
export function supportVectorMachine(data: SupportVectorMachineData): SelfPacedProblem {
  const { features, labels, kernel, cost } = data;
  const samples = labels.length;
  const columns = checkFeatures(features, samples, 'supportVectorMachine');
  checkLabels(labels, 'supportVectorMachine');
  checkKernel(kernel, 'supportVectorMachine');
  if (!labels.includes(1) || !labels.includes(-1)) {
    throw new DataError(
      `supportVectorMachine: expected both labels, 1 and -1, got only ${labels[0]}: any offset beyond 1 would do. Add samples of the other class`,
    );
  }
  if (!(cost > 0 && cost < Infinity)) {
    throw new OptionError(`supportVectorMachine: expected a cost above 0, got ${cost}`);
  }
  const q = signedGram(data, columns);
  const unit = Math.max(1, cost);
  const margins = (x: Float64Array) => marginsOf(q, labels, x);
  const lossOf = (margin: number) => Math.max(0, 1 - margin);

  function members(sets: Sets): { margin: number[]; partial: number[] } {
    const found = { margin: [] as number[], partial: [] as number[] };
    for (let i = 0; i < samples; i++) {
      if (sets[i] === SET.margin) found.margin.push(i);
      else if (sets[i] === SET.partial) found.partial.push(i);
    }
    return found;
  }

  const balance = (x: Float64Array) => labels.reduce((sum, y, i) => sum + y * x[i]!, 0);

  return {
    name: 'svm',
    quantity: 'multiplier',
    samples,
    unknowns: samples + 1,
    lossScale: cost,
    losses: (x) => margins(x).map(lossOf),
    roughness(x) {
      const m = margins(x);
      // alpha.Q alpha = alpha.(m - y b)
      return m.reduce((sum, each, i) => sum + (x[i]! * (each - labels[i]! * x[samples]!)) / 2, 0);
    },
    fit: (weights, start, work) =>
      fitSupportVectors(
        q,
        labels,
        weights.map((v) => cost * v),
        start,
        work,
      ),

    label(x: Float64Array, pace: Pace): Sets {
      const m = margins(x);
      const slack = ON_MARGIN * cost;
      const loss = pace.regulariser.fullUpTo(pace.age) > 0 ? SET.full : SET.partial;
      let marginal = -1;
      const sets = Uint8Array.from(m, (margin, i) => {
        if (Math.abs(margin - 1) <= ON_MARGIN) {
          if (x[i]! > slack && x[i]! < cost - slack) return SET.margin;
          marginal = i;
          return x[i]! > cost / 2 ? loss : SET.beyond;
        }
        return margin > 1 ? SET.beyond : sampleSet(1 - margin, pace);
      });
      // Without anyone on the margin the offset would be free: whoever holds it there counts as on it, with the multiplier of a bound.
      if (!sets.includes(SET.margin) && marginal >= 0) sets[marginal] = SET.margin;
      return sets;
    },

    slack(x: Float64Array, { regulariser, age }: Pace, sets: Sets): Float64Array {
      const [low, high] = [regulariser.fullUpTo(age), regulariser.droppedFrom(age)];
      return margins(x).map((margin, i) => {
        const loss = 1 - margin;
        if (sets[i] === SET.beyond) return -loss;
        if (sets[i] === SET.margin) return Math.min(x[i]!, cost - x[i]!) / cost;
        if (sets[i] === SET.full) return Math.min(loss, low - loss);
        return sets[i] === SET.partial ? Math.min(loss - low, high - loss) : loss - high;
      });
    },

    moved(index: number, x: Float64Array, { regulariser, age }: Pace, sets: Sets): number {
      const [low, high] = [regulariser.fullUpTo(age), regulariser.droppedFrom(age)];
      const loss = 1 - margins(x)[index]!;
      const costly = low > 0 ? SET.full : SET.partial;
      switch (sets[index]) {
        case SET.beyond:
          return SET.margin;
        case SET.margin:
          return x[index]! < cost / 2 ? SET.beyond : costly;
        case SET.full:
          if (loss < low - loss) return SET.margin;
          return regulariser.jumps ? SET.dropped : SET.partial;
        case SET.partial:
          if (loss - low > high - loss) return SET.dropped;
          return low > 0 ? SET.full : SET.margin;
        default:
          return regulariser.jumps ? SET.full : SET.partial;
      }
    },

    project: (x, sets) =>
      x.map((each, i) => {
        if (sets[i] === SET.beyond || sets[i] === SET.dropped) return 0;
        return sets[i] === SET.full ? cost : each;
      }),

    freeze(x: Float64Array, pace: Pace, sets: Sets, work: Work): FrozenSystem {
      const { regulariser } = pace;
      const { margin, partial } = members(sets);
      const order = [...margin, ...partial];
      const size = order.length + 1;
      const m = margins(x);
      /** sqrt(kappa) of the partial ones, 1 of those on the margin. */
      const scale = Float64Array.from(order, (i, a) =>
        a < margin.length
          ? 1
          : Math.sqrt(cost * Math.max(-regulariser.betweenByLoss(1 - m[i]!, pace.age), LEAST_SLOPE)),
      );
      const matrix = new Float64Array(size * size);
      for (let a = 0; a < order.length; a++) {
        const row = (a + 1) * size;
        const from = order[a]! * samples;
        matrix[row] = scale[a]! * labels[order[a]!]!;
        for (let b = 0; b <= a; b++) matrix[row + b + 1] = scale[a]! * scale[b]! * q[from + order[b]!]!;
        if (a >= margin.length) matrix[row + a + 1]! -= 1;
      }
      // With nobody on the margin and nobody partial, nothing moves, and the offset stays where it is.
      if (order.length === 0) {
        const still = () => new Float64Array(samples + 1);
        return { stable: true, step: still, tangent: still };
      }
      work.linearSolves++;
      const factors = factoriseSymmetric(matrix, size);
      const solve = (right: Float64Array) => {
        const solved = factors.solve(right);
        const result = new Float64Array(samples + 1);
        result[samples] = solved[0]!;
        order.forEach((i, a) => {
          result[i] = scale[a]! * solved[a + 1]!;
        });
        return result;
      };
      return {
        stable: factors.inertia.positive === margin.length && factors.inertia.negative === partial.length + 1,
        step: (at, atAge) => {
          const there = margins(at);
          const right = new Float64Array(size);
          right[0] = -balance(at);
          order.forEach((i, a) => {
            const loss = 1 - there[i]!;
            right[a + 1] =
              a < margin.length ? loss : (at[i]! - cost * regulariser.between(loss, atAge)) / scale[a]!;
          });
          return solve(right);
        },
        tangent: (at, atAge) => {
          const there = margins(at);
          const right = new Float64Array(size);
          partial.forEach((i, a) => {
            const k = margin.length + a;
            right[k + 1] = (-cost * regulariser.betweenByAge(1 - there[i]!, atAge)) / scale[k]!;
          });
          return solve(right);
        },
      };
    },

    frozenResidual(x: Float64Array, { regulariser, age }: Pace, sets: Sets): number {
      const { margin, partial } = members(sets);
      if (margin.length + partial.length === 0) return 0;
      const m = margins(x);
      let largest = Math.abs(balance(x));
      for (const i of margin) largest = Math.max(largest, Math.abs(1 - m[i]!));
      for (const i of partial) {
        const difference = x[i]! - cost * regulariser.between(1 - m[i]!, age);
        if (!(Math.abs(difference) <= largest)) largest = Math.abs(difference);
      }
      return largest / unit;
    },

    linearIn: (regulariser, sets) => regulariser.name === 'linear' || !sets.includes(SET.partial),

    residual(x: Float64Array, pace: Pace, sets?: Sets): number {
      const m = margins(x);
      const weights = weightsAt(m.map(lossOf), pace, sets);
      // The distance to the multipliers that a step down the gradient would lead to, within their bounds: 0 just at a solution.
      const violations = m.map((margin, i) => {
        const stepped = Math.min(Math.max(x[i]! - (margin - 1), 0), cost * weights[i]!);
        return x[i]! - stepped;
      });
      return Math.max(maxNorm(violations), Math.abs(balance(x))) / unit;
    },

    predictor(rows: Float64Array): (x: Float64Array) => Float64Array {
      if (rows.length % columns !== 0) {
        throw new ShapeError(
          `supportVectorMachine.predictor: expected rows of ${columns} features, got ${rows.length} numbers`,
        );
      }
      const kernels = kernelMatrix(kernel, rows, features, columns);
      return (x) => {
        const factors = labels.map((y, i) => y * x[i]!);
        return multiply(kernels, factors, rows.length / columns).map((each) => each + x[samples]!);
      };
    },
  };
}

function signedGram(
  { features, labels, kernel, gram }: SupportVectorMachineData,
  columns: number,
): Float64Array {
  const n = labels.length;
  if (gram && gram.length !== n * n) {
    throw new ShapeError(`supportVectorMachine: expected a gram of ${n} x ${n}, got ${gram.length} numbers`);
  }
  if (gram) {
    checkFinite(gram, 'supportVectorMachine', (k) => `gram entry ${Math.floor(k / n)}, ${k % n}`);
  }
  const k = gram ?? kernelMatrix(kernel, features, features, columns);
  return k.map((each, index) => each * labels[Math.floor(index / n)]! * labels[index % n]!);
}
