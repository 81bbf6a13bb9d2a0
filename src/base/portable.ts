/**
 * Elementary functions with the same bits in every JavaScript engine. ECMAScript leaves the accuracy of Math.exp, log, sin,
 * cos, tanh and pow to the engine, and engines differ; + - * / and sqrt are IEEE 754 everywhere. Only those, comparisons,
 * Math.floor, Math.abs and integer operations are used here.
 *
 * The method is the classic one: reduce the argument exactly (two or three parts of ln 2 or pi/2), then sum a Taylor
 * series on the small remainder, long enough that its error is below half a unit in the last place, smallest term first.
 * Measured against 60-digit references all functions are within 1.3 units in the last place (see the tests).
 */

/** ln 2 in two parts: the first has 32 bits, so that a small integer times it is exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;
const LOG2_E = Math.LOG2E;
const TWO_OVER_PI = 0.6366197723675814;
/** pi / 2 in three parts: the first two have 33 bits, so that an integer below 2^20 times them is exact. */
const HALF_PI_1 = 1.5707963267341256;
const HALF_PI_2 = 6.077100506303966e-11;
const HALF_PI_3 = 2.0222662487959506e-21;
const TWO_OVER_SQRT_PI = 1.1283791670955126;
const TWO_OVER_SQRT_PI_LESS_1 = 0.1283791670955126;
const SQRT_HALF = Math.SQRT1_2;
const TWO_POW_54 = 18014398509481984;
const TWO_POW_20 = 1048576;
const TWO_POW_MINUS_28 = 1 / 268435456;

/** 1 / n! for n = 0 .. 18; the factorials themselves are exact in float64. */
const INVERSE_FACTORIAL = /* @__PURE__ */ inverseFactorials(18);
/** Coefficients of atanh: 2 / (2n + 3) for n = 0, 1, ...: log((1 + s) / (1 - s)) = 2s + s^3 (c0 + c1 s^2 + ...). */
const ATANH = /* @__PURE__ */ Float64Array.from({ length: 12 }, (_, n) => 2 / (2 * n + 3));
/** Taylor coefficients of erf(x) / x in x^2 after the first: 2 / sqrt(pi) (-1)^n / (n! (2n + 1)) for n = 1, 2, ... */
const ERF_SMALL = /* @__PURE__ */ Float64Array.from(
  { length: 18 },
  (_, i) => (TWO_OVER_SQRT_PI * (i % 2 === 0 ? -1 : 1) * INVERSE_FACTORIAL[i + 1]!) / (2 * i + 3),
);
/** Chebyshev coefficients of exp(x^2) erfc(x) on 1 <= x <= 6 in t = 2.5 (x - 4) / (x + 4) + 0.5, made with 60 digits. */
const ERFC_CHEBYSHEV = /* @__PURE__ */ Float64Array.of(
  0.22896004277014242,
  -0.16243308614798768,
  0.030546548004245635,
  -0.004893614652291596,
  0.0006662818879211081,
  -7.627526890767855e-5,
  7.17253879856132e-6,
  -5.276056048140737e-7,
  2.6827997189790735e-8,
  -5.074522858022717e-10,
  -5.089140782409653e-11,
  4.625848914621038e-12,
  -4.155798504769821e-14,
  -1.6159386369237732e-14,
  7.31751943045825e-16,
  4.849547417994387e-17,
  -4.365404011250046e-18,
  -1.529750561762735e-19,
);

/** One float64 and its bits, to read and build exponents. */
const scratch = new Float64Array(1);
const scratchWords = new Uint32Array(scratch.buffer);
const UPPER = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0;

/** e^x. Overflows to Infinity above 709.78, underflows gradually to 0 below -745.13. */
export function exp(x: number): number {
  return expOfSum(x, 0);
}

/** Natural logarithm. log(0) = -Infinity, NaN below 0. */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : NaN;
  if (x === Infinity) return Infinity;
  const k = exponentOf(x);
  const f = scaleByPowerOfTwo(x, -k) - 1;
  const s = f / (2 + f);
  const series = s * s * polynomial(ATANH, s * s);
  // 2s = f - s f: the large part of the sum, f, is exact.
  return k * LN2_HIGH + (f - (s * (f - series) - k * LN2_LOW));
}

