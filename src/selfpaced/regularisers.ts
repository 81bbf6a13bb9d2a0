/**
 * Self-paced regularisers: what turns losses into sample weights.
 *
 * Self-paced learning (Kumar, Packer and Koller, "Self-paced learning for latent variable models", NIPS 2010) fits
 * `R(w) + sum_i v_i l_i(w) + sum_i f(v_i; age)` over a model w and weights v in [0, 1]. For fixed losses the best weight is
 * `v*(l; age) = argmin_v v l + f(v; age)`: 1 at loss 0, falling with the loss, rising with the age. The weight-free view of the same
 * problem is the latent loss `F(l; age)`, the integral of v* from 0 to l: concave, so large losses count less than in full training.
 *
 * Losses fall into three sets: weight 1 up to `fullUpTo`, weight 0 from `droppedFrom`, and a formula between the two.
 * Regularisers: hard (Kumar 2010); linear, logarithmic and mixture (Jiang, Meng, Mitamura and Hauptmann 2014; Zhao, Meng, Jiang, Xie, Xu
 * and Hauptmann 2015); polynomial (Gong, Li, Meng, Miao and Liu 2018, of which linear is t = 2); LOG and exponential (Liu, Ma and Meng
 * 2018; Fan, He, Liang and Hu 2017). Derivatives are elementary; tests compare them with finite differences.
 */
import { OptionError } from '../base/errors.ts';
import { exp, log, pow } from '../base/portable.ts';
import { sigmoid, softplus } from './logistic-function.ts';

/** Their names, as options take them. */
export const REGULARISER_NAMES = [
  'hard',
  'linear',
  'polynomial',
  'logarithmic',
  'mixture',
  'log',
  'exponential',
] as const;

/** Name of a self-paced regulariser. */
export type RegulariserName = (typeof REGULARISER_NAMES)[number];

/** What defines a regulariser. Losses are at least 0, ages between 0 and `ageLimit`, both ends excluded. */
interface Definition {
  /** What it is. */
  readonly name: RegulariserName;
  /** Ages stay below this: Infinity, or 1 for `logarithmic`. */
  readonly ageLimit: number;
  /** f(v; age), 0 <= v <= 1; may be shifted by a term that does not depend on v. */
  penalty(weight: number, age: number): number;
  /** The largest loss of weight 1; 0 where only loss 0 has it. */
  fullUpTo(age: number): number;
  /** The smallest loss of weight 0; Infinity where there is none. */
  droppedFrom(age: number): number;
  /** The inverse of `droppedFrom`; where no loss is dropped, the loss itself: its weight is then 1/e (exponential), a half or more (log). */
  ageDropping(loss: number): number;
  /** The weight between the two. Continues smoothly beyond either as far as its formula does. */
  between(loss: number, age: number): number;
  /** Derivative of `between` by the loss: below 0. */
  betweenByLoss(loss: number, age: number): number;
  /** Derivative of `between` by the age: above 0 (`logarithmic`: for all losses only up to age 1 - 1/e). */
  betweenByAge(loss: number, age: number): number;
  /** The latent loss where `between` holds. */
  latentBetween(loss: number, age: number): number;
}

/** How the weight of a sample follows from its loss and the age. */
export interface SelfPacedRegulariser extends Definition {
  /** The best weight v*(loss; age), from 0 to 1. Where it jumps (hard, at loss = age) the sample is dropped. */
  weight(loss: number, age: number): number;
  /** F(loss; age), the latent loss: the integral of `weight` from 0 to `loss`. */
  latent(loss: number, age: number): number;
  /** Whether the weight jumps from 1 to 0 with nothing between. */
  readonly jumps: boolean;
}

/** Constants of a regulariser. */
export interface RegulariserOptions {
  /** Exponent t > 1 of `polynomial`. Default 1.5, which leaves weight 0 smoothly; above 2 it leaves like a root. */
  readonly exponent?: number;
  /** Scale g > 0 of `mixture`. Default 1. */
  readonly scale?: number;
}

