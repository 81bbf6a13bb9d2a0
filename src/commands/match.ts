/** What `rebasin match` finds: the order of B's hidden units that brings B closest to A. */
import { valuesOf } from '../nn/state-dict.ts';
import { type Match, matchModels } from '../rebasin/matching/match.ts';
import type { MatchingMethod, MatchResult } from '../report/results.ts';
import type { Context } from '../runtime/context.ts';
import { Scope } from '../runtime/scope.ts';
import type { Checkpoint } from './checkpoint.ts';
import { completeResult } from './complete-result.ts';
import { type MatchingChoices, matchingSettings, uploadMethodImages } from './method-settings.ts';
import type { CommandRequest } from './request.ts';

export interface MatchRequest extends CommandRequest, MatchingChoices {
  /** The reference. */
  readonly a: Checkpoint;
  /** The one to permute. */
  readonly b: Checkpoint;
  /** How units are matched. */
  readonly method: MatchingMethod;
}

/**
 * Matches B to A.
 * @returns the result that `rebasin match` prints, with the same hash, and the match that later requests may be given.
 * @throws what `matchModels` throws; OptionError where a method lacks its images.
 */
export async function matchResult(
  context: Context,
  request: MatchRequest,
): Promise<{ readonly result: MatchResult; readonly match: Match }> {
  const { a, b, model, method, images, seed, signal, started, onProgress } = request;
  const matching = matchingSettings(request);
  const [valuesA, valuesB] = [valuesOf(a.state), valuesOf(b.state)];
  const scope = new Scope();
  try {
    const used = uploadMethodImages(context, scope, images, model, [method], [], request);
    const match = await matchModels(context, {
      ...{ model, a: valuesA, b: valuesB, method, ...matching, ...used, seed, signal },
      onProgress: ({ done, total, note }) => onProgress?.({ stage: 'match', done, total, note }),
    });
    const digests = used.datasets.map(({ digest }) => digest);
    const inputs = { a: [...valuesA], b: [...valuesB], method, matching, digests };
    const result: MatchResult = completeResult(context, 'match', seed, started, inputs, match.fields);
    return { result, match };
  } finally {
    scope.destroy();
  }
}
