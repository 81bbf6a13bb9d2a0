/** The first layer's units of A beside those of B, before matching and after. */
export interface MatchedFilters {
  /** The architecture. */
  readonly model: string;
  /** Name of the module. */
  readonly layer: string;
  /** Name of the tensor. */
  readonly weight: string;
  /** [C, H, W] of one unit's weights as a picture; absent where they are no picture. */
  readonly shape?: readonly [number, number, number];
  /** For every unit of A: the cosine of its weights and those of B's unit of the same number. */
  readonly before: readonly number[];
  /** The same with B's unit that was matched to it. */
  readonly after: readonly number[];
  /** Some units, evenly from the best matched to the worst, with their weights. */
  readonly units: readonly {
    readonly unit: number;
    readonly before: number;
    readonly after: number;
    readonly a: readonly number[];
    readonly b: readonly number[];
    readonly aligned: readonly number[];
  }[];
}
