/** Assignment matrices of a real weight matching: the reference pair of MLPs trained on MNIST, where its files are. */
import { existsSync, readFileSync } from 'node:fs';
import { parseSafetensors } from '../../src/io/safetensors.ts';
import type { Case } from '../case.ts';
import { assignmentCase, products } from '../cases/assignment.ts';

const FOLDER = '../shared/reference/mnist-mlp';

/** The first assignment of each hidden layer, all other permutations the identity. None where the files are not there. */
export function realMatchings(): readonly Case[] {
  if (!existsSync(FOLDER)) return [];
  return [1, 2].map((layer) => assignmentCase(`mnist-layer-${layer}`, 512, (n) => matrixOf(layer, n)));
}

function matrixOf(layer: number, n: number): Float64Array {
  const [a, b] = ['a', 'b'].map((name) =>
    parseSafetensors(readFileSync(`${FOLDER}/model-${name}.safetensors`)),
  );
  const weight = (file: typeof a, name: string) =>
    Float64Array.from(file!.tensors.get(name)!.data as Float32Array);
  const transposed = (x: Float64Array) =>
    x.map((_, k) => x[(k % (x.length / n)) * n + Math.floor(k / (x.length / n))]!);
  const sum = new Float64Array(n * n);
  const add = (part: Float64Array) => {
    for (let k = 0; k < sum.length; k++) sum[k]! += part[k]!;
  };
  for (const name of [`fc${layer}.weight`, `fc${layer}.bias`])
    add(products(weight(a, name), weight(b, name), n));
  const next = `fc${layer + 1}.weight`;
  add(products(transposed(weight(a, next)), transposed(weight(b, next)), n));
  return sum;
}
