/** How elementwise operations are made: one shape, a WGSL expression, a gradient; their axes carry the same index throughout. */

import type { Node } from '../graph.ts';
import type { AxesArguments, Epilogue, Expression, GradientArguments, Operation } from '../operation.ts';
import { expectSameShape, type Shape } from '../shape.ts';

/** The rules of an operation that works element by element. */
export interface ElementwiseRules<A> {
  /** Shown in errors and profiles. */
  readonly name: string;
  /** WGSL for one element. */
  expression(attributes: A, batchSize: number): Expression;
  /** Gradients of the inputs, one each; undefined where it is zero. */
  gradient(g: GradientArguments<A>): (Node | undefined)[];
  /** Set where kernels of other operations can do it to their result. */
  readonly epilogue?: Epilogue;
}

/** An operation whose output element i depends on element i of each input. */
export function elementwiseOperation<A = undefined>(rules: ElementwiseRules<A>): Operation<A> {
  return {
    ...rules,
    shape(inputs: readonly Shape[]): Shape {
      for (const shape of inputs) expectSameShape(rules.name, inputs[0]!, shape);
      return inputs[0]!;
    },
    axes: joinEveryAxis,
  };
}

/** The axes rule of operations that keep every index: axis k of each input is axis k of the output. */
export function joinEveryAxis({ inputs, output, join }: AxesArguments): void {
  for (const axes of inputs) for (const [k, axis] of axes.entries()) join(axis, output[k]!);
}
