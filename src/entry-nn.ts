/**
 * `rebasin/nn`: graphs, operations, gradients, programs, models, training and evaluation.
 * @module rebasin/nn
 */
export * from './base/errors.ts';
export { RandomStream } from './base/random.ts';
export type { ImageDataset } from './io/dataset.ts';
export { type Augmentation, augmentationStream } from './kernels/augment/gather-augmented.ts';
export type { Atom, Axis, Concatenation, Product } from './nn/axes.ts';
export { foldBatchNorm } from './nn/fold-batch-norm.ts';
export { gradients, parameterGradients, vectorJacobianProduct } from './nn/gradient.ts';
export { apply, type LeafAttributes, leavesOf, type Node, topologicalOrder } from './nn/graph.ts';
export {
  directionOf,
  type Float64Tensors,
  HessianVector,
  type HessianVectorGraph,
  type HessianVectorOptions,
  hessianVectorGraph,
  type SecondOrder,
  type SecondOrderOptions,
} from './nn/hessian-vector.ts';
export { type Initialiser, initialiseParameters } from './nn/initialise.ts';
export * as layers from './nn/layers.ts';
export { ACTIVATIONS, type Activation, type MlpOptions, mlp } from './nn/models/mlp.ts';
export { forwardGraph, type Model, type Pass, type StateEntry, stateEntries } from './nn/models/model.ts';
export type { NamedShape } from './nn/models/named-shapes.ts';
export { type ModelName, parseModel, parseModelName } from './nn/models/parse-model.ts';
export { recogniseModel } from './nn/models/recognise.ts';
export {
  type ResNetOptions,
  type ResNetVariant,
  resnet,
  resnetOfDepth,
  SHORTCUTS,
  type Shortcut,
} from './nn/models/resnet.ts';
export { type SequentialLayer, type SequentialOptions, sequential } from './nn/models/sequential.ts';
export { type VggVariant, vggOfDepth } from './nn/models/vgg.ts';
export { withBiases } from './nn/models/with-biases.ts';
export type {
  Attributes,
  AxesArguments,
  Epilogue,
  EpilogueViews,
  Expression,
  GradientArguments,
  KernelArguments,
  Operation,
} from './nn/operation.ts';
export type {
  BatchNormState,
  BatchNormTraining,
  ChannelStatistics,
  TrackedStatistics,
} from './nn/ops/batch-norm.ts';
export type { Conv2dOptions, Pair } from './nn/ops/conv2d.ts';
export { type ElementwiseRules, elementwiseOperation, joinEveryAxis } from './nn/ops/elementwise.ts';
export * as ops from './nn/ops/index.ts';
export type { MatmulAttributes } from './nn/ops/matmul.ts';
export type { PoolOptions, Size2d } from './nn/ops/pooling.ts';
export { compile, type Program, type ProgramOptions } from './nn/program.ts';
export { rewrite } from './nn/rewrite.ts';
export type { Dim, Shape } from './nn/shape.ts';
export {
  expectSameArchitecture,
  readStateDict,
  type StateDict,
  type StateDictEntry,
  stateDictOf,
  valuesOf,
  writeStateDict,
} from './nn/state-dict.ts';
export { findTaps, findWeightedTaps, type Tap, type WeightedTap } from './nn/taps.ts';
export {
  type EvaluateOptions,
  type Evaluation,
  Evaluator,
  type LogitSource,
  type RecordOptions,
} from './nn/train/evaluate.ts';
export { type FitOptions, type FitProgress, type FitResult, fit } from './nn/train/fit.ts';
export { type Augment, GpuDataset, type Normalisation } from './nn/train/gpu-dataset.ts';
export { Optimizer, type OptimizerOptions } from './nn/train/optimizer.ts';
export * from './nn/train/schedule.ts';
export type { EpochPace, SelfPacedResult, SelfPacedState, SelfPacing } from './nn/train/self-paced.ts';
export { Trainer, type TrainerOptions, type TrainingStep } from './nn/train/trainer.ts';
export { readTrainingState, type TrainingState, writeTrainingState } from './nn/train/training-state.ts';
export { Arena, type ArenaEntry, ArenaLayout, type ArenaSlice, type HostTensors } from './runtime/arena.ts';
