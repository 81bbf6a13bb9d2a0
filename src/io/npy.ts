/**
 * The npy format of NumPy, versions 1 to 3 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): a magic text, the
 * length of a header, the header as the text of a Python dict, then the values. The header is matched against the one form that NumPy
 * writes, never evaluated. Not read: complex numbers, texts, dates, structures and Python objects.
 */

import { FormatError } from '../base/errors.ts';
import { ELEMENT_BYTES, type ElementType, readStrided, rowMajorStrides } from './elements.ts';
import type { FileTensor } from './safetensors.ts';

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Headers are some hundred bytes; NumPy itself refuses more than 10,000. */
const MAX_HEADER_BYTES = 10000;
const MAX_AXES = 64;

const TYPES: Readonly<Record<string, ElementType>> = {
  ...{ b1: 'BOOL', i1: 'I8', i2: 'I16', i4: 'I32', i8: 'I64', u1: 'U8', u2: 'U16', u4: 'U32', u8: 'U64' },
  ...{ f2: 'F16', f4: 'F32', f8: 'F64' },
};

/** One entry of the header: a quoted key, and a quoted text, True, False, or a tuple of integers as the value. */
const ENTRY = /\s*'([a-z_]+)'\s*:\s*(?:'([^'\\]*)'|(True|False)|\(([0-9L, ]*)\))\s*/y;
const INTEGER = /^(0|[1-9][0-9]{0,15})L?$/;

/** Whether the bytes start as an npy file does. */
export function isNpy(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte);
}

/** The array of an npy file, and the type that NumPy gave it, such as `<f4`. */
export interface NpyArray {
  /** Shape and values. */
  readonly tensor: FileTensor;
  /** NumPy's name of the element type, such as `<f4`. */
  readonly descr: string;
}

/**
 * Parses a whole file. Any byte order and both index orders are read; the result is row-major.
 * @param label What messages call the file.
 * @throws FormatError for every departure from the format, and naming the element type where it is not read.
 */
export function parseNpy(bytes: Uint8Array, label = 'npy file'): NpyArray {
  const where = `parseNpy: ${label}`;
  const fail = (problem: string) => new FormatError(`${where}: ${problem}`);
  if (!isNpy(bytes) || bytes.length < 12) {
    throw fail(
      `expected at least 12 bytes that start with 147 "NUMPY", got ${bytes.length} others. Name a .npy file.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const [major, minor] = [bytes[6]!, bytes[7]!];
  if (major < 1 || major > 3 || minor !== 0) {
    throw fail(`expected version 1.0, 2.0 or 3.0, got ${major}.${minor}. Save the array anew.`);
  }
  const headerStart = major === 1 ? 10 : 12;
  const headerLength = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = headerStart + headerLength;
  if (headerLength > MAX_HEADER_BYTES || start > bytes.length) {
    throw fail(
      `expected a header of at most ${MAX_HEADER_BYTES} bytes within the file, got ${headerLength} of ${bytes.length}. ` +
        'The file is cut short or damaged.',
    );
  }
  const { descr, fortranOrder, shape } = parseHeader(
    decodeHeader(bytes.subarray(headerStart, start), major, fail),
    fail,
  );
  const { type, bigEndian } = elementType(descr, fail);
  const count = shape.includes(0) ? 0 : shape.reduce((product, size) => product * size, 1);
  const expected = count * ELEMENT_BYTES[type];
  if (bytes.length - start !== expected) {
    throw fail(
      `expected ${expected} bytes of values for ${descr} of shape [${shape}], got ${bytes.length - start}. ` +
        (bytes.length - start < expected ? 'The file is cut short.' : 'Bytes follow the last value.'),
    );
  }
  const strides = fortranOrder ? rowMajorStrides(shape.toReversed()).toReversed() : rowMajorStrides(shape);
  const array = { bytes: bytes.subarray(start), type, bigEndian, shape, strides, offset: 0 };
  return { tensor: readStrided(array, where), descr };
}

interface Header {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

type Fail = (problem: string) => FormatError;

function decodeHeader(bytes: Uint8Array, major: number, fail: Fail): string {
  try {
    // Versions 1 and 2 are Latin-1, but the only texts that matter are ASCII in both.
    return new TextDecoder(major === 3 ? 'utf-8' : 'latin1', { fatal: true }).decode(bytes);
  } catch {
    throw fail('expected a header in UTF-8, got other bytes. The file is damaged.');
  }
}

function parseHeader(text: string, fail: Fail): Header {
  const form = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  const inner = /^\{(.*?),?\s*\}\s*$/s.exec(text)?.[1];
  const values = new Map<string, string | boolean | number[]>();
  if (text.includes("'descr': [")) {
    throw fail(
      'expected one element type, got a structure of several. Save its fields as arrays of their own.',
    );
  }
  let at = 0;
  while (inner !== undefined && at < inner.length) {
    ENTRY.lastIndex = at;
    const found = ENTRY.exec(inner);
    if (!found || values.has(found[1]!)) break;
    const [whole, key, quoted, truth, tuple] = found;
    values.set(key!, quoted ?? (tuple === undefined ? truth === 'True' : parseShape(tuple, fail)));
    at += whole.length;
    if (at < inner.length && inner[at++] !== ',') break;
  }
  const [descr, fortranOrder, shape] = ['descr', 'fortran_order', 'shape'].map((key) => values.get(key));
  if (
    at !== inner?.length ||
    values.size !== 3 ||
    typeof descr !== 'string' ||
    typeof fortranOrder !== 'boolean' ||
    !Array.isArray(shape)
  ) {
    throw fail(
      `expected a header such as ${form}, got ${JSON.stringify(text.trimEnd().slice(0, 200))}. Save the array anew.`,
    );
  }
  return { descr, fortranOrder, shape };
}

/** `''`, `3,` and `3, 4` of the tuples (), (3,) and (3, 4); Python 2 wrote 3L. */
function parseShape(text: string, fail: Fail): number[] {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.at(-1) === '') parts.pop();
  const sizes = parts.map((part) => Number(INTEGER.exec(part)?.[1] ?? NaN));
  const single = sizes.length === 1 && !text.includes(',');
  if (single || sizes.length > MAX_AXES || !sizes.every(Number.isSafeInteger)) {
    throw fail(
      `expected a shape of at most ${MAX_AXES} integers, got (${text.slice(0, 200)}). Save the array anew.`,
    );
  }
  return sizes;
}

function elementType(descr: string, fail: Fail): { type: ElementType; bigEndian: boolean } {
  const [order, name] = [descr[0]!, descr.slice(1)];
  const type = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
  const single = type !== undefined && ELEMENT_BYTES[type] === 1;
  if (type === undefined || !(single ? '|<>=' : '<>').includes(order)) {
    const what = name.startsWith('O') ? 'Python objects, which only Python can make: ' : '';
    throw fail(
      `expected an element type of ${Object.keys(TYPES).join(', ')} after "<", ">" or "|", got ${what}${JSON.stringify(descr)}. ` +
        'Convert the array before it is saved.',
    );
  }
  return { type, bigEndian: order === '>' };
}
