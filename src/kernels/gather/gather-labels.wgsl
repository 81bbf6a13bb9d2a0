// output[n] = labels[indices[start + n]], n = 0 .. count - 1, all u32.
//
// labels: u32, or bytes, four in a u32, the first in its lowest 8 bits (`bits` 32 or 8). One invocation makes one output,
// a workgroup 64.

struct Params {
  count: u32,
  start: u32,
  bits: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> labels: array<u32>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> output: array<u32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let n = (group.y * groups.x + group.x) * 64u + local;
  if (n >= params.count) {
    return;
  }
  let at = indices[params.start + n];
  if (params.bits == 8u) {
    output[n] = (labels[at / 4u] >> (8u * (at % 4u))) & 255u;
  } else {
    output[n] = labels[at];
  }
}
