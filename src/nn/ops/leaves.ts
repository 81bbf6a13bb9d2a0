/** Leaves of a graph: inputs that change every run, parameters that are trained, buffers that are kept. */
import type { DType } from '../../runtime/kernel.ts';
import type { LeafAttributes, Node } from '../graph.ts';
import type { Operation } from '../operation.ts';
import type { Shape } from '../shape.ts';

interface WithShape extends LeafAttributes {
  readonly shape: Shape;
}

function leafOperation(kind: LeafAttributes['kind'], dtype: DType = 'f32'): Operation<WithShape> {
  return {
    name: kind,
    dtype,
    shape: (_inputs, { shape }) => shape,
    axes({ output, attributes, pin }) {
      if (kind !== 'input') return; // a parameter's axes are free until an operation joins or pins them
      for (const axis of output) pin(axis, `the network's input "${attributes.name}"`);
    },
  };
}

const inputOperation = {
  f32: /* @__PURE__ */ leafOperation('input'),
  u32: /* @__PURE__ */ leafOperation('input', 'u32'),
  i32: /* @__PURE__ */ leafOperation('input', 'i32'),
};
const parameterOperation = /* @__PURE__ */ leafOperation('parameter');
const bufferOperation = /* @__PURE__ */ leafOperation('buffer');

function leaf(
  operation: Operation<WithShape>,
  kind: LeafAttributes['kind'],
  name: string,
  shape: Shape,
): Node {
  return Object.freeze({
    operation,
    inputs: [],
    attributes: { kind, name, shape },
    shape,
    dtype: operation.dtype ?? 'f32',
  });
}

/** An input of the graph, such as `input('images', ['N', 784])`; labels are `u32`. */
export function input(name: string, shape: Shape, dtype: DType = 'f32'): Node {
  return leaf(inputOperation[dtype], 'input', name, shape);
}

/** A trained parameter, named as PyTorch names it. */
export function parameter(name: string, shape: readonly number[]): Node {
  return leaf(parameterOperation, 'parameter', name, shape);
}

/** State that is kept but not trained, such as running statistics. */
export function buffer(name: string, shape: readonly number[]): Node {
  return leaf(bufferOperation, 'buffer', name, shape);
}
