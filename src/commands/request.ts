/** What commands that look at two networks or more are asked, beside their own options. */
import type { Model } from '../nn/models/model.ts';
import { type Match, type MatchOptions, matchModels } from '../rebasin/matching/match.ts';
import type { MatchFields } from '../report/results.ts';
import type { HostTensors } from '../runtime/arena.ts';
import type { Context } from '../runtime/context.ts';
import type { CommandImages } from './method-settings.ts';

/** How far a command is. */
export interface CommandProgress {
  /** What is under way, such as `match` or `sweep`. */
  readonly stage: string;
  /** Parts done. */
  readonly done: number;
  /** Parts there are. */
  readonly total: number;
  /** A word on how it goes. */
  readonly note: string;
}

/** Of every command. */
export interface CommandRequest {
  /** The architecture. */
  readonly model: Model;
  /** What is looked at. */
  readonly images: CommandImages;
  /** Of everything random. */
  readonly seed: number;
  /** `performance.now()` when the user asked: results say how long they took. */
  readonly started: number;
  /** Called as the work goes on. Default: nobody is told. */
  readonly onProgress?: ((progress: CommandProgress) => void) | undefined;
  /** Stops the work: the promise is rejected with its reason. Default: none. */
  readonly signal?: AbortSignal | undefined;
}

/** How B may be matched: the options of matching, or what they gave before. */
export interface AlignOptions extends Omit<MatchOptions, 'onProgress'>, Pick<CommandRequest, 'onProgress'> {
  /** What these very options gave before, to be taken as it is. */
  readonly matched?: Match | undefined;
  /** What progress calls it. Default: `match`. */
  readonly stage?: string;
}

/** B as the method permutes it, and what was found; B itself for `none`. */
export async function alignModels(
  context: Context,
  { matched, stage = 'match', onProgress, ...options }: AlignOptions,
): Promise<{ readonly aligned: HostTensors; readonly match?: MatchFields }> {
  if (options.method === 'none') return { aligned: options.b };
  const { fields, aligned } =
    matched ??
    (await matchModels(context, {
      ...options,
      onProgress: ({ done, total, note }) => onProgress?.({ stage, done, total, note }),
    }));
  return { aligned, match: fields };
}
