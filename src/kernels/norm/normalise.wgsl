// output[n, c, i] = fma(x[n, c, i] - mean[c], factor[c], shift[c]), x [N, C, S], S a multiple of 4; where asked for, max(that, 0); or
// output[n, c, i] = fma(x[n, c, i] - mean[c], factor[c], fma(g[n, c, i], slope[c], shift[c])): a norm's gradient through both x's.
//
// A template: `normalise.ts` puts in the bindings from 5 on, what is loaded of them for a channel, the value, and what is stored of it.
// One invocation computes `run` consecutive vec4f and loads a channel's three values once: on adapters that compute on the CPU, where
// divisions for the channel cost more than the rest, runs are long; on GPUs `run` is 1, and neighbours touch neighbouring memory.
// No element depends on another: there is no order to keep.

struct Params {
  vectors: u32, // N * C * S / 4
  run: u32,
  space: u32, // S / 4
  channels: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> mean: array<f32>;
@group(0) @binding(3) var<storage, read> factor: array<f32>;
@group(0) @binding(4) var<storage, read> shift: array<f32>;
// {{bindings}}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  var v = ((group.y * groups.x + group.x) * 64u + local) * params.run;
  let end = min(v + params.run, params.vectors);
  var plane = v / params.space;
  while (v < end) {
    let c = plane % params.channels;
    let m = vec4f(mean[c]);
    let f = vec4f(factor[c]);
    let s = vec4f(shift[c]);
    // {{channel}}
    plane++;
    let stop = min(end, plane * params.space);
    for (; v < stop; v++) {
      let y = // {{value}}
      output[v] = // {{result}}
    }
  }
}
