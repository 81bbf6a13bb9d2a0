/** The library: everything but how a GPU is found, which `entry-node.ts` and `entry-browser.ts` add. */
export * from './base/errors.ts';
export { hashResult } from './base/hash.ts';
export { RandomStream } from './base/random.ts';
export { type AnalyseRequest, analyseResult } from './commands/analyse.ts';
export {
  type Checkpoint,
  checkpointOf,
  expectAlike,
  modelOfCheckpoint,
  normalisationOfCheckpoint,
  permutedCheckpoint,
  type Told,
} from './commands/checkpoint.ts';
export { numericsField } from './commands/complete-result.ts';
export { type MatchRequest, matchResult } from './commands/match.ts';
export { type MergeRequest, mergeResult } from './commands/merge.ts';
export {
  type CommandImages,
  defaultPoints,
  type MergingChoices,
  type RenormalisationChoices,
} from './commands/method-settings.ts';
export { type PlaneRequest, planeResult } from './commands/plane.ts';
export { DEFAULT_SPARSITIES, type PruneRequest, type PruningChoices, pruneResult } from './commands/prune.ts';
export type { CommandProgress, CommandRequest } from './commands/request.ts';
export { type StatsRequest, statsResult } from './commands/stats.ts';
export { type SweepRequest, sweepResult } from './commands/sweep.ts';
export { concatDatasets, type ImageDataset, limitDataset } from './io/dataset.ts';
export { DIGITS_NORMALISATION, digits } from './io/digits.ts';
export { type ImageFileNames, loadImageFiles, recogniseImageFiles } from './io/image-files.ts';
export { BUILT_IN_DATA, type BuiltIn, builtInImages, customaryNormalisation } from './io/known-data.ts';
export { parseSafetensors } from './io/safetensors.ts';
export { writeSafetensors } from './io/safetensors-writer.ts';
export { biasedHalves, randomParts } from './io/split.ts';
export { interpolate } from './kernels/arena/arena.ts';
export { matmul as matmulKernel } from './kernels/matmul/matmul.ts';
export { packedMatmul } from './kernels/matmul/packed.ts';
export {
  type SingularValueDecomposition,
  type SingularValueOptions,
  singularValueDecomposition,
  singularValueDecompositions,
} from './kernels/svd/singular-value-decomposition.ts';
export {
  loadTuning,
  type TunedProblem,
  type TuneOptions,
  type TuneResult,
  tune,
} from './kernels/tuning/tune.ts';
export { checkpointMetadata } from './nn/checkpoint-metadata.ts';
export { foldBatchNorm } from './nn/fold-batch-norm.ts';
export { gradients, parameterGradients } from './nn/gradient.ts';
export type { Node } from './nn/graph.ts';
export {
  directionOf,
  HessianVector,
  type HessianVectorOptions,
  hessianVectorGraph,
  type SecondOrder,
} from './nn/hessian-vector.ts';
export { initialiseParameters } from './nn/initialise.ts';
export { mlp } from './nn/models/mlp.ts';
export { forwardGraph, type Model, type Pass, type StateEntry, stateEntries } from './nn/models/model.ts';
export { parseModel } from './nn/models/parse-model.ts';
export { recogniseModel } from './nn/models/recognise.ts';
export { withBiases } from './nn/models/with-biases.ts';
export * as ops from './nn/ops/index.ts';
export { compile, type Program } from './nn/program.ts';
export { rewrite } from './nn/rewrite.ts';
export {
  expectSameArchitecture,
  readStateDict,
  type StateDict,
  stateDictOf,
  valuesOf,
  writeStateDict,
} from './nn/state-dict.ts';
export { findTaps, type Tap } from './nn/taps.ts';
export { type Evaluation, Evaluator } from './nn/train/evaluate.ts';
export { type FitOptions, type FitResult, fit } from './nn/train/fit.ts';
export { checkDatasetFits, GpuDataset, type Normalisation } from './nn/train/gpu-dataset.ts';
export { Optimizer, type OptimizerOptions } from './nn/train/optimizer.ts';
export * from './nn/train/schedule.ts';
export type { EpochPace, SelfPacedResult, SelfPacedState, SelfPacing } from './nn/train/self-paced.ts';
export { readTrainingState, type TrainingState, writeTrainingState } from './nn/train/training-state.ts';
export {
  type Analysis,
  type AnalysisOptions,
  type AnalysisProgress,
  analyseNetworks,
} from './rebasin/analysis/analyse.ts';
export { type FirstLayerFiltersOptions, firstLayerFilters } from './rebasin/analysis/first-layer-filters.ts';
export {
  type InputDirections,
  type InputDirectionsOptions,
  inputDirections,
} from './rebasin/analysis/input-directions.ts';
export { type LayerMatrix, layerMatrices } from './rebasin/analysis/layer-matrices.ts';
export {
  type MatchedBarriers,
  type MatchedBarriersOptions,
  type MatchedBarriersProgress,
  type MatchedPair,
  matchedBarriers,
} from './rebasin/analysis/matched-barriers.ts';
export type {
  AlignmentCurve,
  DistanceReduction,
  LayerInputDirections,
  SingularVectorAnalysis,
  SingularVectorLayer,
} from './rebasin/analysis/singular-vector-result.ts';
export {
  analyseSingularVectors,
  type SingularVectorOptions,
  type SingularVectorProgress,
} from './rebasin/analysis/singular-vectors.ts';
export {
  type EndDerivatives,
  type TaylorBarrier,
  type TaylorBarrierOptions,
  type TaylorEstimate,
  taylorBarrier,
  taylorEstimate,
} from './rebasin/analysis/taylor-barrier.ts';
export {
  type AssignmentDuals,
  type AssignmentOptions,
  type AssignmentResult,
  linearSumAssignment,
} from './rebasin/assignment/assignment.ts';
export { greedyAssignment } from './rebasin/assignment/greedy-assignment.ts';
export {
  type Demo,
  type DemoNetworks,
  type DemoOptions,
  type DemoPart,
  type DemoProgress,
  runDemo,
} from './rebasin/demo.ts';
export type { DemoChoices, DemoImages, DemoNetwork, DemoPlan } from './rebasin/demo-options.ts';
export {
  type Curve,
  type CurveSummary,
  equallySpaced,
  type LossAndAccuracy,
  summariseCurve,
} from './rebasin/interpolation/barrier.ts';
export type { CalibratedCurve } from './rebasin/interpolation/logit-curves.ts';
export { evaluateLogits, type Logits, mixLogits } from './rebasin/interpolation/logits.ts';
export { type Plane, type PlaneOptions, planeSweep } from './rebasin/interpolation/plane.ts';
export type { PlanePosition } from './rebasin/interpolation/plane-geometry.ts';
export { type SweepCurve, type SweepOptions, sweep } from './rebasin/interpolation/sweep.ts';
export { type Calibration, fitTemperature } from './rebasin/interpolation/temperature.ts';
export {
  type ActivationMatchingOptions,
  type ActivationMatchingResult,
  type ActivationSimilarity,
  type ActivationStatistic,
  activationMatching,
} from './rebasin/matching/activation-matching.ts';
export {
  CrossMoments,
  type CrossMomentsOptions,
  type Moments,
  pearsonCorrelation,
  secondMoment,
} from './rebasin/matching/cross-moments.ts';
export {
  MATCHING_METHODS,
  type Match,
  type MatchingOptions,
  type MatchOptions,
  type MatchProgress,
  matchModels,
  provenSpec,
  type StraightThroughSettings,
} from './rebasin/matching/match.ts';
export { type Matcher, randomMatcher, weightMatcher } from './rebasin/matching/matcher.ts';
export {
  type Candidate,
  type StraightThroughOptions,
  type StraightThroughProgress,
  type StraightThroughResult,
  straightThroughMatching,
} from './rebasin/matching/straight-through.ts';
export {
  type MatchingProgress,
  type WeightMatchingOptions,
  type WeightMatchingResult,
  weightMatching,
} from './rebasin/matching/weight-matching.ts';
export {
  type MergedNetwork,
  type MergeOptions,
  type MergeProgress,
  type MergeScores,
  mergeNetworks,
  scoreMerge,
} from './rebasin/merging/merge.ts';
export { diagnoseMerge, type MergeDiagnosisOptions } from './rebasin/merging/merge-collapse.ts';
export {
  MERGING_METHODS,
  type Merging,
  type MergingMethod,
  type MergingOptions,
  mergeModels,
} from './rebasin/merging/merge-models.ts';
export { type MergeVerdictInput, mergeVerdict } from './rebasin/merging/merge-verdict.ts';
export type { MergingProgress } from './rebasin/merging/merging-run.ts';
export { PRESETS, type Preset, type PresetName } from './rebasin/presets.ts';
export type { PruningScope } from './rebasin/pruning/prunable-weights.ts';
export {
  type PrunedNetwork,
  type PruningCurve,
  type PruningCurveOptions,
  type PruningPoint,
  pruneNetwork,
  pruningCurve,
} from './rebasin/pruning/prune.ts';
export { type NofM, PRUNING_METHODS, type PruningMethod } from './rebasin/pruning/pruning-method.ts';
export type { PruningOptions, PruningProgress, PruningSettings } from './rebasin/pruning/pruning-options.ts';
export {
  PRUNING_RENORMALISATIONS,
  type PruningRenormalisation,
} from './rebasin/pruning/pruning-renormalisation.ts';
export { BiasCalibration } from './rebasin/renormalise/bias-calibration.ts';
export type { Correction } from './rebasin/renormalise/correction.ts';
export { type Endpoints, type EndpointsOptions, uploadEndpoints } from './rebasin/renormalise/endpoints.ts';
export { type CorrectedLayers, hasBatchNorm } from './rebasin/renormalise/layers.ts';
export {
  checkRenormalisation,
  RENORMALISATIONS,
  type Renormalisation,
  type RenormalisationSettings,
  type RenormaliserOptions,
  renormalisedModel,
  renormaliserFactory,
  withZeroBiases,
} from './rebasin/renormalise/renormalisations.ts';
export type { Renormaliser, RenormaliserFactory } from './rebasin/renormalise/renormaliser.ts';
export { Repair, type RepairForm, type RepairOptions } from './rebasin/renormalise/repair.ts';
export { BatchNormReset } from './rebasin/renormalise/reset.ts';
export { invertPermutations, permuteArena, permuteValues } from './rebasin/spec/apply-permutation.ts';
export type { Permutations } from './rebasin/spec/axis-index.ts';
export {
  checkEquivalence,
  checkGraphEquivalence,
  type Equivalence,
  type EquivalenceOptions,
} from './rebasin/spec/equivalence.ts';
export { composePermutations, invertPermutation } from './rebasin/spec/permutation.ts';
export {
  derivePermutationSpec,
  type PermutationGroup,
  type PermutationSpec,
  type SpecEntry,
} from './rebasin/spec/permutation-spec.ts';
export type { GroupPlace } from './rebasin/spec/unit-groups.ts';
export {
  ActivationStatistics,
  type ActivationStatisticsOptions,
  type MeasureOptions,
  type TapStatistics,
} from './rebasin/statistics/activation-statistics.ts';
export { type CollapseOptions, diagnoseCollapse } from './rebasin/statistics/collapse.ts';
export { summariseLayers } from './rebasin/statistics/layer-summary.ts';
export {
  type MidpointOptions,
  type MidpointStatistics,
  midpointStatistics,
} from './rebasin/statistics/midpoint-statistics.ts';
export {
  type FeatureDistance,
  FeatureDistances,
  smoothVanishingFeature,
  vanishingFeature,
} from './rebasin/statistics/vanishing-feature.ts';
export type { MatchedFilters } from './report/filters-result.ts';
export { Arena, ArenaLayout, type HostTensors } from './runtime/arena.ts';
export type {
  Context,
  ContextOptions,
  ContextSettings,
  HostDeviceOptions,
  Origin,
} from './runtime/context.ts';
export { optionalFeatures, requiredLimits } from './runtime/device-needs.ts';
export type { Recording } from './runtime/recording.ts';
export type { Tensor } from './runtime/tensor.ts';
export { type AgePath, type AgePathOptions, agePath, type PathEvent } from './selfpaced/age-path.ts';
export { fullFit, searchGrid } from './selfpaced/alternating-search.ts';
export { type GpuGramOptions, gramOnGpu } from './selfpaced/gpu-gram.ts';
export { lasso } from './selfpaced/lasso.ts';
export { logisticRegression } from './selfpaced/logistic-regression.ts';
export { latentObjective, type SelfPacedProblem } from './selfpaced/problem.ts';
export { type SelfPacedRegulariser, selfPacedRegulariser } from './selfpaced/regularisers.ts';
export type { Knot, Segment } from './selfpaced/segment.ts';
export { supportVectorMachine } from './selfpaced/support-vector-machine.ts';
export { VERSION } from './version.ts';
