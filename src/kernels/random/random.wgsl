// Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): the twin of
// src/base/random.ts, with the same bits. Word i of a stream is word (i mod 2) of threefry2x32(key, floor(i / 2)), where the
// counter is [its low 32 bits, its high 32 bits]. A file of functions: kernels put it before their own text.

fn threefry_rounds(x: vec2u, r: vec4u) -> vec2u {
  var a = x.x;
  var b = x.y;
  for (var j = 0u; j < 4u; j++) {
    a += b;
    b = ((b << r[j]) | (b >> (32u - r[j]))) ^ a;
  }
  return vec2u(a, b);
}

// Two random words of a counter under a key.
fn threefry2x32(key: vec2u, counter: vec2u) -> vec2u {
  let k2 = 0x1bd11bdau ^ key.x ^ key.y;
  let even = vec4u(13u, 15u, 26u, 6u);
  let odd = vec4u(17u, 29u, 16u, 24u);
  var x = threefry_rounds(counter + key, even) + vec2u(key.y, k2 + 1u);
  x = threefry_rounds(x, odd) + vec2u(k2, key.x + 2u);
  x = threefry_rounds(x, even) + vec2u(key.x, key.y + 3u);
  x = threefry_rounds(x, odd) + vec2u(key.y, k2 + 4u);
  return threefry_rounds(x, even) + vec2u(k2, key.x + 5u);
}

// A uniform number in [0, 1): the upper 24 bits times 2^-24, exact.
fn uniform_of(words: vec4u) -> vec4f {
  return vec4f(words >> vec4u(8u)) * 5.9604644775390625e-8;
}