/** Sine of x radians, for every finite x; NaN otherwise. */
export function sin(x: number): number {
  return x === 0 ? x : sineOfQuarter(x, 0);
}

/** Cosine of x radians, for every finite x; NaN otherwise. */
export function cos(x: number): number {
  return sineOfQuarter(x, 1);
}

/** Hyperbolic tangent. */
export function tanh(x: number): number {
  const size = Math.abs(x);
  if (size < TWO_POW_MINUS_28 || Number.isNaN(x)) return x;
  let result = 1;
  if (size < 0.55) {
    // sinh / cosh by their series: no rounding of a larger number enters.
    const z = x * x;
    let sinhTail = 0;
    let coshTail = 0;
    for (let n = 15; n >= 3; n -= 2) {
      sinhTail = INVERSE_FACTORIAL[n]! + z * sinhTail;
      coshTail = INVERSE_FACTORIAL[n - 1]! + z * coshTail;
    }
    const cosh = 1 + z * coshTail;
    // tanh x = x - x (cosh - sinh / x) / cosh.
    result = size - (size * z * (coshTail - sinhTail)) / cosh;
  } else if (size < 22) {
    result = 1 - 2 / (exp(2 * size) + 1);
  }
  return x < 0 ? -result : result;
}

/** Error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x. */
export function erf(x: number): number {
  const size = Math.abs(x);
  if (Number.isNaN(x)) return NaN;
  if (size < 1) return x + x * (TWO_OVER_SQRT_PI_LESS_1 + x * x * polynomial(ERF_SMALL, x * x));
  let result = 1;
  if (size < 6) {
    const t = (2.5 * (size - 4)) / (size + 4) + 0.5;
    let next = 0;
    let afterNext = 0;
    for (let n = ERFC_CHEBYSHEV.length - 1; n > 0; n--) {
      const current = ERFC_CHEBYSHEV[n]! + 2 * t * next - afterNext;
      afterNext = next;
      next = current;
    }
    result = 1 - exp(-size * size) * (ERFC_CHEBYSHEV[0]! + t * next - afterNext);
  }
  return x < 0 ? -result : result;
}

/** x to the power y, with the special cases of Math.pow: pow(x, 0) = 1 even for NaN, pow(±1, ±Infinity) = NaN. */
export function pow(x: number, y: number): number {
  if (y === 0) return 1;
  if (Number.isNaN(x) || Number.isNaN(y)) return NaN;
  const size = Math.abs(x);
  if (Math.abs(y) === Infinity) return size === 1 ? NaN : size > 1 === y > 0 ? Infinity : 0;
  const integer = Math.floor(y) === y;
  const odd = integer && Math.abs(y % 2) === 1;
  if (size === 0 || size === Infinity) {
    const result = (size === 0) === y > 0 ? 0 : Infinity;
    return odd && (x < 0 || Object.is(x, -0)) ? -result : result;
  }
  if (x < 0 && !integer) return NaN;
  const result = size === 1 ? 1 : powOfPositive(size, y);
  return x < 0 && odd ? -result : result;
}

/**
 * exp(y log x) with the logarithm as an unevaluated sum high + low of about 100 bits, because its relative error is
 * multiplied by up to 709 in the result.
 */
