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
} from './commands/checkpoint.ts';
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
export { BUILT_IN_DATA, builtInImages, customaryNormalisation } from './io/known-data.ts';
export { parseSafetensors } from './io/safetensors.ts';
export { writeSafetensors } from './io/safetensors-writer.ts';
export { biasedHalves, randomParts } from './io/split.ts';
export { interpolate } from './kernels/arena/arena.ts';
export { matmul as matmulKernel } from './kernels/matmul/matmul.ts';
export {
  type SingularValueDecomposition,
  type SingularValueOptions,
  singularValueDecomposition,
  singularValueDecompositions,
} from './kernels/svd/singular-value-decomposition.ts';
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
export { type Analysis, type AnalysisOptions, analyseNetworks } from './rebasin/analysis/analyse.ts';
export { type FirstLayerFiltersOptions, firstLayerFilters } from './rebasin/analysis/first-layer-filters.ts';
export { type InputDirections, inputDirections } from './rebasin/analysis/input-directions.ts';
export { type LayerMatrix, layerMatrices } from './rebasin/analysis/layer-matrices.ts';
export { type MatchedBarriers, matchedBarriers } from './rebasin/analysis/matched-barriers.ts';
export type { SingularVectorAnalysis } from './rebasin/analysis/singular-vector-result.ts';
export { analyseSingularVectors, type SingularVectorOptions } from './rebasin/analysis/singular-vectors.ts';
export {
  type TaylorBarrier,
  taylorBarrier,
  taylorEstimate,
} from './rebasin/analysis/taylor-barrier.ts';
export { linearSumAssignment } from './rebasin/assignment/assignment.ts';
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
export { equallySpaced, summariseCurve } from './rebasin/interpolation/barrier.ts';
export { evaluateLogits, mixLogits } from './rebasin/interpolation/logits.ts';
export { type Plane, type PlaneOptions, planeSweep } from './rebasin/interpolation/plane.ts';
export { sweep } from './rebasin/interpolation/sweep.ts';
export { type Calibration, fitTemperature } from './rebasin/interpolation/temperature.ts';
export {
  type ActivationMatchingOptions,
  type ActivationSimilarity,
  activationMatching,
} from './rebasin/matching/activation-matching.ts';
export {
  CrossMoments,
  type Moments,
  pearsonCorrelation,
  secondMoment,
} from './rebasin/matching/cross-moments.ts';
export { MATCHING_METHODS, type Match, matchModels, provenSpec } from './rebasin/matching/match.ts';
export { type Matcher, randomMatcher, weightMatcher } from './rebasin/matching/matcher.ts';
export { straightThroughMatching } from './rebasin/matching/straight-through.ts';
export { weightMatching } from './rebasin/matching/weight-matching.ts';
export {
  type MergedNetwork,
  type MergeOptions,
  type MergeScores,
  mergeNetworks,
  scoreMerge,
} from './rebasin/merging/merge.ts';
export { diagnoseMerge } from './rebasin/merging/merge-collapse.ts';
export {
  MERGING_METHODS,
  type Merging,
  type MergingMethod,
  type MergingOptions,
  mergeModels,
} from './rebasin/merging/merge-models.ts';
export { mergeVerdict } from './rebasin/merging/merge-verdict.ts';
export { PRESETS, type Preset, type PresetName } from './rebasin/presets.ts';
export {
  type PrunedNetwork,
  type PruningCurve,
  type PruningCurveOptions,
  pruneNetwork,
  pruningCurve,
} from './rebasin/pruning/prune.ts';
export { PRUNING_METHODS, type PruningMethod } from './rebasin/pruning/pruning-method.ts';
export type { PruningOptions } from './rebasin/pruning/pruning-options.ts';
export {
  PRUNING_RENORMALISATIONS,
  type PruningRenormalisation,
} from './rebasin/pruning/pruning-renormalisation.ts';
export { BiasCalibration } from './rebasin/renormalise/bias-calibration.ts';
export { type Endpoints, type EndpointsOptions, uploadEndpoints } from './rebasin/renormalise/endpoints.ts';
export { hasBatchNorm } from './rebasin/renormalise/layers.ts';
export {
  checkRenormalisation,
  RENORMALISATIONS,
  type Renormalisation,
  renormalisedModel,
  renormaliserFactory,
  withZeroBiases,
} from './rebasin/renormalise/renormalisations.ts';
export type { Renormaliser, RenormaliserFactory } from './rebasin/renormalise/renormaliser.ts';
export { Repair, type RepairOptions } from './rebasin/renormalise/repair.ts';
export { BatchNormReset } from './rebasin/renormalise/reset.ts';
export { invertPermutations, permuteArena, permuteValues } from './rebasin/spec/apply-permutation.ts';
export { checkEquivalence, checkGraphEquivalence } from './rebasin/spec/equivalence.ts';
export { composePermutations, invertPermutation } from './rebasin/spec/permutation.ts';
export { derivePermutationSpec, type PermutationSpec } from './rebasin/spec/permutation-spec.ts';
export { ActivationStatistics, type TapStatistics } from './rebasin/statistics/activation-statistics.ts';
export { type CollapseOptions, diagnoseCollapse } from './rebasin/statistics/collapse.ts';
export { summariseLayers } from './rebasin/statistics/layer-summary.ts';
export { type MidpointStatistics, midpointStatistics } from './rebasin/statistics/midpoint-statistics.ts';
export {
  FeatureDistances,
  smoothVanishingFeature,
  vanishingFeature,
} from './rebasin/statistics/vanishing-feature.ts';
export { Arena, ArenaLayout, type HostTensors } from './runtime/arena.ts';
export type { Context, ContextOptions, ContextSettings, HostDeviceOptions } from './runtime/context.ts';
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
export { supportVectorMachine } from './selfpaced/support-vector-machine.ts';
export { VERSION } from './version.ts';
