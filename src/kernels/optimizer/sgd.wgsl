// One step of stochastic gradient descent with momentum, as PyTorch defines it (dampening 0), in place:
//   g = gradient + weight_decay * w
//   velocity = momentum * velocity + g
//   w = w - learning_rate * (nesterov ? g + momentum * velocity : velocity)
// A velocity of zeros before the first step gives PyTorch's first step (velocity = g).
//
// All three are f32 [count]. Each sum with a product is an fma, which an adapter may or may not round twice.
// One invocation updates `run` vec4f that lie 64 apart, a workgroup 256 run consecutive elements; runs are long on software adapters, as
// elementwise.wgsl explains. Where the count is no multiple of 4 (TAIL), the last vec4f is stored element by element.

struct Params {
  count: u32,
  learning_rate: f32,
  momentum: f32,
  weight_decay: f32,
  nesterov: u32,
  run: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradients: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> parameters: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> velocities: array<vec4f>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let count = params.count;
  let run = params.run;
  let momentum = vec4f(params.momentum);
  let weight_decay = vec4f(params.weight_decay);
  let minus_rate = vec4f(-params.learning_rate);
  let nesterov = params.nesterov != 0u;
  let first = (group.y * groups.x + group.x) * run * 64u + local;
  for (var step = 0u; step < run; step++) {
    let v = first + step * 64u;
    let i = 4u * v;
    if (i >= count) {
      return;
    }
    let w = parameters[v];
    let g = fma(weight_decay, w, gradients[v]);
    let velocity = fma(momentum, velocities[v], g);
    let direction = select(velocity, fma(momentum, velocity, g), nesterov);
    let updated = fma(minus_rate, direction, w);
    // {{if FITS}}
    velocities[v] = velocity;
    parameters[v] = updated;
    // {{end}}
    // {{if TAIL}}
    if (i + 4u <= count) {
      velocities[v] = velocity;
      parameters[v] = updated;
    } else {
      for (var j = 0u; j < count - i; j++) {
        velocities[v][j] = velocity[j];
        parameters[v][j] = updated[j];
      }
    }
    // {{end}}
  }
}
