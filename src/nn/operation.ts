/**
 * What an operation is: four rules in one place (shape, kernels, gradient, axes). One file of `src/nn/ops` states them for one
 * operation; training, matching, statistics and pruning need to know nothing else about it.
 */
import type { ChannelNorm } from '../kernels/norm/normalise.ts';
import type { Context } from '../runtime/context.ts';
import type { Dispatch, DType, TensorView } from '../runtime/kernel.ts';
import type { Axis } from './axes.ts';
import type { Node } from './graph.ts';
import type { Shape } from './shape.ts';

/** Values that an operation was made with (a padding, a factor): plain data. */
// biome-ignore lint/suspicious/noExplicitAny: each operation narrows this to its own attributes
export type Attributes = any;

/** What the kernels rule gets: views with the batch size already in their shapes. */
export interface KernelArguments<A = Attributes> {
  /** Where it will run. */
  readonly context: Context;
  /** In the operation's order. */
  readonly inputs: readonly TensorView[];
  /** Where the result goes. */
  readonly output: TensorView;
  /** Of the node. */
  readonly attributes: A;
  /** What to do to the result in the same dispatch, norm first, ReLU last: only what the operation `fuses`. */
  readonly epilogue: EpilogueViews;
  /** Memory that only this operation uses, of undefined content. */
  scratch(shape: readonly number[], dtype?: DType): TensorView;
}

/** What kernels can do to their result before they store it, in this order. */
export type Epilogue = 'norm' | 'addend' | 'relu';

/** An epilogue's operands. */
export interface EpilogueViews {
  /** x becomes `fma(x - mean, factor, shift)`, as `normalise` says. */
  readonly norm?: ChannelNorm;
  /** Of the output's shape, added. */
  readonly addend?: TensorView;
  /** Negative values become 0. */
  readonly activation?: 'relu';
}

/** What the expression rule gives: WGSL over `a`, `b`, ... (the inputs, of type `T`) and `s0`, `s1`, ... (the scalars). */
export interface Expression {
  /** Of type `T`, such as `max(a, T(0.0))`. */
  readonly text: string;
  /** Values of `s0`, `s1`, ... Default: none. */
  readonly scalars?: readonly number[];
}

/** What the gradient rule gets. */
export interface GradientArguments<A = Attributes> {
  /** In the operation's order. */
  readonly inputs: readonly Node[];
  /** The operation's own result, so that a gradient can be written with it. */
  readonly output: Node;
  /** The gradient of the loss with respect to `output`, of the same shape. */
  readonly outputGradient: Node;
  /** Of the node. */
  readonly attributes: A;
  /** Whether anyone asks for the gradient of input i: rules may skip the others. */
  readonly wanted: readonly boolean[];
}

/** What the axes rule gets: the axes of every input and of the output. */
export interface AxesArguments<A = Attributes> {
  /** For each input its axes. */
  readonly inputs: readonly (readonly Axis[])[];
  /** The output's axes. */
  readonly output: readonly Axis[];
  /** Of the node. */
  readonly attributes: A;
  /** Says that two axes carry the same index: permuting one permutes the other. */
  join(a: Axis, b: Axis): void;
  /** Says that an axis cannot be permuted, and why. */
  pin(axis: Axis, reason: string): void;
}

/** Four rules that say all there is to know of an operation: shape, kernels (or an expression), gradient, axes. */
export interface Operation<A = Attributes> {
  /** Shown in errors and profiles. */
  readonly name: string;
  /** Output shape from input shapes. @throws ShapeError that names the operation, what it expected and what it got. */
  shape(inputs: readonly Shape[], attributes: A): Shape;
  /** Element type of the output. Default: `f32`. */
  readonly dtype?: DType;
  /** The dispatches that compute the output. Elementwise operations have `expression` instead; leaves have neither. */
  kernels?(k: KernelArguments<A>): Dispatch[];
  /**
   * For elementwise operations, whose output element i depends on element i of inputs of the same shape: WGSL for one element.
   * The program fuses chains of these into one kernel.
   */
  expression?(attributes: A, batchSize: number): Expression;
  /**
   * For expansions (`broadcast`): where element i of the output comes from, as `(i / inner) % size`. Free inside a fused chain.
   */
  broadcastPattern?(
    input: readonly number[],
    output: readonly number[],
    attributes: A,
  ): { inner: number; size: number };
  /** What the kernels rule can do to its result. Default: nothing. */
  readonly fuses?: readonly Epilogue[];
  /** What this operation is to a kernels rule that can do it to the first input (the addend: to either). Default: nothing. */
  readonly epilogue?: Epilogue;
  /** Gradients of the inputs, one each; undefined where it is zero. Absent: the operation has no gradient and stops it. */
  gradient?(g: GradientArguments<A>): (Node | undefined)[];
  /** Which axes carry the same index. */
  axes(a: AxesArguments<A>): void;
}