/**
 * Makes a regulariser.
 *
 * - `hard`: weight 1 below loss = age, 0 from there.
 * - `linear`: 1 - l/age.
 * - `polynomial`: (1 - l/age)^(1/(t-1)).
 * - `logarithmic`: ln(l + 1 - age) / ln(1 - age); ages below 1. Beyond age 1 - 1/e small losses lose weight again.
 * - `mixture`: g (1/sqrt(l) - 1/age), 1 where that exceeds 1, 0 from l = age^2. At a large age it stays g/sqrt(l), unlike the others,
 *   which all become full training.
 * - `log`: (1 + e^-age) / (1 + e^(l-age)); never 0.
 * - `exponential`: e^(-l/age); never 0.
 *
 * @throws OptionError for an unknown name, or an option out of range.
 */
export function selfPacedRegulariser(
  name: RegulariserName,
  options: RegulariserOptions = {},
): SelfPacedRegulariser {
  const { exponent = 1.5, scale = 1 } = options;
  if (!(exponent > 1 && exponent < Infinity)) {
    throw new OptionError(`selfPacedRegulariser: expected an exponent above 1, got ${exponent}`);
  }
  if (!(scale > 0 && scale < Infinity)) {
    throw new OptionError(`selfPacedRegulariser: expected a scale above 0, got ${scale}`);
  }
  if (!REGULARISER_NAMES.includes(name)) {
    throw new OptionError(
      `selfPacedRegulariser: expected one of ${REGULARISER_NAMES.join(', ')}, got ${JSON.stringify(name)}`,
    );
  }
  const definitions: Record<RegulariserName, () => Definition> = {
    hard: () => hard,
    linear: () => polynomial('linear', 2),
    polynomial: () => polynomial('polynomial', exponent),
    logarithmic: () => logarithmic,
    mixture: () => mixture(scale),
    log: () => logistic,
    exponential: () => exponential,
  };
  return complete(definitions[name]());
}

/** @throws OptionError naming the caller when the regulariser has no such age. */
export function checkAge(regulariser: SelfPacedRegulariser, age: number, caller: string): void {
  const { name, ageLimit } = regulariser;
  if (age > 0 && age < ageLimit) return;
  const range = ageLimit === Infinity ? 'a finite age above 0' : `an age between 0 and ${ageLimit}`;
  throw new OptionError(`${caller}: expected ${range} for the regulariser "${name}", got ${age}`);
}

function complete(definition: Definition): SelfPacedRegulariser {
  const { fullUpTo, droppedFrom, between, latentBetween } = definition;
  return {
    ...definition,
    jumps: definition.name === 'hard',
    weight(loss, age) {
      if (loss >= droppedFrom(age)) return 0;
      return loss <= fullUpTo(age) ? 1 : between(loss, age);
    },
    latent(loss, age) {
      if (loss <= fullUpTo(age)) return loss;
      return latentBetween(Math.min(loss, droppedFrom(age)), age);
    },
  };
}

const hard: Definition = {
  name: 'hard',
  ageLimit: Infinity,
  penalty: (v, age) => -age * v,
  fullUpTo: (age) => age,
  droppedFrom: (age) => age,
  ageDropping: (loss) => loss,
  between: () => 0,
  betweenByLoss: () => 0,
  betweenByAge: () => 0,
  latentBetween: (_loss, age) => age,
};