function powOfPositive(x: number, y: number): number {
  const k = exponentOf(x);
  const f = scaleByPowerOfTwo(x, -k) - 1;
  const sum = 2 + f;
  const s = f / sum;
  const quotient = s * sum;
  const sLow = (f - quotient - productError(s, sum, quotient) - s * (f - (sum - 2))) / sum;
  // log m = 2s + 2/3 s^3 + s^5 (2/5 + ...): the first two terms as sums of two numbers, the rest plain.
  const z = s * s;
  const zLow = productError(s, s, z) + 2 * s * sLow;
  const twoThirds = 2 / 3;
  const part = z * twoThirds;
  // 3.70...e-17 is 2/3 less its float64.
  const partLow = productError(z, twoThirds, part) + z * 3.700743415417188e-17 + zLow * twoThirds;
  const cubic = part * s;
  const cubicLow = productError(part, s, cubic) + part * sLow + partLow * s;
  const rest = s * z * z * polynomial(ATANH.subarray(1), z);
  const scale = k * LN2_HIGH;
  const first = scale + 2 * s;
  const high = first + cubic;
  const low =
    sumError(scale, 2 * s, first) +
    sumError(first, cubic, high) +
    (k * LN2_LOW + (2 * sLow + (cubicLow + rest)));
  const power = y * high;
  if (Math.abs(power) > 800) return power > 0 ? Infinity : 0;
  return expOfSum(power, productError(y, high, power) + y * low);
}

/** exp(high + low), |low| far below |high|. */
function expOfSum(high: number, low: number): number {
  if (Number.isNaN(high)) return NaN;
  if (high > 709.782712893384) return Infinity;
  if (high < -745.1332191019412) return 0;
  const k = Math.floor(high * LOG2_E + 0.5);
  const main = high - k * LN2_HIGH;
  const correction = k * LN2_LOW - low;
  const r = main - correction;
  const lost = main - r - correction;
  let tail = INVERSE_FACTORIAL[13]!;
  for (let n = 12; n >= 2; n--) tail = INVERSE_FACTORIAL[n]! + r * tail;
  return scaleByPowerOfTwo(1 + (r + (r * r * tail + lost * (1 + r))), k);
}

/** sin(x + quarters * pi/2). */
function sineOfQuarter(x: number, quarters: number): number {
  if (!(Math.abs(x) < Infinity)) return NaN;
  let n = Math.floor(x * TWO_OVER_PI + 0.5);
  let high = x;
  let low = 0;
  if (n !== 0) {
    let exact = Math.abs(x) >= TWO_POW_20;
    if (!exact) {
      const first = x - n * HALF_PI_1;
      const second = -n * HALF_PI_2;
      const sum = first + second;
      const tail = sumError(first, second, sum) - n * HALF_PI_3;
      high = sum + tail;
      low = sumError(sum, tail, high);
      // So close to a multiple of pi/2 that three parts of it do not leave 53 bits of the remainder.
      exact = Math.abs(high) < TWO_POW_MINUS_28;
    }
    if (exact) [n, high, low] = reduceExactly(x);
  }
  const z = high * high;
  const quadrant = (((n + quarters) % 4) + 4) % 4;
  const value = quadrant % 2 === 0 ? sineSeries(high, low, z) : cosineSeries(high, low, z);
  return quadrant < 2 ? value : -value;
}

/** sin(x + low), |x| <= pi/4, z = x^2. */
function sineSeries(x: number, low: number, z: number): number {
  let tail = 0;
  for (let n = 17; n >= 3; n -= 2) tail = INVERSE_FACTORIAL[n]! - z * tail;
  return x - (x * z * tail - low * (1 - 0.5 * z));
}

/** cos(x + low), |x| <= pi/4, z = x^2. */
function cosineSeries(x: number, low: number, z: number): number {
  let tail = 0;
  for (let n = 18; n >= 4; n -= 2) tail = INVERSE_FACTORIAL[n]! - z * tail;
  const half = 0.5 * z;
  const main = 1 - half;
  return main + (1 - main - half + (z * z * tail - x * low));
}

/** Fractional bits of pi/2 that leave 100 good bits of the remainder of any float64. */
const PI_BITS = 1200n;
let halfPiInteger = 0n;

