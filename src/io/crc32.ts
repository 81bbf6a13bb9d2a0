/** The checksum of zip files: CRC-32 with the reflected polynomial 0xedb88320, four bytes a step ("slicing by four"). */

/** `TABLES[k][b]`: what byte `b` does to the checksum when `k` more bytes follow it in the same step. */
const TABLES = /* @__PURE__ */ makeTables();

/** CRC-32 of bytes, an integer 0 .. 2^32 - 1. */
export function crc32(bytes: Uint8Array): number {
  const [table0, table1, table2, table3] = TABLES;
  let crc = -1;
  let i = 0;
  for (; i + 4 <= bytes.length; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc = table3[crc & 255]! ^ table2[(crc >>> 8) & 255]! ^ table1[(crc >>> 16) & 255]! ^ table0[crc >>> 24]!;
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ table0[(crc ^ bytes[i]!) & 255]!;
  return ~crc >>> 0;
}

function makeTables(): readonly [Int32Array, Int32Array, Int32Array, Int32Array] {
  const first = new Int32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    first[byte] = crc;
  }
  const next = (table: Int32Array) => table.map((crc) => (crc >>> 8) ^ first[crc & 255]!);
  const second = next(first);
  const third = next(second);
  return [first, second, third, next(third)];
}
