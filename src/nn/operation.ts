/**
 * What an operation is: four rules in one place (shape, kernels, gradient, axes). One file of `src/nn/ops` states them for one
 * operation; training, matching, statistics and pruning need to know nothing else about it.
 */
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
  readonly context: Context;
  readonly inputs: readonly TensorView[];
  readonly output: TensorView;
  readonly attributes: A;
  /** An activation to apply to the result in the same dispatch; only for operations with `fusesActivation`. */
  readonly activation?: 'relu';
  /** Memory that only this operation uses, of undefined content. */
  scratch(shape: readonly number[], dtype?: DType): TensorView;
}

/** What the expression rule gives: WGSL over `a`, `b`, ... (the inputs, of type `T`) and `s0`, `s1`, ... (the scalars). */
export interface Expression {
  readonly text: string;
  readonly scalars?: readonly number[];
}

export interface GradientArguments<A = Attributes> {
  readonly inputs: readonly Node[];
  /** The operation's own result, so that a gradient can be written with it. */
  readonly output: Node;
  /** The gradient of the loss with respect to `output`, of the same shape. */
  readonly outputGradient: Node;
  readonly attributes: A;
  /** Whether anyone asks for the gradient of input i: rules may skip the others. */
  readonly wanted: readonly boolean[];
}

export interface AxesArguments<A = Attributes> {
  readonly inputs: readonly (readonly Axis[])[];
  readonly output: readonly Axis[];
  readonly attributes: A;
  /** Says that two axes carry the same index: permuting one permutes the other. */
  join(a: Axis, b: Axis): void;
  /** Says that an axis cannot be permuted, and why. */
  pin(axis: Axis, reason: string): void;
}

export interface Operation<A = Attributes> {
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
  /** Set where the kernels rule can apply an activation to its result. */
  readonly fusesActivation?: boolean;
  /** Set on an operation that such a kernels rule can apply. */
  readonly activation?: 'relu';
  /** Gradients of the inputs, one each; undefined where it is zero. Absent: the operation has no gradient and stops it. */
  gradient?(g: GradientArguments<A>): (Node | undefined)[];
  /** Which axes carry the same index. */
  axes(a: AxesArguments<A>): void;
}
