/** Ages by what they do: the age at which a share of the samples is easy enough. */
import type { SelfPacedRegulariser } from './regularisers.ts';

/** So far above the hardest loss that counts, relatively: that sample and those tied with it keep some weight. */
const ABOVE = 1e-12;
/** For samples without any loss: an age must be above 0. */
const LEAST_LOSS = 1e-30;

/**
 * The age just above the one that drops the hardest of the easiest samples: `share` of them, to the nearest sample and one at least, and
 * whoever ties with the hardest. Regularisers that drop nobody (log, exponential) get that sample's loss as the age.
 * @param losses one a sample, at least 0; one at least
 * @param share from 0 to 1
 */
export function ageOfShare(
  regulariser: SelfPacedRegulariser,
  losses: ArrayLike<number>,
  share: number,
): number {
  const sorted = Float64Array.from(losses).sort();
  const counted = Math.min(Math.max(Math.round(share * sorted.length), 1), sorted.length);
  return regulariser.ageDropping(Math.max(sorted[counted - 1]! * (1 + ABOVE), LEAST_LOSS));
}
