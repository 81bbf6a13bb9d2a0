/**
 * Exact Hessian-vector products (Pearlmutter 1994) of the mean cross-entropy over a data set: the gradient of <gradient, v>, as a graph,
 * so that one pass over the data gives loss, gradient g and H v.
 *
 * The network is run in evaluation mode: batch norm uses its running statistics, and each sample has a loss of its own. ReLU and max
 * pooling are taken as linear where they are, so H is that of the piece of the loss on which the weights lie; v must not lead off it.
 *
 * The GPU sums the samples of one batch in f32; batches are added on the host in f64. What is summed of N samples on the GPU differs from
 * the exact sum by at most about (N + c) 2^-24 of the sum of |terms|, c the roundings of one sample's way through the network. Sums over
 * batches add nothing to that, so batches of other sizes give the same numbers within the roundings of one batch.
 */

import { Arena, ArenaLayout, type HostTensors } from '../runtime/arena.ts';
import type { Context } from '../runtime/context.ts';
import { Scope } from '../runtime/scope.ts';
import { fittingBatchSize } from './batch-size.ts';
import { gradients, vectorJacobianProduct } from './gradient.ts';
import { leavesOf, type Node } from './graph.ts';
import { forwardGraph, type Model, stateEntries } from './models/model.ts';
import { crossEntropy, input, sum } from './ops/index.ts';
import { compile, type Program } from './program.ts';
import type { GpuDataset } from './train/gpu-dataset.ts';
import { checkDatasetFits } from './train/gpu-dataset.ts';

/** Float64 arrays by name. */
export type Float64Tensors = ReadonlyMap<string, Float64Array>;

/** Loss, gradient and Hessian-vector product at one point, along one direction. */
export interface SecondOrder {
  /** Mean cross-entropy. */
  readonly loss: number;
  /** Gradient of the loss, g. */
  readonly gradient: Float64Tensors;
  /** H v. */
  readonly product: Float64Tensors;
  /** <g, v>: how the loss changes along v. */
  readonly slope: number;
  /** v^T H v: how the slope changes along v. */
  readonly curvature: number;
}

/** The network, and the data that its loss is the mean over. */
export interface HessianVectorOptions {
  /** The architecture. */
  readonly model: Model;
  /** Where parameters and buffers are, read at each product. They stay the caller's. */
  readonly arenas: readonly Arena[];
  /** The samples of the loss; stays the caller's. */
  readonly data: GpuDataset;
  /**
   * What is differentiated by: what is trained, or also running means and variances, which an interpolation moves as well.
   * Default: `parameters`.
   */
  readonly variables?: 'parameters' | 'all';
  /** Default: 100, less where a binding holds less. Memory is some twenty times that of an evaluation. */
  readonly batchSize?: number;
}

/** How to be told, and how to stop. */
export interface SecondOrderOptions {
  /** Looked at after each batch: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch with the number of samples done. */
  readonly onProgress?: ((samples: number) => void) | undefined;
}

/** Differentiates the loss of one network again and again, as the values of its arenas change. */
export class HessianVector {
  /** Names and shapes of what is differentiated by. */
  readonly layout: ArenaLayout;
  readonly #context: Context;
  readonly #data: GpuDataset;
  readonly #scope = new Scope();
  readonly #direction: Arena;
  readonly #gradient: Arena;
  readonly #product: Arena;
  readonly #program: Program;

