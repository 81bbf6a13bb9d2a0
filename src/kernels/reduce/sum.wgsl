// output[o, g, i] = sum over k in group g of input[o, k, i]: the middle axis of [outer, size, inner] summed, or cut into groups.
//
// `sum.ts` may replace f32 in the alias by vec4f and divide `inner` by 4: then one invocation sums four neighbouring columns.
// One invocation computes one output; a workgroup 64 consecutive ones. Neighbours read neighbouring columns where inner > 1.
// Order: chunks of `chunk` elements along the axis; inside a chunk one after another, starting from 0; chunk sums are then added
// from left to right, starting from 0.

alias Element = f32;

struct Params {
  outputs: u32, // outer * groups * inner
  size: u32,
  inner: u32,
  group: u32, // elements of the axis that one output sums
  groups: u32, // ceil(size / group)
  chunk: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<Element>;
@group(0) @binding(2) var<storage, read_write> output: array<Element>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + local;
  if (index >= params.outputs) {
    return;
  }
  let i = index % params.inner;
  let rest = index / params.inner;
  let start = (rest % params.groups) * params.group;
  let end = min(start + params.group, params.size);
  var at = (rest / params.groups * params.size + start) * params.inner + i;
  var total = Element(0.0);
  for (var k = start; k < end;) {
    let stop = min(k + params.chunk, end);
    var partial = Element(0.0);
    for (; k < stop; k++) {
      partial += input[at];
      at += params.inner;
    }
    total += partial;
  }
  output[index] = total;
}
