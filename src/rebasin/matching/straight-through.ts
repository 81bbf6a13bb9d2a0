/**
 * Straight-through estimator matching (Ainsworth, Hayase and Srinivasa 2022, "Git Re-Basin", algorithm 3; ALGORITHMS 2.3): finds
 * permutations of B by training the network half-way between A and pi(B), where weight matching looks at weights alone.
 *
 * Each step projects the free vector T on permutations of B and moves it by SGD on one batch (`straight-through-estimator.ts`). A and B
 * stay as they are. The permutations met on the way are candidates; the best is the one whose network half-way has the least loss on one
 * fixed set (the published code takes the least loss of single batches: noise; ALGORITHMS 7.10). The first candidate is weight matching's
 * own result, so on that set this is never worse. On other data it may be: choose `evaluation` large enough, and apart from `data`.
 */
import { DataError, OptionError, UnsupportedError } from '../../base/errors.ts';
import { hashResult } from '../../base/hash.ts';
import { RandomStream } from '../../base/random.ts';
import type { Model } from '../../nn/models/model.ts';
import { type Evaluation, Evaluator } from '../../nn/train/evaluate.ts';
import { checkDatasetFits, type GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { OptimizerOptions } from '../../nn/train/optimizer.ts';
import { constantSchedule, type Schedule } from '../../nn/train/schedule.ts';
import type { HostTensors } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { Scope } from '../../runtime/scope.ts';
import { hasBatchNorm } from '../renormalise/layers.ts';
import { BatchNormReset } from '../renormalise/reset.ts';
import { permuteValues } from '../spec/apply-permutation.ts';
import type { Permutations } from '../spec/axis-index.ts';
import type { PermutationSpec } from '../spec/permutation-spec.ts';
import { scoredObjective } from './objective.ts';
import { StraightThroughEstimator } from './straight-through-estimator.ts';
import type { WeightMatcherOptions } from './weight-matcher.ts';
import { checkMatching, scoresOf, type WeightMatchingResult } from './weight-matching.ts';

/** `seed` is that of the order of samples, too. */
export interface StraightThroughOptions extends Pick<WeightMatcherOptions, 'order' | 'seed' | 'assign'> {
  /** The architecture. */
  readonly model: Model;
  /** Of `model`, as `derivePermutationSpec` gives it. */
  readonly spec: PermutationSpec;
  /** The reference: f32 by name, exactly the spec's entries. */
  readonly a: HostTensors;
  /** The model to permute. */
  readonly b: HostTensors;
  /** Images to train on. */
  readonly data: GpuDataset;
  /** Images on which all candidates are compared. */
  readonly evaluation: GpuDataset;
  /** For networks with batch norm, and only for these: images on which each candidate's running statistics are estimated (RESET). */
  readonly reset?: GpuDataset;
  /** Training steps. */
  readonly steps: number;
  /** Samples a step; the last batch of an epoch may be smaller. Default: 500. */
  readonly batchSize?: number;
  /** The published codes have 0.01 with batches of 1000 (MLPs) to 1 with batches of 250 (ResNet20, width 16). */
  readonly learningRate: number;
  /** Factor of the learning rate at each step. Default: 1 throughout. */
  readonly schedule?: Schedule;
  /** Moves the free vector. Default: SGD with momentum 0.9, no weight decay. */
  readonly optimizer?: OptimizerOptions;
  /** The permutations of every so many steps are candidates, and those of the last. Default: 10. */
  readonly candidateEvery?: number;
  /** Called when candidates were compared. */
  readonly onProgress?: (progress: StraightThroughProgress) => void;
  /** Stops the work: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal;
}

/** The network half-way with the permutations after `step` steps, on the evaluation set. */
export interface Candidate extends Evaluation {
  /** Steps done; 0 is weight matching. */
  readonly step: number;
}

/** How far it is. */
export interface StraightThroughProgress {
  /** Steps done. */
  readonly step: number;
  /** How many there will be. */
  readonly steps: number;
  /** The permutations of now, unless they were compared before. */
  readonly candidate: Candidate | undefined;
  /** The best candidate so far. */
  readonly best: Candidate;
}

/** What straight-through matching found. */
export interface StraightThroughResult extends Pick<WeightMatchingResult, 'objective' | 'distance'> {
  /** The best candidate's. For each group, i32: unit i of the permuted B is unit p[i] of B. */
  readonly permutations: Permutations;
  /** The candidate that was taken. */
  readonly best: Candidate;
  /** Every candidate once, in the order met; the first is weight matching. */
  readonly candidates: readonly Candidate[];
  /** For each step, the mean loss of its batch half-way, before T moved. */
  readonly batchLoss: readonly number[];
  /** Steps after which the permutations were others than before. */
  readonly changes: number;
}

/**
 * Matches B to A by a straight-through estimator.
 * @throws OptionError for options out of range; FormatError, DataError or ShapeError naming what does not fit or is not finite;
 * UnsupportedError for a network with nothing to permute or a quadratic objective; the signal's reason when aborted.
 * @example
 * const spec = derivePermutationSpec([forwardGraph(model).logits]);
 * const { permutations } = await straightThroughMatching(context, { model, spec, a, b, data, evaluation, steps: 500, learningRate: 0.1 });
 * const aligned = permuteValues(spec, permutations, b);
 */
export async function straightThroughMatching(
  context: Context,
  options: StraightThroughOptions,
): Promise<StraightThroughResult> {
  const { spec, a, b, data, steps, learningRate, seed = 0, signal } = options;
  const { schedule = constantSchedule(), candidateEvery = 10 } = options;
  const batchSize = Math.min(options.batchSize ?? 500, data.count);
  checkOptions(options, { steps, batchSize, candidateEvery });
  const estimator = new StraightThroughEstimator(context, {
    ...options,
    optimizer: options.optimizer ?? { type: 'sgd', momentum: 0.9 },
    batchSize,
  });
  const scope = new Scope();
  scope.own(estimator);
  try {
    const candidates = new Candidates(context, estimator, options, scope);
    const order = scope.own(context.tensor([data.count], 'u32', { label: 'order of samples' }));
    const losses = scope.own(context.tensor([steps], 'f32', { label: 'losses half-way' }));
    const random = new RandomStream(seed, 'straight-through matching: order of samples');
    const stepsPerEpoch = Math.ceil(data.count / batchSize);
    let changes = 0;
    for (let step = 0; ; step++) {
      // At first T is A, whose values the host has: the matching of `weightMatching`, to the last check.
      const objective = (permutations: Permutations) =>
        scoredObjective(spec, a, permuteValues(spec, permutations, b));
      if (step === 0) await estimator.project({ objective, signal });
      else if (await projectFinite(estimator, step, signal)) changes++;
      if (step % candidateEvery === 0 || step === steps) {
        const candidate = await candidates.compare(step, signal);
        options.onProgress?.({ step, steps, candidate, best: candidates.best });
      }
      signal?.throwIfAborted();
      if (step === steps) break;
      const inEpoch = step % stepsPerEpoch;
      if (inEpoch === 0) {
        context.write(order, random.derive(step / stepsPerEpoch + 1).permutation(data.count));
      }
      const start = inEpoch * batchSize;
      estimator.step({
        data,
        order,
        start,
        count: Math.min(batchSize, data.count - start),
        learningRate: learningRate * schedule(step, steps),
        loss: { buffer: losses.buffer, offset: 4 * step, shape: [], dtype: 'f32' },
      });
    }
    const { permutations, best, all } = candidates;
    const batchLoss = [...(await losses.read())];
    return { permutations, ...scoresOf(spec, permutations, a, b), best, candidates: all, batchLoss, changes };
  } finally {
    scope.destroy();
  }
}

/** Projects T once it has moved. @throws DataError that names the learning rate when T is no longer finite. */
async function projectFinite(
  estimator: StraightThroughEstimator,
  step: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return await estimator.project({ signal });
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    throw new DataError(
      `straightThroughMatching: after step ${step} the free vector is not finite; use a smaller learning rate`,
      { cause },
    );
  }
}

/** The permutations met, each compared once on the evaluation set. */
class Candidates {
  readonly all: Candidate[] = [];
  readonly #estimator: StraightThroughEstimator;
  readonly #evaluator: Evaluator;
  readonly #reset: BatchNormReset | undefined;
  readonly #seen = new Set<string>();
  #best: { readonly candidate: Candidate; readonly permutations: Permutations } | undefined;

  constructor(
    context: Context,
    estimator: StraightThroughEstimator,
    { model, evaluation, reset }: StraightThroughOptions,
    scope: Scope,
  ) {
    this.#estimator = estimator;
    this.#evaluator = scope.own(new Evaluator(context, model, [estimator.midpoint], evaluation));
    this.#reset = reset && scope.own(new BatchNormReset(context, model, estimator.midpoint, reset));
  }

  get best(): Candidate {
    return this.#best!.candidate;
  }

  get permutations(): Permutations {
    return this.#best!.permutations;
  }

  /** @returns the estimator's permutations of now as a candidate, undefined if they were one before. */
  async compare(step: number, signal: AbortSignal | undefined): Promise<Candidate | undefined> {
    const { permutations } = this.#estimator;
    const key = hashResult(permutations);
    if (this.#seen.has(key)) return undefined;
    this.#seen.add(key);
    await this.#reset?.record(signal);
    const candidate = { step, ...(await this.#evaluator.evaluate({ signal })) };
    this.all.push(candidate);
    if (!this.#best || candidate.loss < this.#best.candidate.loss) this.#best = { candidate, permutations };
    return candidate;
  }
}

function checkOptions(options: StraightThroughOptions, counts: Readonly<Record<string, number>>): void {
  const { model, spec, data, evaluation, reset, learningRate } = options;
  for (const [name, value] of Object.entries(counts)) {
    if (!Number.isInteger(value) || value < 1) {
      throw new OptionError(`straightThroughMatching: ${name} must be a positive integer, got ${value}`);
    }
  }
  if (!(learningRate > 0 && Number.isFinite(learningRate))) {
    throw new OptionError(
      `straightThroughMatching: learningRate must be a positive number, got ${learningRate}`,
    );
  }
  checkMatching('straightThroughMatching', options);
  if (spec.groups.length === 0) {
    throw new UnsupportedError(`straightThroughMatching: ${model.name} has no units that could be permuted`);
  }
  if (hasBatchNorm(model) !== (reset !== undefined)) {
    throw new OptionError(
      reset
        ? `straightThroughMatching: ${model.name} has no batch norm, so there is nothing to \`reset\`; leave it out`
        : `straightThroughMatching: ${model.name} has batch norm, whose running statistics half-way are those of no network; ` +
            'give images to estimate them on as `reset`',
    );
  }
  for (const dataset of [data, evaluation, reset]) if (dataset) checkDatasetFits(model, dataset);
}
