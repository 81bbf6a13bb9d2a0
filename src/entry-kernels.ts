/**
 * `rebasin/kernels`: the hand-written kernels, for applications that compute with tensors of their own. Each function checks shapes, picks
 * a variant and returns dispatches for `context.record`; it records nothing itself.
 * @module rebasin/kernels
 */
export { axpy, combine, copy, interpolate, scale } from './kernels/arena/arena.ts';
export type { Windows } from './kernels/checks.ts';
export {
  type Conv2dCall,
  type Conv2dInputGradientCall,
  type Conv2dWeightGradientCall,
  conv2d,
  conv2dInputGradient,
  conv2dWeightGradient,
} from './kernels/conv/conv2d.ts';
export type { ConvOptions } from './kernels/conv/geometry.ts';
export {
  type CrossMomentsCall,
  type CrossMomentsSizes,
  crossMoments,
} from './kernels/cross-moments/cross-moments.ts';
export {
  type ElementwiseCall,
  type ElementwiseInput,
  elementwise,
} from './kernels/elementwise/elementwise.ts';
export { type GatherAxisCall, gatherAxis } from './kernels/gather/gather-axis.ts';
export { type MatmulOperands, matmul } from './kernels/matmul/matmul.ts';
export { packedMatmul } from './kernels/matmul/packed.ts';
export type { ChannelNorm } from './kernels/norm/normalise.ts';
export { type AdamCall, adamStep, adamWStep } from './kernels/optimizer/adam.ts';
export { type SgdCall, sgdStep } from './kernels/optimizer/sgd.ts';
export {
  averagePool,
  averageUnpool,
  maxPool,
  maxPoolIndices,
  maxUnpool,
  type Pair,
  type PoolCall,
  type PoolWindow,
} from './kernels/pool/pool.ts';
export { type FillCall, fillBits, fillUniform } from './kernels/random/fill.ts';
export {
  partialCount,
  partialDots,
  partialSquaredDistances,
  partialSums,
  sumFloat64,
} from './kernels/reduce/partials.ts';
export { type SumCall, sum } from './kernels/reduce/sum.ts';
export { logSoftmax } from './kernels/softmax/log-softmax.ts';
export {
  correct,
  crossEntropy,
  crossEntropyGradient,
  type LabelledCall,
  softmax,
} from './kernels/softmax/softmax.ts';
export { concatenate } from './kernels/structure/concatenate.ts';
export { type AxisWindow, WHOLE_AXIS, type WindowCall, window } from './kernels/structure/window.ts';
export {
  type SingularValueDecomposition,
  type SingularValueOptions,
  type SingularValueProgress,
  singularValueDecomposition,
  singularValueDecompositions,
} from './kernels/svd/singular-value-decomposition.ts';
export type { SingularVectors } from './kernels/svd/singular-vectors.ts';
export {
  loadTuning,
  type TunedProblem,
  type TuneOptions,
  type TuneResult,
  tune,
} from './kernels/tuning/tune.ts';