/** (1 - l/age)^p with p = 1/(t - 1). Beyond l = age the root of the negative number is taken with its sign: finite, and smooth for t <= 2. */
function polynomial(name: 'linear' | 'polynomial', t: number): Definition {
  const p = 1 / (t - 1);
  const power = (x: number, y: number) =>
    y === 1 ? x : y === 0 ? 1 : x < 0 ? -pow(-x, y) : x === 0 && y < 0 ? Infinity : pow(x, y);
  // (d/dx) sign(x) |x|^p = p |x|^(p - 1).
  const slope = (x: number) => p * (p === 1 ? 1 : power(Math.abs(x), p - 1));
  return {
    name,
    ageLimit: Infinity,
    penalty: (v, age) => age * (power(v, t) / t - v),
    fullUpTo: () => 0,
    droppedFrom: (age) => age,
    ageDropping: (loss) => loss,
    between: (l, age) => power(1 - l / age, p),
    betweenByLoss: (l, age) => -slope(1 - l / age) / age,
    betweenByAge: (l, age) => (slope(1 - l / age) * l) / (age * age),
    latentBetween: (l, age) => (age / (p + 1)) * (1 - power(Math.abs(1 - l / age), p + 1)),
  };
}

const logarithmic: Definition = {
  name: 'logarithmic',
  ageLimit: 1,
  penalty: (v, age) => (1 - age) * v - pow(1 - age, v) / log(1 - age),
  fullUpTo: () => 0,
  droppedFrom: (age) => age,
  ageDropping: (loss) => loss,
  between: (l, age) => log(l + 1 - age) / log(1 - age),
  betweenByLoss: (l, age) => 1 / ((l + 1 - age) * log(1 - age)),
  betweenByAge: (l, age) => {
    const z = 1 - age;
    const logZ = log(z);
    return -(logZ / (l + z) - log(l + z) / z) / (logZ * logZ);
  },
  latentBetween: (l, age) => {
    const z = 1 - age;
    return ((l + z) * log(l + z) - l - z * log(z)) / log(z);
  },
};

function mixture(g: number): Definition {
  const fullUpTo = (age: number) => {
    const root = (age * g) / (age + g);
    return root * root;
  };
  return {
    name: 'mixture',
    ageLimit: Infinity,
    penalty: (v, age) => (g * g) / (v + g / age),
    fullUpTo,
    droppedFrom: (age) => age * age,
    ageDropping: (loss) => Math.sqrt(loss),
    between: (l, age) => g * (1 / Math.sqrt(l) - 1 / age),
    betweenByLoss: (l) => -g / (2 * l * Math.sqrt(l)),
    betweenByAge: (_loss, age) => g / (age * age),
    latentBetween: (l, age) => {
      const a = fullUpTo(age);
      return a + 2 * g * (Math.sqrt(l) - Math.sqrt(a)) - (g * (l - a)) / age;
    },
  };
}

const timesLog = (x: number) => (x > 0 ? x * log(x) : 0);

const logistic: Definition = {
  name: 'log',
  ageLimit: Infinity,
  penalty: (v, age) => timesLog(1 + exp(-age) - v) + timesLog(v) - age * v,
  fullUpTo: () => 0,
  droppedFrom: () => Infinity,
  ageDropping: (loss) => loss,
  between: (l, age) => (1 + exp(-age)) * sigmoid(age - l),
  betweenByLoss: (l, age) => -(1 + exp(-age)) * sigmoid(age - l) * sigmoid(l - age),
  betweenByAge: (l, age) => {
    const s = sigmoid(age - l);
    return -exp(-age) * s + (1 + exp(-age)) * s * sigmoid(l - age);
  },
  latentBetween: (l, age) => (1 + exp(-age)) * (l - softplus(l - age) + softplus(-age)),
};

const exponential: Definition = {
  name: 'exponential',
  ageLimit: Infinity,
  penalty: (v, age) => age * (timesLog(v) - v),
  fullUpTo: () => 0,
  droppedFrom: () => Infinity,
  ageDropping: (loss) => loss,
  between: (l, age) => exp(-l / age),
  betweenByLoss: (l, age) => -exp(-l / age) / age,
  betweenByAge: (l, age) => (exp(-l / age) * l) / (age * age),
  latentBetween: (l, age) => age * (1 - exp(-l / age)),
};
