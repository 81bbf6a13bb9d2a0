// output[part] = sum of term(i) over the 1024 elements i of one block: partial sums of a whole array, to be finished in f64 on the host.
//
// A template: `partials.ts` replaces the two lines marked {{...}} by the inputs and by one term.
// One invocation computes one block, a workgroup 64 blocks. No barriers.
// Order: a block is 256 vec4f v[0 .. 255], seen as 16 x 16. Strand g (0 .. 15) adds v[g], v[16 + g], v[32 + g], ... one after
// another, starting from 0, in four components; the strands are added one after another, g = 0 first, starting from 0; last,
// (x + y) + (z + w). Elements past `count` are replaced by zeros.

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// {{bindings}}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let part = (group.y * groups.x + group.x) * 64u + local;
  if (1024u * part >= params.count) {
    return;
  }
  let vectors = min(256u, (params.count - 1024u * part + 3u) / 4u);
  var total = vec4f(0.0);
  for (var g = 0u; g < 16u; g++) {
    var strand = vec4f(0.0);
    for (var j = g; j < vectors; j += 16u) {
      let v = 256u * part + j;
      // The last vec4f may reach past the end, where anything may lie, even NaN.
      let inside = vec4u(4u * v) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.count);
      // {{term}}
    }
    total += strand;
  }
  output[part] = (total.x + total.y) + (total.z + total.w);
}
