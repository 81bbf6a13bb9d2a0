// output[e] = element start + e of the stream of a key, e = 0 .. count - 1: words (u32) or uniform numbers in [0, 1) (f32).
//
// `fill.ts` puts random.wgsl before this text and, for uniforms, replaces the alias and the line marked below it.
// One invocation makes four consecutive elements from two blocks, or three where `start` is odd; a workgroup makes 256.
// The last vec4 is stored element by element, so that nothing past `count` is touched.

alias Element = vec4u;

fn convert(words: vec4u) -> Element {
  return words; // {{convert}}
}

struct Params {
  count: u32,
  key0: u32,
  key1: u32,
  odd: u32, // start mod 2
  block_low: u32, // floor(start / 2), low and high 32 bits
  block_high: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> output: array<Element>;

// Block `offset` after the one that holds `start`.
fn block_after(offset: u32) -> vec2u {
  let low = params.block_low + offset;
  let carry = select(0u, 1u, low < offset);
  return threefry2x32(vec2u(params.key0, params.key1), vec2u(low, params.block_high + carry));
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let v = (group.y * groups.x + group.x) * 64u + local;
  let e = 4u * v;
  if (e >= params.count) {
    return;
  }
  var words = vec4u(block_after(2u * v), block_after(2u * v + 1u));
  if (params.odd == 1u) {
    words = vec4u(words.yzw, block_after(2u * v + 2u).x);
  }
  let result = convert(words);
  if (e + 4u <= params.count) {
    output[v] = result;
  } else {
    for (var j = 0u; j < params.count - e; j++) {
      output[v][j] = result[j];
    }
  }
}
