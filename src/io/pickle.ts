/**
 * A reader of Python pickles (protocols 2 to 5, https://docs.python.org/3/library/pickletools.html) that can make numbers, texts and
 * containers and nothing else. A pickle is a program that may import and call anything; here it may only name what `globals` lists, and
 * every other name is refused, by that name, at the moment it occurs. Nothing is evaluated, and time and memory are bounded by the
 * length of the pickle.
 *
 * Python values: None null, bool, int number (bigint beyond 2^53), float number, str and Python 2's str string, bytes Uint8Array, list
 * array, tuple `PickleTuple`, dict Map, set Set (an array where the pickle calls for one by name).
 */

import { PickleCursor } from './pickle-cursor.ts';

/** A tuple, told apart from a list because only tuples are arguments. */
export class PickleTuple {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/** A name that a pickle may use. */
export class PickleGlobal {
  /** `module.name`. */
  readonly name: string;
  /** What calling it gives; without it, it is a constant. Must throw a FormatError for arguments that it does not know. */
  readonly call: ((args: readonly unknown[]) => unknown) | undefined;
  constructor(name: string, call?: (args: readonly unknown[]) => unknown) {
    this.name = name;
    this.call = call;
  }
}

/** What a pickle may use. */
export interface UnpickleOptions {
  /** By `module.name`. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** Gives the object that a persistent id stands for, or throws a FormatError. Default: persistent ids are refused. */
  readonly persistent?: (id: unknown) => unknown;
}

/** What one pickle gave, and where the bytes after it start. */
export interface Unpickled {
  readonly value: unknown;
  readonly end: number;
}

/** Operations of a pickle, far above what checkpoints have. */
const MAX_OPERATIONS = 20_000_000;

/** Operations that make instances of classes, or that no pickle of protocol 2 and above has: refused by name. */
const REFUSED: Readonly<Record<number, string>> = {
  ...{ 73: 'INT', 76: 'LONG', 70: 'FLOAT', 83: 'STRING', 86: 'UNICODE', 112: 'PUT', 103: 'GET', 50: 'DUP' },
  ...{
    80: 'PERSID',
    105: 'INST',
    111: 'OBJ',
    129: 'NEWOBJ',
    146: 'NEWOBJ_EX',
    130: 'EXT1',
    131: 'EXT2',
    132: 'EXT4',
  },
  ...{ 151: 'NEXT_BUFFER', 152: 'READONLY_BUFFER' },
};

/** Stands on the stack where a group of items starts. */
const MARK = Symbol('mark');

/**
 * Reads the pickle that starts at `start`.
 * @param where Starts the message of an error: function and file.
 * @throws FormatError naming what was refused and the position.
 */
export function unpickle(
  bytes: Uint8Array,
  start: number,
  where: string,
  options: UnpickleOptions,
): Unpickled {
  return new Unpickler(new PickleCursor(bytes, start, where), options).run();
}

class Unpickler {
  readonly #cursor: PickleCursor;
  readonly #options: UnpickleOptions;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();

  constructor(cursor: PickleCursor, options: UnpickleOptions) {
    this.#cursor = cursor;
    this.#options = options;
  }

