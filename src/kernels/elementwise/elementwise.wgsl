// output[i] = expression(a[i], b[i], ...) for i in 0 .. count - 1, in f32.
//
// A template: `elementwise.ts` replaces the three lines marked {{...}}. T is vec4f: expressions work on four elements at a time.
// Inputs are dense and row-major like the output, or broadcast: then element i reads input[(i / inner) % size].
// One invocation computes `run` vec4f that lie 64 apart, so neighbours in a workgroup touch neighbouring memory; a workgroup computes
// 256 run consecutive elements. Runs are long on software adapters, where what comes before the loop costs as much as a vec4f.
// No element depends on another: there is no order to keep.
// The last vec4f may reach past `count`: such elements are computed from whatever follows the inputs and not stored.

alias T = vec4f;

struct Params {
  count: u32,
  s0: f32, s1: f32, s2: f32, s3: f32,
  inner_a: u32, size_a: u32,
  inner_b: u32, size_b: u32,
  inner_c: u32, size_c: u32,
  inner_d: u32, size_d: u32,
  inner_e: u32, size_e: u32,
  inner_f: u32, size_f: u32,
  inner_g: u32, size_g: u32,
  inner_h: u32, size_h: u32,
  run: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
// {{bindings}}

// Where elements i .. i + 3 read a broadcast input; counts up instead of dividing four times.
fn broadcast_indices(i: u32, inner: u32, size: u32) -> vec4u {
  let quotient = i / inner;
  var within = i - quotient * inner;
  var index = quotient % size;
  var indices = vec4u(index);
  for (var j = 1u; j < 4u; j++) {
    within++;
    if (within == inner) {
      within = 0u;
      index = select(index + 1u, 0u, index + 1u == size);
    }
    indices[j] = index;
  }
  return indices;
}

// max(x, 0), but NaN stays NaN; of max, WGSL does not say so.
fn rectified(x: T) -> T {
  return select(x, T(0.0), x <= T(0.0));
}

// {{functions}}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let s0 = params.s0;
  let s1 = params.s1;
  let s2 = params.s2;
  let s3 = params.s3;
  let count = params.count;
  let run = params.run;
  let first = (group.y * groups.x + group.x) * run * 64u + local;
  for (var step = 0u; step < run; step++) {
    let v = first + step * 64u;
    let i = 4u * v;
    if (i >= count) {
      return;
    }
    // {{expression}}
    if (i + 4u <= count) {
      output[v] = result;
    } else {
      for (var j = 0u; j < count - i; j++) {
        output[v][j] = result[j];
      }
    }
  }
}
