/**
 * MLPs from names and shapes alone: any chain of 2-D weights in natural number order (fc10 after fc2), with or without biases, whatever
 * their names; norms between them are known by our own names (`bn1`, `bn2`, ...). What a checkpoint cannot say (the activation) is assumed and reported.
 */
import { FormatError } from '../../base/errors.ts';
import { type MlpOptions, mlp } from './mlp.ts';
import type { Model } from './model.ts';
import { compareNaturally, type NamedShape } from './named-shapes.ts';

/**
 * Recognises an MLP.
 * @param tensors the floating-point tensors of a state dict.
 * @param told what the user said with `--model`: an activation, or widths that must agree.
 * @throws FormatError naming the tensor that does not fit.
 */
export function recogniseMlp(tensors: readonly NamedShape[], told: Partial<MlpOptions> = {}): Model {
  const norms = tensors.filter(({ name }) => /^bn\d+\./.test(name));
  const norm =
    norms.length === 0 ? 'none' : norms.some(({ name }) => name.endsWith('running_var')) ? 'batch' : 'layer';
  const sorted = tensors
    .filter((tensor) => !norms.includes(tensor))
    .sort((a, b) => compareNaturally(a.name, b.name));
  const weights = sorted.filter((tensor) => tensor.shape.length === 2);
  const vectors = sorted.filter((tensor) => tensor.shape.length === 1);
  const other = sorted.find((tensor) => tensor.shape.length !== 1 && tensor.shape.length !== 2);
  if (other) {
    throw new FormatError(
      `recogniseModel: "${other.name}" has shape [${other.shape}]; only chains of 2-D weights with 1-D biases are known (MLPs)`,
    );
  }
  if (weights.length === 0) {
    throw new FormatError(
      'recogniseModel: expected 2-D weights of an MLP, got none; is this the right file?',
    );
  }
  for (let i = 1; i < weights.length; i++) {
    const [previous, weight] = [weights[i - 1]!, weights[i]!];
    if (weight.shape[1] !== previous.shape[0]) {
      throw new FormatError(
        `recogniseModel: "${weight.name}" [${weight.shape}] takes ${weight.shape[1]} features, but "${previous.name}" ` +
          `[${previous.shape}] before it gives ${previous.shape[0]}; the weights form no chain`,
      );
    }
  }
  const names = pairBiases(weights, vectors);
  const widths = [weights[0]!.shape[1]!, ...weights.map((weight) => weight.shape[0]!)];
  if (told.widths && told.widths.join('-') !== widths.join('-')) {
    throw new FormatError(
      `recogniseModel: --model says ${told.widths.join('-')}, the checkpoint has ${widths.join('-')}`,
    );
  }
  const bias = vectors.length > 0;
  if (told.bias === false && bias) {
    throw new FormatError(`recogniseModel: --model says no-bias, the checkpoint has "${vectors[0]!.name}"`);
  }
  const activation = told.activation ?? 'relu';
  const assumptions =
    told.activation || weights.length === 1
      ? []
      : [
          `activation ${activation} after every layer but the last (set it with --model mlp:tanh and the like)`,
        ];
  return mlp({ widths, activation, bias, norm, names, assumptions });
}

/** The bias of each weight: `X.bias` for `X.weight` where all are named so, else the vectors in order of the weights. */
function pairBiases(
  weights: readonly NamedShape[],
  vectors: readonly NamedShape[],
): { weight: string; bias?: string }[] {
  const byName = new Map(vectors.map((vector) => [vector.name, vector]));
  const named = weights.map((weight) => byName.get(weight.name.replace(/weight$/, 'bias')));
  const unnamed =
    named.every((vector) => vector === undefined) && !vectors.some(({ name }) => name.endsWith('weight'));
  const byPosition = unnamed && vectors.length === weights.length;
  const paired = byPosition ? vectors : named;
  const left = vectors.find((vector) => !paired.includes(vector));
  if (left) {
    throw new FormatError(
      `recogniseModel: "${left.name}" [${left.shape}] belongs to no weight; an MLP has one bias a weight, or none`,
    );
  }
  return weights.map((weight, i) => {
    const vector = paired[i];
    if (!vector) return { weight: weight.name };
    if (vector.shape[0] !== weight.shape[0]) {
      throw new FormatError(
        `recogniseModel: bias "${vector.name}" [${vector.shape}] does not fit "${weight.name}" [${weight.shape}]; expected [${weight.shape[0]}]`,
      );
    }
    return { weight: weight.name, bias: vector.name };
  });
}
