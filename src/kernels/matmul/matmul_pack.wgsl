// An operand of matmul_packed.wgsl, put into an rgba32float texture in the order in which that reads it. Along k in chunks of 512, a row
// of texels for each block of lines (rows of a, columns of b) and chunk. Past the end of k, up to the next multiple of 16, a is -0 and b is 0:
// their products change no sum. What lies beyond is left as it was, and must not be read.
//
// ALONG_K (a), blocks of 4 lines: texel (x, block * chunks + chunk) is line 4 block + x % 4 at k = 512 chunk + 4 (x / 4) .. + 3.
// ACROSS (b), blocks of 16 lines: texel (x, block * chunks + chunk) is lines 16 block + 4 (x % 4) .. + 3 at k = 512 chunk + x / 4.
//
// The matrix is seen through strides in elements, matrix[line, k] = matrix[line * line_stride + k * k_stride], so one text serves operands
// and transposed ones. Lines past the last one repeat it.
//
// One invocation writes RUN texels that are four apart in a row, a workgroup 4 RUN of each of 8 rows. Nothing is added up.

struct Params {
  lines: u32,
  k: u32,
  line_stride: u32,
  k_stride: u32,
  chunks: u32, // of k
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> matrix: array<f32>;
@group(0) @binding(2) var texels: texture_storage_2d<rgba32float, write>;

const CHUNK = 512u;
const RUN = 32u;
// {{if ALONG_K}}
const LINES = 4u; // a block
const STEP = 4u; // along k, from one texel of a run to the next
// {{end}}
// {{if ACROSS}}
const LINES = 16u;
const STEP = 1u;
// {{end}}

@compute @workgroup_size(4, 8)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) id: vec3u) {
  let y = group.y * 8u + id.y;
  let line = y / params.chunks * LINES;
  let start = y % params.chunks * CHUNK;
  let end = min(params.k, start + CHUNK);
  let first = start + group.x * RUN * STEP;
  if (line >= params.lines || first >= end) {
    return;
  }
  let k_stride = params.k_stride;
  let last = params.lines - 1u;
  // {{if ALONG_K}}
  let at = min(line + id.x, last) * params.line_stride;
  let at0 = at;
  let at1 = at + k_stride;
  let at2 = at1 + k_stride;
  let at3 = at2 + k_stride;
  // {{end}}
  // {{if ACROSS}}
  let at0 = min(line + 4u * id.x, last) * params.line_stride;
  let at1 = min(line + 4u * id.x + 1u, last) * params.line_stride;
  let at2 = min(line + 4u * id.x + 2u, last) * params.line_stride;
  let at3 = min(line + 4u * id.x + 3u, last) * params.line_stride;
  // {{end}}
  var x = group.x * (RUN * 4u) + id.x;
  let stop = min(first + RUN * STEP, (end + 15u) & ~15u); // products take sixteen k at a time
  for (var k = first; k < stop; k += STEP) {
    let at_k = k * k_stride;
    let values = operands(vec4f(matrix[at_k + at0], matrix[at_k + at1], matrix[at_k + at2], matrix[at_k + at3]));
    // {{if ALONG_K}}
    let inside = vec4u(k, k + 1u, k + 2u, k + 3u) < vec4u(end);
    let padding = bitcast<f32>(0x80000000u);
    // {{end}}
    // {{if ACROSS}}
    let inside = vec4<bool>(k < end);
    let padding = 0.0;
    // {{end}}
    textureStore(texels, vec2u(x, y), select(vec4f(padding), values, inside));
    x += 4u;
  }
}
