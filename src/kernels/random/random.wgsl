// Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): the twin of
// src/base/random.ts, with the same bits. Word i of a stream is word (i mod 2) of threefry2x32(key, floor(i / 2)), where the
// counter is [its low 32 bits, its high 32 bits]. A file of functions: kernels put it before their own text.

fn threefry_round(x: vec2u, r: u32) -> vec2u {
  let a = x.x + x.y;
  return vec2u(a, ((x.y << r) | (x.y >> (32u - r))) ^ a);
}

fn threefry_even(x: vec2u) -> vec2u {
  return threefry_round(threefry_round(threefry_round(threefry_round(x, 13u), 15u), 26u), 6u);
}

fn threefry_odd(x: vec2u) -> vec2u {
  return threefry_round(threefry_round(threefry_round(threefry_round(x, 17u), 29u), 16u), 24u);
}

// Two random words of a counter under a key: four rounds at a time, with the key added in between.
fn threefry2x32(key: vec2u, counter: vec2u) -> vec2u {
  let k2 = 0x1bd11bdau ^ key.x ^ key.y;
  var x = threefry_even(counter + key) + vec2u(key.y, k2 + 1u);
  x = threefry_odd(x) + vec2u(k2, key.x + 2u);
  x = threefry_even(x) + vec2u(key.x, key.y + 3u);
  x = threefry_odd(x) + vec2u(key.y, k2 + 4u);
  return threefry_even(x) + vec2u(k2, key.x + 5u);
}

// A uniform number in [0, 1): the upper 24 bits times 2^-24, exact.
fn uniform_of(words: vec4u) -> vec4f {
  return vec4f(words >> vec4u(8u)) * 5.9604644775390625e-8;
}
