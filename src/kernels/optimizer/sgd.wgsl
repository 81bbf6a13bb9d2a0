// One step of stochastic gradient descent with momentum, as PyTorch defines it (dampening 0), in place:
//   g = gradient + weight_decay * w
//   velocity = momentum * velocity + g
//   w = w - learning_rate * (nesterov ? g + momentum * velocity : velocity)
// A velocity of zeros before the first step gives PyTorch's first step (velocity = g).
//
// All three are f32 [count]. Each sum with a product is an fma, which an adapter may or may not round twice.
// One invocation updates two vec4f that lie 64 apart, a workgroup 512 consecutive elements. The last vec4f may reach past
// `count` and is stored element by element.

struct Params {
  count: u32,
  learning_rate: f32,
  momentum: f32,
  weight_decay: f32,
  nesterov: u32,
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
  let momentum = vec4f(params.momentum);
  let first = (group.y * groups.x + group.x) * 128u + local;
  for (var step = 0u; step < 2u; step++) {
    let v = first + step * 64u;
    let i = 4u * v;
    if (i >= params.count) {
      return;
    }
    let w = parameters[v];
    let g = fma(vec4f(params.weight_decay), w, gradients[v]);
    let velocity = fma(momentum, velocities[v], g);
    let direction = select(velocity, fma(momentum, velocity, g), params.nesterov != 0u);
    let updated = fma(vec4f(-params.learning_rate), direction, w);
    if (i + 4u <= params.count) {
      velocities[v] = velocity;
      parameters[v] = updated;
    } else {
      for (var j = 0u; j < params.count - i; j++) {
        velocities[v][j] = velocity[j];
        parameters[v][j] = updated[j];
      }
    }
  }
}
