/**
 * ONNX models as bytes, as far as the suite needs them: graphs of float32 tensors of fixed shapes, with small constants. The format is
 * protocol buffers (onnx.proto, opset 17); numbers of fields are given where they are used.
 */

export type Attribute = number | readonly number[] | string;

export interface OnnxNode {
  readonly operation: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Whole numbers are written as INT, others as FLOAT, lists as INTS. `alpha`, `beta` and `epsilon` are always FLOAT. */
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

export interface OnnxValue {
  readonly name: string;
  readonly shape: readonly number[];
  /** Default: float32. */
  readonly type?: 'float32' | 'int32';
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** int64 vectors, such as the shapes that `Reshape` takes. */
  readonly integers?: Readonly<Record<string, readonly number[]>>;
}

const OPSET = 17;
const IR_VERSION = 8;
const FLOATS = ['alpha', 'beta', 'epsilon'];
const ELEMENT_TYPES = { float32: 1, int32: 6, int64: 7 };

/** The bytes of a ModelProto. */
export function onnxModel({ nodes, inputs, outputs, integers = {} }: OnnxGraph): Uint8Array<ArrayBuffer> {
  const graph = [
    ...nodes.flatMap((node) => message(1, nodeProto(node))),
    ...text(2, 'bench'),
    ...Object.entries(integers).flatMap(([name, values]) => message(5, integerTensor(name, values))),
    ...inputs.flatMap((value) => message(11, valueInfo(value))),
    ...outputs.flatMap((value) => message(12, valueInfo(value))),
  ];
  const opset = [...text(1, ''), ...integer(2, OPSET)];
  return Uint8Array.from([...integer(1, IR_VERSION), ...message(7, graph), ...message(8, opset)]);
}

function nodeProto({ operation, inputs, outputs, attributes = {} }: OnnxNode): number[] {
  return [
    ...inputs.flatMap((name) => text(1, name)),
    ...outputs.flatMap((name) => text(2, name)),
    ...text(4, operation),
    ...Object.entries(attributes).flatMap(([name, value]) => message(5, attribute(name, value))),
  ];
}

/** AttributeProto: name 1, f 2, i 3, s 4, ints 8, type 20 (FLOAT 1, INT 2, STRING 3, INTS 7). */
function attribute(name: string, value: Attribute): number[] {
  const start = text(1, name);
  if (typeof value === 'string') return [...start, ...text(4, value), ...integer(20, 3)];
  if (typeof value !== 'number')
    return [...start, ...value.flatMap((one) => integer(8, one)), ...integer(20, 7)];
  return FLOATS.includes(name)
    ? [...start, ...float(2, value), ...integer(20, 1)]
    : [...start, ...integer(3, value), ...integer(20, 2)];
}

/** TensorProto: dims 1, data_type 2, int64_data 7, name 8. */
function integerTensor(name: string, values: readonly number[]): number[] {
  return [
    ...integer(1, values.length),
    ...integer(2, ELEMENT_TYPES.int64),
    ...values.flatMap((value) => integer(7, value)),
    ...text(8, name),
  ];
}

/** ValueInfoProto: name 1, type 2; TypeProto.tensor_type 1; elem_type 1, shape 2; dim 1; dim_value 1. */
function valueInfo({ name, shape, type = 'float32' }: OnnxValue): number[] {
  const dimensions = shape.flatMap((size) => message(1, integer(1, size)));
  const tensor = [...integer(1, ELEMENT_TYPES[type]), ...message(2, dimensions)];
  return [...text(1, name), ...message(2, message(1, tensor))];
}

function message(field: number, bytes: readonly number[]): number[] {
  return [...varint(8 * field + 2), ...varint(bytes.length), ...bytes];
}

const encoder = new TextEncoder();

function text(field: number, value: string): number[] {
  return message(field, [...encoder.encode(value)]);
}

function integer(field: number, value: number): number[] {
  return [...varint(8 * field), ...varint(value)];
}

function float(field: number, value: number): number[] {
  return [...varint(8 * field + 5), ...new Uint8Array(Float32Array.of(value).buffer)];
}

/** Base 128, lowest digits first. @param value at least 0. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}