  run(): Unpickled {
    for (let count = 0; count < MAX_OPERATIONS; count++) {
      const operation = this.#cursor.operation();
      if (operation === 46) {
        const value = this.#pop();
        if (this.#stack.length > 0)
          throw this.#cursor.error('one value at the end', `${this.#stack.length + 1}`);
        return { value, end: this.#cursor.position };
      }
      this.#perform(operation);
    }
    throw this.#cursor.error(`at most ${MAX_OPERATIONS} operations`, 'more');
  }

  /** One operation, named as pickletools names it. */
  #perform(operation: number): void {
    const stack = this.#stack;
    switch (operation) {
      case 0x80: {
        const protocol = this.#cursor.byte();
        if (protocol < 2 || protocol > 5)
          throw this.#cursor.error('a pickle of protocol 2 to 5', `protocol ${protocol}`);
        return;
      }
      case 0x95: // FRAME: how the writer cut its output, of no use to a reader that has it all
        this.#cursor.frame();
        return;
      case 0x28: // MARK
        stack.push(MARK);
        return;
      case 0x30: // POP
        this.#popAny();
        return;
      case 0x31: // POP_MARK
        this.#popGroup();
        return;
      case 0x4e: // NONE
        stack.push(null);
        return;
      case 0x88: // NEWTRUE
      case 0x89: // NEWFALSE
        stack.push(operation === 0x88);
        return;
      case 0x4a: // BININT
        stack.push(this.#cursor.int32());
        return;
      case 0x4b: // BININT1
        stack.push(this.#cursor.byte());
        return;
      case 0x4d: // BININT2
        stack.push(this.#cursor.uint16());
        return;
      case 0x8a: // LONG1
        stack.push(this.#cursor.integer(this.#cursor.byte()));
        return;
      case 0x8b: // LONG4
        stack.push(this.#cursor.integer(this.#cursor.uint32()));
        return;
      case 0x47: // BINFLOAT
        stack.push(this.#cursor.float64());
        return;
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING
        stack.push(this.#cursor.text(this.#cursor.byte()));
        return;
      case 0x58: // BINUNICODE
      case 0x54: // BINSTRING
        stack.push(this.#cursor.text(this.#cursor.uint32()));
        return;
      case 0x8d: // BINUNICODE8
        stack.push(this.#cursor.text(this.#cursor.uint64()));
        return;
      case 0x43: // SHORT_BINBYTES
        stack.push(this.#cursor.content(this.#cursor.byte()));
        return;
      case 0x42: // BINBYTES
        stack.push(this.#cursor.content(this.#cursor.uint32()));
        return;
      case 0x8e: // BINBYTES8
      case 0x96: // BYTEARRAY8
        stack.push(this.#cursor.content(this.#cursor.uint64()));
        return;
      default:
        this.#performOnContainers(operation);
    }
  }

  #performOnContainers(operation: number): void {
    const stack = this.#stack;
    switch (operation) {
      case 0x29: // EMPTY_TUPLE
        stack.push(new PickleTuple([]));
        return;
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        stack.push(new PickleTuple(Array.from({ length: operation - 0x84 }, () => this.#pop()).reverse()));
        return;
      case 0x74: // TUPLE
        stack.push(new PickleTuple(this.#popGroup()));
        return;
      case 0x5d: // EMPTY_LIST
        stack.push([]);
        return;
      case 0x6c: // LIST
        stack.push(this.#popGroup());
        return;
      case 0x61: // APPEND
        this.#append([this.#pop()]);
        return;
      case 0x65: // APPENDS
        this.#append(this.#popGroup());
        return;
      case 0x7d: // EMPTY_DICT
        stack.push(new Map());
        return;
      case 0x64: // DICT
        stack.push(this.#setItems(new Map(), this.#popGroup()));
        return;
      case 0x73: // SETITEM
      case 0x75: {
        // SETITEMS
        const items = operation === 0x73 ? [this.#pop(), this.#pop()].reverse() : this.#popGroup();
        this.#setItems(this.#top(), items);
        return;
      }
      case 0x8f: // EMPTY_SET
        stack.push(new Set());
        return;
      case 0x90: // ADDITEMS
        this.#addItems(this.#popGroup());
        return;
      case 0x91: // FROZENSET
        stack.push(new Set(this.#popGroup()));
        return;
      case 0x71: // BINPUT
        this.#memo.set(this.#cursor.byte(), this.#top());
        return;
      case 0x72: // LONG_BINPUT
        this.#memo.set(this.#cursor.uint32(), this.#top());
        return;
      case 0x94: // MEMOIZE
        this.#memo.set(this.#memo.size, this.#top());
        return;
      case 0x68: // BINGET
        this.#recall(this.#cursor.byte());
        return;
      case 0x6a: // LONG_BINGET
        this.#recall(this.#cursor.uint32());
        return;
      default:
        this.#performOnObjects(operation);
    }
  }

  #performOnObjects(operation: number): void {
    switch (operation) {
      case 0x63: {
        // GLOBAL
        const module = this.#cursor.line();
        this.#pushGlobal(module, this.#cursor.line());
        return;
      }
      case 0x93: {
        // STACK_GLOBAL
        const [name, module] = [this.#pop(), this.#pop()];
        if (typeof name !== 'string' || typeof module !== 'string')
          throw this.#cursor.error('a name as a text', 'another value');
        this.#pushGlobal(module, name);
        return;
      }
      case 0x52: {
        // REDUCE
        const [args, callee] = [this.#pop(), this.#pop()];
        if (!(callee instanceof PickleGlobal) || !callee.call || !(args instanceof PickleTuple)) {
          const what = callee instanceof PickleGlobal ? callee.name : 'something that is not a name';
          throw this.#cursor.error('a call of a name that makes a tensor or a container', `one of ${what}`);
        }
        this.#stack.push(callee.call(args.items));
        return;
      }
      case 0x62: {
        // BUILD
        const [state, object] = [this.#pop(), this.#top()];
        // PyTorch gives the dict of a state dict an attribute, `_metadata`: versions of modules. It changes no tensor.
        if (!(object instanceof Map) || !(state instanceof Map)) {
          throw this.#cursor.error('attributes of a dict', 'attributes of another object');
        }
        return;
      }
      case 0x51: {
        // BINPERSID
        const { persistent } = this.#options;
        if (!persistent)
          throw this.#cursor.error('values', 'an id that stands for something outside the pickle');
        this.#stack.push(persistent(this.#pop()));
        return;
      }
      default: {
        const name = REFUSED[operation];
        if (name === undefined) throw this.#cursor.error('an operation of a pickle', `byte ${operation}`);
        const callee = this.#stack.at(-2);
        const of = name.startsWith('NEWOBJ') && callee instanceof PickleGlobal ? ` of ${callee.name}` : '';
        throw this.#cursor.error('tensors, numbers, texts and containers', `the operation ${name}${of}`);
      }
    }
  }

  #pushGlobal(module: string, name: string): void {
    const found = this.#options.globals.get(`${module}.${name}`);
    if (!found) {
      throw this.#cursor.error(
        'tensors and containers alone',
        `the name ${JSON.stringify(`${module}.${name}`)}, which was not run`,
      );
    }
    this.#stack.push(found);
  }

  #append(items: readonly unknown[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#cursor.error('a list to append to', 'another value');
    // Not push(...items): a long list would not fit the stack.
    for (const item of items) list.push(item);
  }

  #setItems(dict: unknown, items: readonly unknown[]): Map<unknown, unknown> {
    if (!(dict instanceof Map) || items.length % 2 !== 0)
      throw this.#cursor.error('keys and values of a dict', 'something else');
    for (let i = 0; i < items.length; i += 2) dict.set(items[i], items[i + 1]);
    return dict;
  }

  #addItems(items: readonly unknown[]): void {
    const set = this.#top();
    if (!(set instanceof Set)) throw this.#cursor.error('a set to add to', 'another value');
    for (const item of items) set.add(item);
  }

  #recall(index: number): void {
    if (!this.#memo.has(index))
      throw this.#cursor.error('a value that was kept before', `number ${index}, which was not`);
    this.#stack.push(this.#memo.get(index));
  }

  #popAny(): unknown {
    if (this.#stack.length === 0) throw this.#cursor.error('a value on the stack', 'none');
    return this.#stack.pop();
  }

  #pop(): unknown {
    const value = this.#popAny();
    if (value === MARK) throw this.#cursor.error('a value on the stack', 'a mark');
    return value;
  }

  #top(): unknown {
    const value = this.#pop();
    this.#stack.push(value);
    return value;
  }

  #popGroup(): unknown[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw this.#cursor.error('a mark on the stack', 'none');
    const items = this.#stack.splice(mark);
    items.shift();
    return items;
  }
}
