import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FormatError } from '../../../src/base/errors.ts';
import { type Json, parseStrictJson } from '../../../src/io/strict-json.ts';

/** What JSON.parse would have given. */
function plain(value: Json): unknown {
  if (value instanceof Map)
    return Object.fromEntries(Array.from(value, ([key, member]) => [key, plain(member)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

const integerJson = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger().map((n) => n + 0),
    fc.string({ unit: 'binary' }),
    fc.array(tie('value')),
    fc.dictionary(fc.string(), tie('value')),
  ),
})).value;

describe('parseStrictJson', () => {
  test('agrees with JSON.parse on integer JSON, compact or spread out', () => {
    fc.assert(
      fc.property(integerJson, fc.constantFrom(0, 1, '\t'), (value, space) => {
        const text = JSON.stringify(value, null, space);
        fc.pre(!text.includes('"__proto__"') && !/-0\b/.test(text));
        expect(plain(parseStrictJson(` ${text}\r\n`, 'test'))).toEqual(JSON.parse(text));
      }),
      { numRuns: 1000 },
    );
  });

  test('whatever JSON.parse refuses is refused, as a FormatError', () => {
    fc.assert(
      fc.property(
        integerJson.map((value) => JSON.stringify(value)),
        fc.nat(),
        fc.constantFrom('', '"', '{', ',', '\\', '0', ']', ' ', '\u0001'),
        (text, at, inserted) => {
          const position = at % (text.length + 1);
          const mutated = text.slice(0, position) + inserted + text.slice(position + 1);
          let accepted = true;
          try {
            parseStrictJson(mutated, 'test');
          } catch (error) {
            accepted = false;
            expect(error).toBeInstanceOf(FormatError);
          }
          if (accepted) expect(() => JSON.parse(mutated)).not.toThrow();
        },
      ),
      { numRuns: 5000 },
    );
  });

  test('refuses a key given twice, at any depth, however it is spelled', () => {
    expect(() => parseStrictJson('{"a":1,"a":1}', 'file: header')).toThrow(
      /^file: header: .*"a" is given twice/,
    );
    expect(() => parseStrictJson('[{"b":{"a":1,"\\u0061":2}}]', 'test')).toThrow(/given twice/);
  });

  test('refuses fractions, exponents, minus zero, leading zeros and deep nesting', () => {
    for (const text of [
      '1.5',
      '1e2',
      '-0',
      '01',
      '+1',
      '.5',
      'NaN',
      '[1,]',
      '{"a":1,}',
      '',
      '{',
      '"',
      '"\\',
    ]) {
      expect(() => parseStrictJson(text, 'test'), text).toThrow(FormatError);
    }
    expect(() => parseStrictJson('['.repeat(1e6), 'test')).toThrow(/at most 32 nested/);
    expect(() => parseStrictJson('{"a":'.repeat(1e6), 'test')).toThrow(/at most 32 nested/);
  });

  test('keys such as __proto__ are only keys', () => {
    const value = parseStrictJson('{"__proto__":{"polluted":1}}', 'test') as Map<string, Json>;
    expect(value.get('__proto__')).toEqual(new Map([['polluted', 1]]));
    expect(({} as Record<string, unknown>).polluted).toBe(undefined);
  });

  test('reads a text of ten million characters', () => {
    const text = 'x\\n'.repeat(5_000_000);
    expect((parseStrictJson(`"${text}"`, 'test') as string).length).toBe(10_000_000);
  });
});
