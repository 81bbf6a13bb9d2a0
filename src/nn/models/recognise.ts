/**
 * Which model a checkpoint holds, from names and shapes alone. The model that comes out names exactly the checkpoint's tensors; what a
 * checkpoint cannot say was assumed and is told in `model.assumptions`.
 */
import { FormatError, OptionError } from '../../base/errors.ts';
import { type Model, stateEntries } from './model.ts';
import type { NamedShape } from './named-shapes.ts';
import { type ModelName, parseModelName } from './parse-model.ts';
import { recogniseMlp } from './recognise-mlp.ts';
import { isResNet, recogniseResNet } from './recognise-resnet.ts';
import { isSequential, recogniseSequential } from './recognise-sequential.ts';
import { withBiases } from './with-biases.ts';

/**
 * Recognises a model.
 * @param tensors the floating-point tensors of a state dict.
 * @param told what the user said with `--model`, such as `mlp:tanh`.
 * @throws FormatError naming the tensor that does not fit; OptionError when the user said another family.
 */
export function recogniseModel(tensors: readonly NamedShape[], told?: string): Model {
  try {
    return recognise(tensors, told);
  } catch (cause) {
    if (cause instanceof FormatError) throw new FormatError(`${cause.message}. ${KNOWN}`, { cause });
    throw cause;
  }
}

const KNOWN =
  "Recognised are MLPs, VGG-like Sequentials and ResNets by PyTorch's names; write any other network as a Model in code (docs/getting-started.md)";

function recognise(tensors: readonly NamedShape[], told: string | undefined): Model {
  const name: ModelName | undefined = told === undefined ? undefined : parseModelName(told);
  const family = isResNet(tensors) ? 'resnet' : isSequential(tensors) ? 'vgg' : 'mlp';
  if (name && name.family !== family) {
    throw new OptionError(`--model: "${told}" is a ${name.family}, the checkpoint looks like a ${family}`);
  }
  if (family === 'mlp') {
    const mlp = recogniseMlp(tensors, name?.family === 'mlp' ? name.options : {});
    expectExactly(mlp, tensors);
    return mlp;
  }
  const recognised = family === 'resnet' ? recogniseResNet(tensors) : recogniseSequential(tensors);
  const known = new Set(stateEntries(recognised).map((entry) => entry.name));
  const extra = tensors.filter((tensor) => !known.has(tensor.name));
  // Networks that were re-normalised have biases that their kind lacks.
  const biased = extra.length > 0 && extra.every((tensor) => tensor.name.endsWith('.bias'));
  const model = biased ? withBiases(recognised) : recognised;
  expectExactly(model, tensors);
  return model;
}

/** @throws FormatError naming the first tensor that the model lacks or the checkpoint lacks, or whose shape differs. */
function expectExactly(model: Model, tensors: readonly NamedShape[]): void {
  const wanted = new Map(stateEntries(model).map(({ name, shape }) => [name, shape]));
  for (const { name, shape } of tensors) {
    const expected = wanted.get(name);
    if (!expected) {
      throw new FormatError(
        `recogniseModel: it looks like ${model.name}, which has no tensor "${name}" [${shape}]`,
      );
    }
    if (expected.join() !== shape.join()) {
      throw new FormatError(
        `recogniseModel: "${name}" is [${shape}], but in ${model.name} it is [${expected}]`,
      );
    }
    wanted.delete(name);
  }
  const [missing] = wanted;
  if (missing) {
    throw new FormatError(
      `recogniseModel: it looks like ${model.name}, but "${missing[0]}" [${missing[1]}] is missing`,
    );
  }
}
