/**
 * A hash of a result: SHA-256 over one canonical byte string for nested plain data, so that two runs can be compared by 64
 * hexadecimal digits. Every value starts with a tag byte and, where its size varies, a count, so no two structures share a
 * byte string. Numbers enter by their float64 bits (0 and -0 differ, every NaN is alike), never by decimal text; keys of
 * objects are sorted by UTF-16 units; typed arrays enter by type and raw little-endian bytes.
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { DataError } from './errors.ts';

type TypedArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** Tag bytes. They are part of the hash: never renumber. */
const TAG = {
  null: 0,
  false: 1,
  true: 2,
  number: 3,
  string: 4,
  bigint: 5,
  array: 6,
  object: 7,
  typedArray: 8,
};

type Sink = { update(bytes: Uint8Array): unknown };

/** SHA-256 of bytes as 64 hexadecimal digits. */
export function hashBytes(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}

/**
 * SHA-256 of nested plain data as 64 hexadecimal digits: null, booleans, numbers, bigints, strings, arrays, typed arrays
 * and plain objects. A property that is undefined counts as absent.
 * @throws DataError naming the path of a value of another kind (a function, a Map, a class instance, a circle).
 */
export function hashResult(value: unknown): string {
  const hash = sha256.create();
  write(hash, value, 'value', []);
  return bytesToHex(hash.digest());
}

function write(sink: Sink, value: unknown, path: string, parents: readonly unknown[]): void {
  if (value === null) writeTag(sink, TAG.null);
  else if (typeof value === 'boolean') writeTag(sink, value ? TAG.true : TAG.false);
  else if (typeof value === 'number') writeNumber(sink, value);
  else if (typeof value === 'string') {
    writeTag(sink, TAG.string);
    writeText(sink, value);
  } else if (typeof value === 'bigint') {
    writeTag(sink, TAG.bigint);
    writeText(sink, value.toString(16));
  } else if (typeof value !== 'object') {
    throw refusal(path, `a ${typeof value}`);
  } else if (parents.includes(value)) {
    throw refusal(path, 'a value that contains itself');
  } else if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    writeTypedArray(sink, value as TypedArray, path);
  } else if (Array.isArray(value)) {
    writeTag(sink, TAG.array);
    writeCount(sink, value.length);
    for (let i = 0; i < value.length; i++) write(sink, value[i], `${path}[${i}]`, [...parents, value]);
  } else writeObject(sink, value, path, [...parents, value]);
}

function writeObject(sink: Sink, value: object, path: string, parents: readonly unknown[]): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw refusal(path, `an instance of ${value.constructor?.name ?? 'an unnamed class'}`);
  }
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  writeTag(sink, TAG.object);
  writeCount(sink, entries.length);
  for (const [key, member] of entries) {
    writeText(sink, key);
    write(sink, member, `${path}.${key}`, parents);
  }
}

function writeNumber(sink: Sink, value: number): void {
  writeTag(sink, TAG.number);
  const bytes = new DataView(new ArrayBuffer(8));
  // NaN has many bit patterns and a script cannot choose which one it gets: one stands for all.
  if (Number.isNaN(value)) bytes.setUint32(4, 0x7ff80000, true);
  else bytes.setFloat64(0, value, true);
  sink.update(new Uint8Array(bytes.buffer));
}

function writeTypedArray(sink: Sink, array: TypedArray, path: string): void {
  // Bytes are hashed as they lie in memory. WebGPU and every platform that has it are little-endian.
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) {
    throw refusal(path, 'a typed array on a big-endian machine');
  }
  writeTag(sink, TAG.typedArray);
  writeText(sink, Object.prototype.toString.call(array).slice(8, -1));
  writeCount(sink, array.byteLength);
  sink.update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
}

function writeTag(sink: Sink, tag: number): void {
  sink.update(Uint8Array.of(tag));
}

function writeCount(sink: Sink, count: number): void {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setUint32(0, count % 4294967296, true);
  bytes.setUint32(4, Math.floor(count / 4294967296), true);
  sink.update(new Uint8Array(bytes.buffer));
}

/** UTF-16 units, because UTF-8 would map different unpaired surrogates to one replacement character. */
function writeText(sink: Sink, text: string): void {
  writeCount(sink, text.length);
  const bytes = new Uint8Array(2 * text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    bytes[2 * i] = unit & 255;
    bytes[2 * i + 1] = unit >>> 8;
  }
  sink.update(bytes);
}

function refusal(path: string, got: string): DataError {
  return new DataError(
    `hashResult: ${path}: expected null, a boolean, number, bigint, string, array, typed array or plain object, got ${got}. ` +
      'Convert it to plain data first.',
  );
}
