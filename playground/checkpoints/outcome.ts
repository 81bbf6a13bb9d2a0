/** What each analysis gives the page: results of commands, as these print them, and two things that only the page shows. */
import type { AnalyseResult, SingularResult } from '../../src/report/analyse-result.ts';
import type { MatchedFilters } from '../../src/report/filters-result.ts';
import type { PruneResult } from '../../src/report/prune-result.ts';
import type {
  MatchFields,
  MatchResult,
  MergeResult,
  PlaneResult,
  StatsResult,
  SweepResult,
} from '../../src/report/results.ts';

export interface SpecFacts {
  readonly model: string;
  readonly equivalence: MatchFields['equivalence'];
  readonly groups: readonly {
    readonly name: string;
    readonly size: number;
    /** `fc1.weight 0`: a tensor and its axis. */
    readonly places: readonly string[];
  }[];
  /** Axes that cannot be permuted, and why: `fc3.weight 0: reaches the output`. */
  readonly pinned: readonly string[];
}

export type Outcome =
  | { readonly analysis: 'spec'; readonly spec: SpecFacts }
  | { readonly analysis: 'match'; readonly result: MatchResult }
  | { readonly analysis: 'units'; readonly filters: MatchedFilters }
  | {
      readonly analysis: 'line';
      readonly naive: SweepResult;
      readonly aligned?: SweepResult;
      readonly corrected?: SweepResult;
      /** Why nothing was corrected, where it was to be. */
      readonly uncorrected?: string;
    }
  | { readonly analysis: 'layers'; readonly result: StatsResult }
  | { readonly analysis: 'merge'; readonly result: MergeResult }
  | { readonly analysis: 'singular'; readonly result: AnalyseResult }
  | { readonly analysis: 'singular'; readonly vectors: SingularResult; readonly model: string }
  | { readonly analysis: 'pruning'; readonly result: PruneResult }
  | { readonly analysis: 'plane'; readonly result: PlaneResult };
