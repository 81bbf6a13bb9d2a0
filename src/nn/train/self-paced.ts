/**
 * Self-paced training: a sample's loss counts by a weight that follows from that loss.
 *
 * Kumar, Packer and Koller ("Self-paced learning for latent variable models", NIPS 2010) and Jiang, Meng, Mitamura and Hauptmann
 * ("Easy samples first", ACM MM 2014) alternate between weights v_i = v*(l_i; age), the best for the losses as they are, and a fit of the
 * model to `sum_i v_i l_i`, while the age grows. Here an epoch of steps stands for the fit: the steps of an epoch minimise
 * `sum_i v_i l_i / N`, where v_i, a constant of the epoch, follows from the loss that sample i had in the epoch before. That loss is known: it is the
 * one its own step was taken by (of the augmented image and the smoothed label, before the step), so that weights cost no pass of their own.
 * The first epochs are plain (weight 1): losses of a network that has learnt nothing tell no sample from another.
 *
 * Losses of networks have no scale known beforehand, so the age is said as a share: that of the samples which are easy enough, from which
 * `ageOfShare` finds the age anew each epoch. Weights are computed in float64 and rounded once to f32. A sample of weight 0 takes no part in
 * the gradient, but in the statistics of batch norm, and its loss goes on being taken: it may come back.
 */
import { OptionError } from '../../base/errors.ts';
import { ageOfShare } from '../../selfpaced/age-of-share.ts';
import {
  type RegulariserName,
  type SelfPacedRegulariser,
  selfPacedRegulariser,
} from '../../selfpaced/regularisers.ts';

/** How samples are weighed. */
export interface SelfPacing {
  /** How weights follow from losses: any but `logarithmic`, whose ages end at 1. */
  readonly regulariser: RegulariserName;
  /** Of `polynomial`, above 1. Default: 1.5. */
  readonly exponent?: number;
  /** Of `mixture`, above 0. Default: 1. */
  readonly scale?: number;
  /** Share of the samples that are easy enough in the first weighted epoch, above 0 to 1. Default: 0.5. */
  readonly from?: number;
  /** The same in the last epoch; the share moves linearly. Below `from`, samples are dropped rather than taken in. Default: 1. */
  readonly to?: number;
  /** Epochs at weight 1 before the first weighted one, 1 or more and fewer than all. Default: 1. */
  readonly plainEpochs?: number;
}

/** What the weights of one epoch were. */
export interface EpochPace {
  /** Of the regulariser; of a plain epoch none. */
  readonly age?: number;
  /** Share of the samples whose weight is above 0. */
  readonly share: number;
  /** Over all samples. */
  readonly meanWeight: number;
}

/** What self-paced training needs to go on after it was stopped. */
export interface SelfPacedState {
  /** f32 [samples], in the order of the data set: losses of the last epoch done; empty before the first. */
  readonly losses: Float32Array;
  /** Of the epochs done. */
  readonly paces: readonly EpochPace[];
}

/** What the weights were. */
export interface SelfPacedResult {
  /** One an epoch. */
  readonly epochs: readonly EpochPace[];
  /** f32 [samples], in the order of the data set: the weights that the losses of the last epoch give at the last share. */
  readonly weights: Float32Array;
}

/** Weights of samples, epoch after epoch. Knows no GPU. */
export class SamplePacer {
  /** All options, defaults included: what decides the weights. */
  readonly settings: Required<SelfPacing>;
  readonly #regulariser: SelfPacedRegulariser;
  readonly #epochs: number;
  #losses: Float32Array = new Float32Array(0);
  #paces: EpochPace[] = [];
  #pace: EpochPace = PLAIN;

  /** @throws OptionError for options out of range. */
  constructor(pacing: SelfPacing, epochs: number) {
    const { regulariser, exponent = 1.5, scale = 1, from = 0.5, to = 1, plainEpochs = 1 } = pacing;
    this.settings = { regulariser, exponent, scale, from, to, plainEpochs };
    this.#regulariser = selfPacedRegulariser(regulariser, { exponent, scale });
    this.#epochs = epochs;
    if (this.#regulariser.ageLimit < Infinity) {
      throw new OptionError(
        `fit: the self-paced regulariser "${regulariser}" has ages below ${this.#regulariser.ageLimit} only, and losses of networks have no such bound; use linear or polynomial`,
      );
    }
    for (const [name, share] of Object.entries({ from, to })) {
      if (!(share > 0 && share <= 1)) {
        throw new OptionError(`fit: self-paced ${name} must be a share above 0, up to 1, got ${share}`);
      }
    }
    if (!Number.isInteger(plainEpochs) || plainEpochs < 1 || plainEpochs >= epochs) {
      throw new OptionError(
        `fit: self-paced plainEpochs must be an integer from 1 to ${epochs - 1}, so that of ${epochs} epochs some are weighted, got ${plainEpochs}; train for more epochs or use fewer plain ones`,
      );
    }
  }

  /** @returns the weights of an epoch (from 1) of `samples` samples, f32 [samples] in the order of the data set. */
  begin(epoch: number, samples: number): Float32Array {
    const { from, to, plainEpochs } = this.settings;
    if (epoch <= plainEpochs) {
      this.#pace = PLAIN;
      return new Float32Array(samples).fill(1);
    }
    const moves = this.#epochs - plainEpochs - 1;
    const moved = moves === 0 ? 1 : (epoch - plainEpochs - 1) / moves;
    const { age, weights } = this.#weigh(from + (to - from) * moved);
    let [above, sum] = [0, 0];
    for (const weight of weights) {
      if (weight > 0) above++;
      sum += weight;
    }
    this.#pace = { age, share: above / samples, meanWeight: sum / samples };
    return weights;
  }

  /** Of the epoch that was begun. */
  get pace(): EpochPace {
    return this.#pace;
  }

  /** Takes the losses of the epoch that was begun: `losses[k]` is that of sample `order[k]`. */
  finish(losses: Float32Array, order: Uint32Array): void {
    this.#losses = new Float32Array(losses.length);
    for (const [k, sample] of order.entries()) this.#losses[sample] = losses[k]!;
    this.#paces.push(this.#pace);
  }

  get state(): SelfPacedState {
    return { losses: this.#losses, paces: [...this.#paces] };
  }

  set state({ losses, paces }: SelfPacedState) {
    this.#losses = losses;
    this.#paces = [...paces];
  }

  /** After the last epoch. */
  get result(): SelfPacedResult {
    return { epochs: [...this.#paces], weights: this.#weigh(this.settings.to).weights };
  }

  #weigh(share: number): { age: number; weights: Float32Array } {
    const age = ageOfShare(this.#regulariser, this.#losses, share);
    return { age, weights: this.#losses.map((loss) => this.#regulariser.weight(loss, age)) };
  }
}

const PLAIN: EpochPace = { share: 1, meanWeight: 1 };
