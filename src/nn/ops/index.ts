/** Every operation, one line a file. A new operation is a new file and a line here. */
export { add, multiply, offset, scale, scaleByBatch, subtract } from './arithmetic.ts';
export { batchNorm, batchNormTraining, batchStatistics } from './batch-norm.ts';
export { broadcastChannels, sumChannels } from './channels.ts';
export { correct, crossEntropy, softmax } from './cross-entropy.ts';
export { fill } from './fill.ts';
export { flatten, mergeAxes, splitAxis } from './flatten.ts';
export { gelu } from './gelu.ts';
export { groupNorm, layerNorm } from './layer-norm.ts';
export { buffer, input, parameter } from './leaves.ts';
export { linear } from './linear.ts';
export { matmul } from './matmul.ts';
export { pad, padSpace, slice, subsample } from './pad.ts';
export { averagePool, globalAveragePool, maxPool } from './pooling.ts';
export { relu, step } from './relu.ts';
export { sigmoid, softplus } from './softplus.ts';
export { broadcast, broadcastLike, mean, sum } from './sum.ts';
export { tanh } from './tanh.ts';
