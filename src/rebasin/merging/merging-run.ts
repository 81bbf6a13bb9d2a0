/** What every merging method works with: the models in their frame, and matchings that are checked, counted and stopped in one place. */
import type { HostTensors } from '../../runtime/arena.ts';
import type { Matcher } from '../matching/matcher.ts';
import { invertPermutations } from '../spec/apply-permutation.ts';
import { checkPermutations, type Permutations } from '../spec/axis-index.ts';
import type { PermutationSpec } from '../spec/permutation-spec.ts';
import { CommonFrame } from './common-frame.ts';
import type { PairMap } from './cycle-error.ts';

/** Told after each matching of a merge. */
export interface MergingProgress {
  /** `match`: bringing the models into one frame; `cycles`: matchings that only the cycle error needs. */
  readonly stage: 'match' | 'cycles';
  /** Matchings made in this stage. */
  readonly done: number;
  /** The most there can be; methods with rounds usually end long before. */
  readonly total: number;
  /** Rounds that are finished. */
  readonly rounds: number;
}

export interface MergingRunOptions {
  readonly spec: PermutationSpec;
  readonly models: readonly HostTensors[];
  readonly matcher: Matcher;
  readonly seed: number;
  readonly onProgress?: ((progress: MergingProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export class MergingRun {
  readonly spec: PermutationSpec;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
  readonly frame: CommonFrame;
  /** `frame.spread()` before the first and after each round. */
  readonly distances: number[];
  readonly #options: MergingRunOptions;
  readonly #pairs = new Map<string, Permutations>();
  #stage: Pick<MergingProgress, 'stage' | 'done' | 'total'> = { stage: 'match', done: 0, total: 0 };

  constructor(options: MergingRunOptions) {
    this.#options = options;
    this.spec = options.spec;
    this.seed = options.seed;
    this.signal = options.signal;
    this.frame = new CommonFrame(options.spec, options.models);
    this.distances = [this.frame.spread()];
  }

  get count(): number {
    return this.frame.models.length;
  }

  /** Begins to count matchings anew. @param total the most there can be. */
  begin(stage: MergingProgress['stage'], total: number): void {
    this.#stage = { stage, done: 0, total };
  }

  /** Ends a round. @returns how many there were. */
  endRound(): number {
    return this.distances.push(this.frame.spread()) - 1;
  }

  /** Matches `from` to `to` with the caller's matcher, or with another. */
  async match(
    to: HostTensors,
    from: HostTensors,
    matcher: Matcher = this.#options.matcher,
  ): Promise<Permutations> {
    this.signal?.throwIfAborted();
    const permutations = await matcher(to, from);
    this.signal?.throwIfAborted();
    checkPermutations('mergeModels: the matcher', this.spec, permutations);
    this.#stage = { ...this.#stage, done: this.#stage.done + 1 };
    this.#options.onProgress?.({ ...this.#stage, rounds: this.distances.length - 1 });
    return permutations;
  }

  /** What matches one of the models, as it came, to another: made once for each pair, the way back is the inverse. */
  async pair(to: number, from: number): Promise<Permutations> {
    const [low, high] = [Math.min(to, from), Math.max(to, from)];
    const { models } = this.frame;
    if (!this.#known(low, high)) {
      this.#pairs.set(`${low},${high}`, await this.match(models[low]!, models[high]!));
    }
    return this.#known(to, from)!;
  }

  /** The maps of all pairs of models as they came; those that are missing are matched now. */
  async allPairs(): Promise<PairMap> {
    this.begin('cycles', (this.count * (this.count - 1)) / 2 - this.#pairs.size);
    for (let from = 1; from < this.count; from++) {
      for (let to = 0; to < from; to++) await this.pair(to, from);
    }
    return (to, from) => this.#known(to, from)!;
  }

  #known(to: number, from: number): Permutations | undefined {
    const known = this.#pairs.get(`${Math.min(to, from)},${Math.max(to, from)}`);
    return known && to > from ? invertPermutations(known) : known;
  }
}
