// One partial result for every chunk of every channel of x [outer, channels, inner]; a channel's elements are j = o * inner + i.
//
// A template: `channels.ts` puts in the bindings and what is accumulated: sums, sums of centred products, or mean and squares.
// A chunk is `chunk` (a multiple of 4) consecutive elements of one channel, the last one the rest. Four lanes share a chunk: lane l
// takes the elements j = l mod 4, one after another. The lanes are put together at the end, as (x + y) + (z + w).
// One invocation computes one chunk, a workgroup 64 chunks of neighbouring channels. No barriers, no workgroup memory.
// Where inner is a multiple of 4 an aligned vec4f is four lanes; else `channels.ts` puts in four single loads: the same order and bits.

struct Params {
  partials: u32, // channels * ceil(outer * inner / chunk)
  total: u32, // outer * inner
  channels: u32,
  inner: u32,
  chunk: u32,
  row: u32, // elements of one row of the output
}

@group(0) @binding(0) var<uniform> params: Params;
// {{bindings}}

// Where the next element of the channel lies, and its index within `inner`.
var<private> next_at: u32;
var<private> next_inner: u32;
// Read once: on software adapters a uniform is a load like any other.
var<private> inner: u32;
var<private> others: u32; // elements of the channels in between

fn take(count: u32) -> u32 {
  let at = next_at;
  next_inner += count;
  let ends = next_inner == inner;
  next_inner = select(next_inner, 0u, ends);
  next_at += count + select(0u, others, ends);
  return at;
}

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + local;
  if (index >= params.partials) {
    return;
  }
  let c = index % params.channels;
  let p = index / params.channels;
  let start = p * params.chunk;
  let end = min(start + params.chunk, params.total);
  inner = params.inner;
  others = (params.channels - 1u) * inner;
  let first = start / inner;
  next_inner = start - first * inner;
  next_at = (first * params.channels + c) * inner + next_inner;
  // {{begin}}
  for (var j = start; j < end; j += 4u) {
    // {{load}}
    // {{step}}
  }
  // {{end}}
}
