/**
 * What straight-through estimator matching moves (Ainsworth, Hayase and Srinivasa 2022, "Git Re-Basin", algorithm 3; ALGORITHMS 2.3).
 *
 * A free vector T, which starts at A. `project` finds the permutations that make <T, pi(B)> large (weight matching, warm-started); the
 * network half-way is (A + pi(B)) / 2. Forward, T stands for pi(B), backward the projection counts as the identity ("straight through"),
 * so `step` moves T by half the gradient of the loss at the network half-way: dL/dT = 0.5 dL/dtheta at theta = (A + pi(B)) / 2.
 *
 * Everything stays on the GPU but the matrices of the assignments.
 */
import { interpolate, scale } from '../../kernels/arena/arena.ts';
import { parameterGradients } from '../../nn/gradient.ts';
import { forwardGraph, type Model } from '../../nn/models/model.ts';
import { crossEntropy, input, mean } from '../../nn/ops/index.ts';
import { compile, type Program } from '../../nn/program.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import { Optimizer, type OptimizerOptions } from '../../nn/train/optimizer.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import type { TensorView } from '../../runtime/kernel.ts';
import { Scope } from '../../runtime/scope.ts';
import { permuteArena } from '../spec/apply-permutation.ts';
import type { Permutations } from '../spec/axis-index.ts';
import type { PermutationSpec } from '../spec/permutation-spec.ts';
import { type DescentOptions, WeightMatcher, type WeightMatcherOptions } from './weight-matcher.ts';

export interface EstimatorOptions extends Pick<WeightMatcherOptions, 'order' | 'seed' | 'assign'> {
  readonly model: Model;
  /** Of `model`; with at least one group, not quadratic. */
  readonly spec: PermutationSpec;
  /** The reference and the model to permute: f32 by name, exactly the spec's entries. */
  readonly a: HostTensors;
  readonly b: HostTensors;
  /** Moves T. Weight decay would pull T, not a network, to 0. */
  readonly optimizer: OptimizerOptions;
  /** Samples of the largest step. */
  readonly batchSize: number;
}

/** One step: over samples `order[start .. start + count - 1]`. */
export interface EstimatorStep {
  readonly data: GpuDataset;
  readonly order: TensorView;
  readonly start: number;
  readonly count: number;
  readonly learningRate: number;
  /** f32 [], gets the mean loss of the batch half-way, before the step. */
  readonly loss: TensorView;
}

export class StraightThroughEstimator {
  /** (A + pi(B)) / 2 of the last projection, parameters and buffers. Owned by the estimator. */
  readonly midpoint: Arena;
  /** T: the parameters. Owned by the estimator. */
  readonly free: Arena;
  /** dL/dT of the last step, of the layout of T. Owned by the estimator. */
  readonly gradients: Arena;
  readonly #context: Context;
  readonly #spec: PermutationSpec;
  readonly #a: Arena;
  readonly #b: Arena;
  readonly #permuted: Arena;
  readonly #scope = new Scope();
  readonly #matcher: WeightMatcher;
  readonly #optimizer: Optimizer;
  readonly #program: Program;
  /** Those that `midpoint` was made with. */
  #placed: Permutations | undefined;

  /** The caller destroys it. Until the first `project` the midpoint is undefined. @throws ShapeError when the spec is not of the model. */
  constructor(context: Context, { model, spec, a, b, optimizer, batchSize, ...matching }: EstimatorOptions) {
    this.#context = context;
    this.#spec = spec;
    const all = new ArenaLayout(spec.entries);
    const scored = new ArenaLayout(spec.entries.filter((entry) => entry.scored));
    try {
      const arena = (layout: ArenaLayout, label: string) =>
        this.#scope.own(new Arena(context, layout, label));
      this.#a = arena(all, 'model A');
      this.#b = arena(all, 'model B');
      this.#permuted = arena(all, 'model B, permuted');
      this.midpoint = arena(all, 'midpoint');
      this.free = arena(scored, 'free vector');
      this.gradients = arena(scored, 'gradients');
      this.#a.write(a);
      this.#b.write(b);
      this.free.write(a);
      this.#matcher = this.#scope.own(
        new WeightMatcher(context, { ...matching, spec, a: this.free, b: this.#b }),
      );
      this.#optimizer = this.#scope.own(new Optimizer(context, optimizer, this.free, this.gradients));
      this.#program = this.#scope.own(this.#compile(model, batchSize));
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /** Batch statistics, not running ones, as in training: those of A and B belong to neither the network half-way nor T. */
  #compile(model: Model, batchSize: number): Program {
    const { logits } = forwardGraph(model, { training: true });
    const loss = mean(crossEntropy(logits, input('labels', ['N'], 'u32')), 0);
    const stores = [...parameterGradients(loss)].map(
      ([name, node]) => [node, this.gradients.view(name)] as const,
    );
    return compile(this.#context, { outputs: { loss }, stores, arenas: [this.midpoint], batchSize });
  }

  /** pi of the last projection: unit i of the permuted B is unit p[i] of B. */
  get permutations(): Permutations {
    return this.#matcher.permutations;
  }

  /**
   * Projects T: matches B to it, starting from the last permutations and duals, and sets the midpoint. Where the permutations stay as they
   * were, that is one reading of the assignments' matrices and a look at each row.
   * @returns whether they changed; the first time, true.
   */
  async project(options: DescentOptions = {}): Promise<boolean> {
    await this.#matcher.match(options);
    const permutations = this.#matcher.permutations;
    const placed = this.#placed;
    if (placed && Object.entries(permutations).every(([group, p]) => p === placed[group])) return false;
    permuteArena(this.#context, this.#spec, permutations, this.#b, this.#permuted);
    const [a, b, output] = [this.#a.windows, this.#permuted.windows, this.midpoint.windows];
    this.#context.record(...interpolate(this.#context, { a, b, lambda: 0.5, output }));
    this.#placed = permutations;
    return true;
  }

  /** Records one step of T. Nothing is read back. */
  step({ data, order, start, count, learningRate, loss }: EstimatorStep): void {
    const context = this.#context;
    data.fill(this.#program, order, start, count);
    this.#program.run(count);
    const { buffer, offset } = this.#program.output('loss', count);
    context.recorder.copy(buffer, offset, loss.buffer, loss.offset, 4);
    const gradients = this.gradients.windows;
    context.record(...scale(context, { alpha: 0.5, x: gradients, output: gradients }));
    this.#optimizer.step(learningRate);
  }

  /** Frees what it made, once what is recorded has run. Safe to call twice. */
  destroy(): void {
    this.#scope.destroy();
  }
}
