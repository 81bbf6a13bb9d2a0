// One step of Adam or AdamW, as PyTorch defines them (no amsgrad), in place:
//   w = keep * w                                    AdamW: keep = 1 - learning rate * weight decay; Adam: 1
//   g = gradient + weight_decay * w                 Adam; AdamW: weight_decay = 0
//   m = m + (1 - beta1) * (g - m)
//   v = beta2 * v + (1 - beta2) * g * g
//   w = w - step_size * m / (sqrt(v) / correction + epsilon)
// with step_size = learning rate / (1 - beta1^t) and correction = sqrt(1 - beta2^t), computed in f64 on the host.
//
// All four are f32 [count]. Sums with a product are an fma (in the second moment with beta2 * v), which an adapter may or may
// not round twice.
// One invocation updates `run` vec4f that lie 64 apart, a workgroup 256 run consecutive elements; runs are long on software adapters, as
// elementwise.wgsl explains. Where the count is no multiple of 4 (TAIL), the last vec4f is stored element by element.

struct Params {
  count: u32,
  keep: f32,
  weight_decay: f32,
  one_minus_beta1: f32,
  beta2: f32,
  one_minus_beta2: f32,
  step_size: f32,
  correction: f32,
  epsilon: f32,
  run: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> first_moments: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> second_moments: array<vec4f>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let p = params; // a load a member, once
  let first = (group.y * groups.x + group.x) * p.run * 64u + local;
  for (var step = 0u; step < p.run; step++) {
    let at = first + step * 64u;
    let i = 4u * at;
    if (i >= p.count) {
      return;
    }
    let w = p.keep * parameters[at];
    let g = fma(vec4f(p.weight_decay), w, gradients[at]);
    let m = fma(vec4f(p.one_minus_beta1), g - first_moments[at], first_moments[at]);
    let v = fma(vec4f(p.beta2), second_moments[at], p.one_minus_beta2 * (g * g));
    let denominator = sqrt(v) / p.correction + vec4f(p.epsilon);
    let updated = fma(vec4f(-p.step_size), m / denominator, w);
    // {{if FITS}}
    first_moments[at] = m;
    second_moments[at] = v;
    parameters[at] = updated;
    // {{end}}
    // {{if TAIL}}
    if (i + 4u <= p.count) {
      first_moments[at] = m;
      second_moments[at] = v;
      parameters[at] = updated;
    } else {
      for (var j = 0u; j < p.count - i; j++) {
        first_moments[at][j] = m[j];
        second_moments[at][j] = v[j];
        parameters[at][j] = updated[j];
      }
    }
    // {{end}}
  }
}