  /**
   * The caller destroys it.
   * @throws ShapeError where the data do not fit the model; UnsupportedError where an operation has no second gradient.
   */
  constructor(context: Context, options: HessianVectorOptions) {
    const { model, arenas, data, variables = 'parameters', batchSize = 100 } = options;
    checkDatasetFits(model, data);
    this.#context = context;
    this.#data = data;
    const { logits } = forwardGraph(model);
    const losses = crossEntropy(logits, input('labels', ['N'], 'u32'));
    const { gradient, product } = hessianVectorGraph(sum(losses, 0), variables);
    this.layout = new ArenaLayout(stateEntries(model).filter(({ name }) => gradient.has(name)));
    const nodes = [losses, ...gradient.values(), ...product.values()];
    const fitting = fittingBatchSize(context, nodes, Math.min(batchSize, data.count));
    try {
      const arena = (label: string) => this.#scope.own(new Arena(context, this.layout, label));
      this.#direction = arena('direction');
      this.#gradient = arena('gradient');
      this.#product = arena('Hessian times direction');
      const into = (target: Arena, nodes: ReadonlyMap<string, Node>) =>
        [...nodes].map(([name, node]) => [node, target.view(name)] as const);
      this.#program = this.#scope.own(
        compile(context, {
          outputs: { losses },
          stores: [...into(this.#gradient, gradient), ...into(this.#product, product)],
          arenas,
          inputs: Object.fromEntries(
            [...gradient.keys()].map((name) => [directionOf(name), this.#direction.view(name)]),
          ),
          batchSize: fitting,
        }),
      );
    } catch (error) {
      this.#scope.destroy();
      throw error;
    }
  }

  /**
   * Gradient, H v, <g, v> and v^T H v for what the arenas hold now.
   * @param direction v, by name; what it has beside the variables is left out.
   * @throws FormatError naming the entry that is missing or has another length; the signal's reason when aborted.
   */
  async along(direction: HostTensors, { signal, onProgress }: SecondOrderOptions = {}): Promise<SecondOrder> {
    const data = this.#data;
    signal?.throwIfAborted();
    this.#direction.write(direction);
    const [gradient, product] = [new Sum(this.layout), new Sum(this.layout)];
    let loss = 0;
    const program = this.#program;
    for (let start = 0; start < data.count; start += program.batchSize) {
      const size = Math.min(program.batchSize, data.count - start);
      data.fill(program, data.inOrder, start, size);
      program.run(size);
      for (const each of await this.#context.read(program.output('losses', size))) loss += each;
      gradient.add(await this.#gradient.read());
      product.add(await this.#product.read());
      signal?.throwIfAborted();
      onProgress?.(start + size);
    }
    const [g, hv] = [gradient.dividedBy(data.count), product.dividedBy(data.count)];
    return {
      loss: loss / data.count,
      gradient: g,
      product: hv,
      slope: innerProduct(g, direction),
      curvature: innerProduct(hv, direction),
    };
  }

  /** Frees its program and arenas. Safe to call twice. */
  destroy(): void {
    this.#scope.destroy();
  }
}

/** Gradient and H v of a loss, both by the names of its variables. */
export interface HessianVectorGraph {
  /** By parameter name, of the parameter's shape. */
  readonly gradient: ReadonlyMap<string, Node>;
  /** H v, the same way. */
  readonly product: ReadonlyMap<string, Node>;
}

/**
 * The graph of g and H v. The vector v is an input for each variable, named as `directionOf` says.
 * @param loss a scalar @param variables see `HessianVectorOptions`
 * @throws UnsupportedError where an operation has no gradient.
 */
export function hessianVectorGraph(
  loss: Node,
  variables: 'parameters' | 'all' = 'parameters',
): HessianVectorGraph {
  const leaves = [
    ...leavesOf([loss], 'parameter'),
    ...(variables === 'all' ? leavesOf([loss], 'buffer') : []),
  ];
  const nameOf = (leaf: Node): string => leaf.attributes.name;
  const gradient = gradients(loss, leaves);
  const vectors = leaves.map(
    (leaf, i) => [gradient[i]!, input(directionOf(nameOf(leaf)), leaf.shape)] as const,
  );
  const product = vectorJacobianProduct(vectors, leaves);
  const named = (nodes: readonly Node[]) => new Map(leaves.map((leaf, i) => [nameOf(leaf), nodes[i]!]));
  return { gradient: named(gradient), product: named(product) };
}

/** The name of the input that holds v's part for a variable. */
export function directionOf(name: string): string {
  return `direction of ${name}`;
}

/** <a, b> in f64, over a's entries. */
function innerProduct(a: Float64Tensors, b: HostTensors): number {
  let total = 0;
  for (const [name, values] of a) {
    const others = b.get(name)!;
    for (let i = 0; i < values.length; i++) total += values[i]! * others[i]!;
  }
  return total;
}

/** Adds up arenas in f64. */
class Sum {
  readonly #totals: ReadonlyMap<string, Float64Array>;

  constructor({ slices }: ArenaLayout) {
    this.#totals = new Map(slices.map(({ name, length }) => [name, new Float64Array(length)]));
  }

  add(part: HostTensors): void {
    for (const [name, total] of this.#totals) {
      const values = part.get(name)!;
      for (let i = 0; i < total.length; i++) total[i]! += values[i]!;
    }
  }

  /** Divides in place. */
  dividedBy(count: number): Float64Tensors {
    for (const total of this.#totals.values()) for (let i = 0; i < total.length; i++) total[i]! /= count;
    return this.#totals;
  }
}
