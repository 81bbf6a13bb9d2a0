/**
 * `rebasin/selfpaced`: age paths of self-paced learning and their problems, in float64; Gram matrices on the GPU.
 * @module rebasin/selfpaced
 */
export * from './base/errors.ts';
export {
  type AgePath,
  type AgePathOptions,
  agePath,
  type PathEvent,
  type PathPoint,
  type PathStatistics,
} from './selfpaced/age-path.ts';
export {
  fullFit,
  type GridOptions,
  type GridResult,
  type SearchOptions,
  type SearchResult,
  searchGrid,
} from './selfpaced/alternating-search.ts';
export { type GpuGramOptions, gramOnGpu } from './selfpaced/gpu-gram.ts';
export type { Kernel } from './selfpaced/kernel.ts';
export { type LassoData, lasso } from './selfpaced/lasso.ts';
export { type LogisticRegressionData, logisticRegression } from './selfpaced/logistic-regression.ts';
export {
  type FrozenSystem,
  latentObjective,
  type Pace,
  type SelfPacedProblem,
  type Sets,
  type Work,
} from './selfpaced/problem.ts';
export {
  REGULARISER_NAMES,
  type RegulariserName,
  type RegulariserOptions,
  type SelfPacedRegulariser,
  selfPacedRegulariser,
} from './selfpaced/regularisers.ts';
export type { Knot, Segment } from './selfpaced/segment.ts';
export { type SupportVectorMachineData, supportVectorMachine } from './selfpaced/support-vector-machine.ts';