/** [n mod 4, high, low] with x = n pi/2 + high + low, |high| <= pi/4, for any finite x, by integer arithmetic. Slow; rare. */
function reduceExactly(x: number): [number, number, number] {
  if (halfPiInteger === 0n) halfPiInteger = computeHalfPi();
  const exponent = exponentOf(Math.abs(x));
  // x = mantissa * 2^(exponent - 60), the mantissa an integer.
  const mantissa = BigInt(scaleByPowerOfTwo(scaleByPowerOfTwo(x, -exponent), 60));
  const shift = PI_BITS + BigInt(exponent - 60);
  const scaled = mantissa << shift;
  let n = scaled / halfPiInteger;
  let remainder = scaled - n * halfPiInteger;
  if (2n * remainder > halfPiInteger) {
    n += 1n;
    remainder -= halfPiInteger;
  } else if (2n * remainder < -halfPiInteger) {
    n -= 1n;
    remainder += halfPiInteger;
  }
  const high = fractionToNumber(remainder);
  const low = fractionToNumber(remainder - (BigInt(scaleByPowerOfTwo(high, 500)) << (PI_BITS - 500n)));
  return [Number(((n % 4n) + 4n) % 4n), high, low];
}

/** The float64 next to integer * 2^-PI_BITS. */
function fractionToNumber(integer: bigint): number {
  return scaleByPowerOfTwo(Number(integer >> (PI_BITS - 1000n)), -1000);
}

/** pi/2 * 2^PI_BITS by Machin's formula, pi/4 = 4 atan(1/5) - atan(1/239). */
function computeHalfPi(): bigint {
  const guard = 32n;
  const one = 1n << (PI_BITS + guard);
  return (2n * (4n * inverseArcTangent(5n, one) - inverseArcTangent(239n, one))) >> guard;
}

function inverseArcTangent(x: bigint, one: bigint): bigint {
  let power = one / x;
  let sum = power;
  for (let n = 3n; power !== 0n; n += 2n) {
    power /= -x * x;
    sum += power / n;
  }
  return sum;
}

/** k such that x * 2^-k lies in [sqrt(1/2), sqrt(2)), for finite x > 0. */
function exponentOf(x: number): number {
  const subnormal = x < 2.2250738585072014e-308;
  scratch[0] = subnormal ? x * TWO_POW_54 : x;
  const exponent = (scratchWords[UPPER]! >>> 20) - 1022 - (subnormal ? 54 : 0);
  // Here x * 2^-exponent lies in [1/2, 1).
  return scaleByPowerOfTwo(x, -exponent) < SQRT_HALF ? exponent - 1 : exponent;
}

/** x * 2^k for |k| <= 2000, rounded once at most: the product that may be subnormal comes last. */
function scaleByPowerOfTwo(x: number, k: number): number {
  if (k > 1000) return x * powerOfTwo(k - 1000) * powerOfTwo(1000);
  if (k < -1000) return x * powerOfTwo(k + 1000) * powerOfTwo(-1000);
  return x * powerOfTwo(k);
}

/** 2^k, -1022 <= k <= 1023. */
function powerOfTwo(k: number): number {
  scratchWords[UPPER] = (k + 1023) << 20;
  scratchWords[1 - UPPER] = 0;
  return scratch[0]!;
}

/** a b - product, exactly, where product = a * b as rounded (Dekker). No overflow below 2^996. */
function productError(a: number, b: number, product: number): number {
  const aSplit = a * 134217729;
  const aHigh = aSplit - (aSplit - a);
  const aLow = a - aHigh;
  const bSplit = b * 134217729;
  const bHigh = bSplit - (bSplit - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** a + b - sum, exactly, where sum = a + b as rounded (Knuth). */
function sumError(a: number, b: number, sum: number): number {
  const bPart = sum - a;
  return a - (sum - bPart) + (b - bPart);
}

function polynomial(coefficients: Float64Array, x: number): number {
  let sum = 0;
  for (let n = coefficients.length - 1; n >= 0; n--) sum = coefficients[n]! + x * sum;
  return sum;
}

function inverseFactorials(largest: number): Float64Array {
  const inverse = new Float64Array(largest + 1);
  let factorial = 1;
  for (let n = 0; n <= largest; n++) {
    if (n > 0) factorial *= n;
    inverse[n] = 1 / factorial;
  }
  return inverse;
}
