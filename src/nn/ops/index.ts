/** Every operation, one line a file. A new operation is a new file and a line here. */
export { add, multiply, offset, scale, scaleByBatch, subtract } from './arithmetic.ts';
export { correct, crossEntropy, softmax } from './cross-entropy.ts';
export { fill } from './fill.ts';
export { gelu } from './gelu.ts';
export { buffer, input, parameter } from './leaves.ts';
export { linear } from './linear.ts';
export { matmul } from './matmul.ts';
export { relu, step } from './relu.ts';
export { sigmoid, softplus } from './softplus.ts';
export { broadcast, broadcastLike, mean, sum } from './sum.ts';
export { tanh } from './tanh.ts';
