/** One parameter under PyTorch's optimizers, in float64, written from the algorithms in its documentation. */

export interface SgdOptions {
  learningRate: number;
  momentum: number;
  weightDecay: number;
  nesterov: boolean;
}

/** `torch.optim.SGD` with dampening 0: the parameter after each step. */
export function sgd(start: number, gradients: readonly number[], options: SgdOptions): number[] {
  const { learningRate, momentum, weightDecay, nesterov } = options;
  let theta = start;
  let buffer: number | undefined;
  return gradients.map((gradient) => {
    let g = gradient + weightDecay * theta;
    if (momentum !== 0) {
      buffer = buffer === undefined ? g : momentum * buffer + g;
      g = nesterov ? g + momentum * buffer : buffer;
    }
    theta -= learningRate * g;
    return theta;
  });
}

export interface AdamOptions {
  learningRate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
}

/** `torch.optim.Adam`, or with `decoupled` `torch.optim.AdamW`: the parameter after each step. */
export function adam(
  start: number,
  gradients: readonly number[],
  options: AdamOptions,
  decoupled: boolean,
): number[] {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = options;
  let theta = start;
  let m = 0;
  let v = 0;
  return gradients.map((gradient, index) => {
    const t = index + 1;
    let g = gradient;
    if (decoupled) theta -= learningRate * weightDecay * theta;
    else g += weightDecay * theta;
    m = beta1 * m + (1 - beta1) * g;
    v = beta2 * v + (1 - beta2) * g * g;
    const mHat = m / (1 - beta1 ** t);
    const vHat = v / (1 - beta2 ** t);
    theta -= (learningRate * mHat) / (Math.sqrt(vHat) + epsilon);
    return theta;
  });
}
