/** The reference pair of MNIST MLPs, for tests that run in Node; absent where the fixtures are. */
import { existsSync, readFileSync } from 'node:fs';
import { mlp } from '../../src/nn/models/mlp.ts';
import { forwardGraph } from '../../src/nn/models/model.ts';
import { readStateDict, valuesOf } from '../../src/nn/state-dict.ts';
import { derivePermutationSpec } from '../../src/rebasin/spec/permutation-spec.ts';

const folder = new URL('../../../shared/reference/mnist-mlp/', import.meta.url);

const present = existsSync(folder);

/** Whether the fixtures are there; if not, a line says that tests are skipped. */
export function hasMnistMlp(): boolean {
  if (!present) console.log('skipped: matching of ../shared/reference/mnist-mlp, which is not there');
  return present;
}

export async function loadMnistMlp() {
  const load = async (name: string) => {
    const file = `model-${name}.safetensors`;
    return valuesOf(await readStateDict(new Uint8Array(readFileSync(new URL(file, folder))), file));
  };
  const { logits } = forwardGraph(mlp({ widths: [784, 512, 512, 512, 10] }));
  return { logits, spec: derivePermutationSpec([logits]), a: await load('a'), b: await load('b') };
}
