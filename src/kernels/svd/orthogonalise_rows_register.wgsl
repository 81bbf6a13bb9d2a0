// A step of one-sided Jacobi as in orthogonalise_rows_naive.wgsl, bit for bit, with the sums in registers: for software adapters, where
// workgroup memory and barriers are ruinous and every load is dear (../matmul/matmul_register.wgsl says how dear).
//
// A template (../matmul/template.ts): one invocation computes one pair, a workgroup four. All 36 dot products of a pair are summed at
// once, c<i>_<j> in a chunk and s<i>_<j> in a strand, so that each element is loaded once; one strand after another. Then each column of
// four is loaded once more, turned by x, and stored.

@compute @workgroup_size(4)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) grid: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let index = (group.y * grid.x + group.x) * 4u + local;
  if (index >= params.count) {
    return;
  }
  let blocks = blocks_of(index % params.pairs);
  // {{for i < 8}}
  let row{i} = row_of(index, blocks, {i}u);
  // {{end}}

  var g: array<f32, 64>; // (s0 + s1) + (s2 + s3): the first two, then all
  var half: array<f32, 64>; // s2, then s2 + s3
  for (var strand = 0u; strand < STRANDS; strand++) {
    // {{for i < 8}}
    var s{i}_{i} = 0.0;
    // {{for j < i}}
    var s{i}_{j} = 0.0;
    // {{end}}
    // {{end}}
    for (var start = strand * CHUNK; start < params.length; start += STRANDS * CHUNK) {
      // {{for i < 8}}
      var c{i}_{i} = 0.0;
      // {{for j < i}}
      var c{i}_{j} = 0.0;
      // {{end}}
      // {{end}}
      for (var v = start; v < min(start + CHUNK, params.length); v++) {
        // {{for i < 8}}
        let w{i} = vectors[row{i} + v];
        // {{end}}
        // {{for i < 8}}
        c{i}_{i} = fma(w{i}.w, w{i}.w, fma(w{i}.z, w{i}.z, fma(w{i}.y, w{i}.y, fma(w{i}.x, w{i}.x, c{i}_{i}))));
        // {{for j < i}}
        c{i}_{j} = fma(w{i}.w, w{j}.w, fma(w{i}.z, w{j}.z, fma(w{i}.y, w{j}.y, fma(w{i}.x, w{j}.x, c{i}_{j}))));
        // {{end}}
        // {{end}}
      }
      // {{for i < 8}}
      s{i}_{i} += c{i}_{i};
      // {{for j < i}}
      s{i}_{j} += c{i}_{j};
      // {{end}}
      // {{end}}
    }
    if (strand == 0u) {
      // {{for i < 8}}
      g[{i*9}u] = s{i}_{i};
      // {{for j < i}}
      g[{j*8+i}u] = s{i}_{j};
      // {{end}}
      // {{end}}
    } else if (strand == 1u) {
      // {{for i < 8}}
      g[{i*9}u] += s{i}_{i};
      // {{for j < i}}
      g[{j*8+i}u] += s{i}_{j};
      // {{end}}
      // {{end}}
    } else if (strand == 2u) {
      // {{for i < 8}}
      half[{i*9}u] = s{i}_{i};
      // {{for j < i}}
      half[{j*8+i}u] = s{i}_{j};
      // {{end}}
      // {{end}}
    } else {
      // {{for i < 8}}
      g[{i*9}u] += half[{i*9}u] + s{i}_{i};
      // {{for j < i}}
      g[{j*8+i}u] += half[{j*8+i}u] + s{i}_{j};
      // {{end}}
      // {{end}}
    }
  }
  for (var i = 1u; i < 8u; i++) {
    for (var j = 0u; j < i; j++) {
      g[8u * i + j] = g[8u * j + i];
    }
  }

  let largest = largest_cosine(&g);
  note(index, largest);
  if (!(largest > params.tolerance)) {
    return;
  }
  var x = unit_matrix();
  diagonalise(&g, &x);
  // {{for i < 8}}
  // {{for r < 8}}
  let x{i}_{r} = vec4f(x[{i*8+r}u]);
  // {{end}}
  // {{end}}
  for (var v = 0u; v < params.stride; v++) {
    // {{for r < 8}}
    let w{r} = vectors[row{r} + v];
    // {{end}}
    // {{for i < 8}}
    let low{i} = fma(x{i}_3, w3, fma(x{i}_2, w2, fma(x{i}_1, w1, fma(x{i}_0, w0, vec4f()))));
    vectors[row{i} + v] = fma(x{i}_7, w7, fma(x{i}_6, w6, fma(x{i}_5, w5, fma(x{i}_4, w4, low{i}))));
    // {{end}}
  }
}
