/** Writing the safetensors format; `safetensors.ts` describes and reads it. */

import { FormatError } from '../base/errors.ts';
import { DTYPES, type Dtype, isSizes, tensorBytes } from './dtype.ts';
import { float32ToBfloat16, float32ToFloat16 } from './half.ts';
import { MAX_HEADER_BYTES, type TensorData } from './safetensors.ts';

/** A tensor to write; without `dtype` the type of the array decides (Uint8Array is U8). */
export interface WritableTensor {
  /** Element type by the format's name, such as `F32`. */
  readonly dtype?: Dtype;
  /** Elements along each axis. */
  readonly shape: readonly number[];
  /** As many values as the shape has, row-major. */
  readonly data: TensorData;
}

/**
 * Writes a file, byte for byte as the reference library orders and pads it: by element type, then by name; the header
 * filled with spaces to a multiple of 8. Equal input gives equal bytes. F16 and BF16 round the float32 values.
 * @throws FormatError when a shape does not fit its data, a dtype its array, or a name cannot be written.
 */
export function writeSafetensors(
  tensors: Iterable<readonly [string, WritableTensor]>,
  metadata: Iterable<readonly [string, string]> = [],
): Uint8Array<ArrayBuffer> {
  const encoded = Array.from(tensors, ([name, tensor]) => encode(name, tensor));
  encoded.sort((a, b) => DTYPES.indexOf(b.dtype) - DTYPES.indexOf(a.dtype) || compareNames(a.name, b.name));
  const texts = Array.from(metadata).sort(([a], [b]) => compareNames(a, b));
  const members: string[] = [];
  if (texts.length > 0) {
    const inner = texts.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`);
    members.push(`"__metadata__":{${inner.join(',')}}`);
  }
  let end = 0;
  for (const { name, dtype, shape, bytes } of encoded) {
    const begin = end;
    end += bytes.length;
    const entry = `{"dtype":"${dtype}","shape":[${shape.join(',')}],"data_offsets":[${begin},${end}]}`;
    members.push(`${JSON.stringify(name)}:${entry}`);
  }
  requireUnique(encoded.map(({ name }) => name));
  requireUnique(texts.map(([key]) => key));
  const header = new TextEncoder().encode(`{${members.join(',')}}`);
  const headerLength = Math.ceil(header.length / 8) * 8;
  if (headerLength > MAX_HEADER_BYTES) {
    throw new FormatError(
      `writeSafetensors: expected names and metadata that fit a header of ${MAX_HEADER_BYTES} bytes, got ${headerLength}. Shorten the metadata.`,
    );
  }
  const file = new Uint8Array(8 + headerLength + end).fill(0x20, 8, 8 + headerLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerLength), true);
  file.set(header, 8);
  let position = 8 + headerLength;
  for (const { bytes } of encoded) {
    file.set(bytes, position);
    position += bytes.length;
  }
  return file;
}

function requireUnique(names: readonly string[]): void {
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined) {
    throw new FormatError(
      `writeSafetensors: expected each name once, got ${JSON.stringify(twice)} twice. Rename one.`,
    );
  }
}

function encode(
  name: string,
  tensor: WritableTensor,
): { name: string; dtype: Dtype; shape: readonly number[]; bytes: Uint8Array } {
  const fail = (problem: string) =>
    new FormatError(`writeSafetensors: tensor ${JSON.stringify(name)}: ${problem}`);
  // A name with an unpaired surrogate has no UTF-8.
  if (name === '__metadata__' || new TextDecoder().decode(new TextEncoder().encode(name)) !== name) {
    throw fail('expected well-formed Unicode other than "__metadata__" as a name. Rename it.');
  }
  const { shape, data } = tensor;
  const dtype = tensor.dtype ?? dtypeOf(data);
  const kind = dtypeOf(data);
  const fits = kind === 'F32' ? dtype.includes('F') : dtype === kind || (dtype === 'BOOL' && kind === 'U8');
  if (!fits) throw fail(`expected data that ${dtype} can hold, got an array of ${kind}. Change one of them.`);
  if (!isSizes([...shape]) || tensorBytes(shape, 'U8') !== data.length) {
    throw fail(`expected a shape of ${data.length} elements, got [${shape}]. Correct the shape.`);
  }
  const stored =
    dtype === 'F16'
      ? float32ToFloat16(data as Float32Array)
      : dtype === 'BF16'
        ? float32ToBfloat16(data as Float32Array)
        : dtype === 'F64'
          ? Float64Array.from(data as Float32Array)
          : data;
  return {
    name,
    dtype,
    shape,
    bytes: new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength),
  };
}

function dtypeOf(data: TensorData): Dtype {
  if (data instanceof Float32Array) return 'F32';
  if (data instanceof BigInt64Array) return 'I64';
  if (data instanceof Int32Array) return 'I32';
  return data instanceof Int8Array ? 'I8' : 'U8';
}

/** Order of code points, which is the order of UTF-8 bytes; JavaScript's own order of UTF-16 units differs above U+FFFF. */
function compareNames(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
