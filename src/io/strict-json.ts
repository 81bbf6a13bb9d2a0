/**
 * A JSON parser (RFC 8259) for headers of files that nobody vouches for. It differs from JSON.parse in four ways that
 * matter there: a key given twice is an error instead of the last one winning, objects come back as Maps so that a key
 * such as `__proto__` is only a key, nesting is bounded, and numbers are integers without fraction, exponent or minus zero.
 */

import { FormatError } from '../base/errors.ts';

/** A parsed JSON value; objects are Maps in the order of the text. */
export type Json = null | boolean | number | string | Json[] | Map<string, Json>;

const MAX_DEPTH = 32;
const WHITESPACE = /[ \t\n\r]*/y;
const INTEGER = /0|-?[1-9][0-9]*/y;

/**
 * Parses one JSON value that fills `text`, apart from white space.
 * @param where Starts the message of an error, such as `parseSafetensors: a.safetensors: header`.
 * @throws FormatError with the position and what was expected there.
 */
export function parseStrictJson(text: string, where: string): Json {
  const parser = new Parser(text, where);
  const value = parser.value(0);
  parser.end();
  return value;
}

class Parser {
  readonly #text: string;
  readonly #where: string;
  #position = 0;

  constructor(text: string, where: string) {
    this.#text = text;
    this.#where = where;
  }

  value(depth: number): Json {
    if (depth > MAX_DEPTH) throw this.#error(`at most ${MAX_DEPTH} nested arrays and objects`);
    this.#match(WHITESPACE);
    const first = this.#text[this.#position];
    let value: Json;
    if (first === '{') value = this.#object(depth);
    else if (first === '[') value = this.#array(depth);
    else if (first === '"') value = this.#string();
    else if (this.#word('null')) value = null;
    else if (this.#word('true')) value = true;
    else if (this.#word('false')) value = false;
    else {
      const number = this.#match(INTEGER);
      if (number === '') throw this.#error('a JSON value (numbers as integers)');
      value = Number(number);
    }
    this.#match(WHITESPACE);
    return value;
  }

  end(): void {
    if (this.#position < this.#text.length) throw this.#error('the end of the JSON text');
  }

  #object(depth: number): Map<string, Json> {
    const object = new Map<string, Json>();
    this.#position++;
    this.#match(WHITESPACE);
    if (this.#word('}')) return object;
    while (true) {
      this.#match(WHITESPACE);
      const key = this.#string();
      if (object.has(key)) throw this.#error(`each key once, but ${JSON.stringify(key)} is given twice`);
      this.#match(WHITESPACE);
      if (!this.#word(':')) throw this.#error('":"');
      object.set(key, this.value(depth + 1));
      if (this.#word('}')) return object;
      if (!this.#word(',')) throw this.#error('"," or "}"');
    }
  }

  #array(depth: number): Json[] {
    const array: Json[] = [];
    this.#position++;
    this.#match(WHITESPACE);
    if (this.#word(']')) return array;
    while (true) {
      array.push(this.value(depth + 1));
      if (this.#word(']')) return array;
      if (!this.#word(',')) throw this.#error('"," or "]"');
    }
  }

  #string(): string {
    if (this.#text[this.#position] !== '"') throw this.#error('a JSON string');
    // The closing quote is the first one that no backslash escapes. A pattern would run out of stack on a long text.
    let end = this.#position + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
    let text: string;
    try {
      text = JSON.parse(this.#text.slice(this.#position, end + 1));
    } catch {
      throw this.#error('a JSON string that is complete and well escaped');
    }
    this.#position = end + 1;
    return text;
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#position)) return false;
    this.#position += word.length;
    return true;
  }

  /** Consumes what `pattern` (sticky) matches here; an empty text when it does not. */
  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#text)?.[0] ?? '';
    this.#position += found.length;
    return found;
  }

  #error(expected: string): FormatError {
    const found = this.#text.slice(this.#position, this.#position + 20);
    return new FormatError(
      `${this.#where}: expected ${expected} at character ${this.#position}, got ` +
        `${found === '' ? 'the end' : JSON.stringify(found)}. Write the file again or fetch it anew.`,
    );
  }
}
