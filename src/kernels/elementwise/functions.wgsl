// Functions for elementwise expressions, on T = vec4f. Careful where a plain formula overflows or cancels.
// They use +, -, *, /, fma and, where noted, exp: whose bits may differ between adapters. A NaN stays one where the adapter
// keeps NaNs at all: comparisons are written so that it takes the branch that computes with x.

// 1 / (1 + exp(-x)), without overflow for any x; keeps relative accuracy as x falls to -87. Uses exp.
fn sigmoid(x: T) -> T {
  let e = exp(-abs(x));
  let reciprocal = T(1.0) / (T(1.0) + e);
  return select(e * reciprocal, reciprocal, x >= T(0.0));
}

// log(1 + exp(x)) = max(x, 0) + log1p(e), e = exp(-|x|) in (0, 1]. With s = e / (2 + e) <= 1/3,
// log1p(e) = 2 atanh(s) = 2 s (1 + s^2/3 + s^4/5 + ...), cut after s^14/15 (relative error below 2e-9):
// exact to rounding also where 1 + e would round to 1. Uses exp.
fn softplus(x: T) -> T {
  let e = exp(-abs(x));
  let s = e / (T(2.0) + e);
  let z = s * s;
  var p = fma(z, T(1.0 / 15.0), T(1.0 / 13.0));
  p = fma(z, p, T(1.0 / 11.0));
  p = fma(z, p, T(1.0 / 9.0));
  p = fma(z, p, T(1.0 / 7.0));
  p = fma(z, p, T(1.0 / 5.0));
  p = fma(z, p, T(1.0 / 3.0));
  p = fma(z, p, T(1.0));
  return max(x, T(0.0)) + T(2.0) * s * p;
}

// The error function, 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x. Polynomials fitted for this file at Chebyshev
// nodes: below 1, erf(x)/x in x^2 (relative error 4e-8); above, erfc in |x| - 2.5, up to 4 (absolute error 7e-8), constant
// beyond. Largest absolute error in f32 arithmetic over all of it: 1.5e-7. Exactly odd, never beyond +-1. No exp.
fn erf(x: T) -> T {
  let z = x * x;
  var p = fma(z, T(-0.000564806), T(0.004921762));
  p = fma(z, p, T(-0.026715055));
  p = fma(z, p, T(0.11280317));
  p = fma(z, p, T(-0.37612343));
  p = fma(z, p, T(1.1283791));
  let u = min(abs(x), T(4.0)) - T(2.5);
  var q = fma(u, T(9.210143e-06), T(-2.1517164e-05));
  q = fma(u, q, T(-6.279154e-05));
  q = fma(u, q, T(0.00028156303));
  q = fma(u, q, T(-0.00028345632));
  q = fma(u, q, T(-0.00057576713));
  q = fma(u, q, T(0.0028137984));
  q = fma(u, q, T(-0.0060984734));
  q = fma(u, q, T(0.008618021));
  q = fma(u, q, T(-0.008354954));
  q = fma(u, q, T(0.005446062));
  q = fma(u, q, T(-0.0021779074));
  q = fma(u, q, T(0.00040695202));
  return select(x * p, sign(x) * (T(1.0) - max(q, T(0.0))), abs(x) >= T(1.0));
}

// Distribution function of the standard normal, (1 + erf(x / sqrt 2)) / 2: absolute error below 1e-7, so its lower tail is
// noise below that. gelu(x) = x * normalCdf(x).
fn normalCdf(x: T) -> T {
  return fma(T(0.5), erf(x * T(0.70710678)), T(0.5));
}

// Density of the standard normal, exp(-x^2 / 2) / sqrt(2 pi). Uses exp.
// The derivative of gelu is normalCdf(x) + x * normalPdf(x).
fn normalPdf(x: T) -> T {
  return T(0.39894228) * exp(T(-0.5) * x * x);
}

// tanh without overflow, where WGSL's own may give NaN for large |x| and loses relative accuracy near 0.
// Below 0.65 a polynomial fitted for this file at Chebyshev nodes (relative error 3e-8 before rounding);
// above, 1 - 2 / (exp(2|x|) + 1), which is 1 from 10 on. Exactly odd. Uses exp.
fn tanhSafe(x: T) -> T {
  let z = x * x;
  var p = fma(z, T(-0.005923726), T(0.02087346));
  p = fma(z, p, T(-0.053823758));
  p = fma(z, p, T(0.13332583));
  p = fma(z, p, T(-0.33333328));
  let large = T(1.0) - T(2.0) / (exp(T(2.0) * min(abs(x), T(10.0))) + T(1.0));
  return select(fma(x * z, p, x), sign(x) * large, abs(x) >= T(0.65));
}
