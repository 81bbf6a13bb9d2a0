// output[o, g] = sum over k in group g of input[o, k]: rows of a length that is a multiple of 4, read as vec4f.
//
// Like sum.wgsl with inner = 1, with the same order and the same bits: chunks of `chunk` elements (a multiple of 4, or all of
// the group), inside a chunk one after another, starting from 0 (x, y, z, w of each vec4f); chunk sums are then added from left
// to right. One invocation computes one output; a workgroup 64 consecutive ones.

struct Params {
  outputs: u32, // outer * groups
  size: u32,
  inner: u32, // 1
  group: u32, // elements of the row that one output sums, a multiple of 4
  groups: u32, // ceil(size / group)
  chunk: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> input: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> output: array<f32>;

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
  let start = (index % params.groups) * params.group;
  let end = min(start + params.group, params.size);
  var at = (index / params.groups * params.size + start) / 4u;
  var total = 0.0;
  for (var k = start; k < end;) {
    let stop = min(k + params.chunk, end);
    var partial = 0.0;
    for (; k < stop; k += 4u) {
      let v = input[at];
      partial += v.x;
      partial += v.y;
      partial += v.z;
      partial += v.w;
      at++;
    }
    total += partial;
  }
  output[index] = total;
}
