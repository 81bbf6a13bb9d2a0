/** What a benchmark case is: a problem, who computes it with this library, and how to tell whether a result is right. */
import type { Context } from '../src/runtime/context.ts';
import type { Problem } from './problem.ts';
import type { ResultLine } from './result-line.ts';

/** Awaits a promise of the GPU's, asleep or as the runtime does. */
export type Waiting = <T>(promise: Promise<T>) => Promise<T>;

/** Someone who computes a problem, ready to do so again and again. */
export interface Contestant {
  /** Computes it once, from recording to completion; every wait for the GPU goes through `wait`. */
  run(wait: Waiting): Promise<void>;
  /**
   * The same in two parts, for those who need nothing back from the GPU on the way: quick ones are started several times and waited for
   * once, since in a browser the wait alone takes two milliseconds. Default: only the whole.
   */
  readonly parts?: {
    /** Records it, or submits it: what was started is computed in any case. */
    start(): unknown;
    /** Waits until all that was started is complete. */
    finish(wait: Waiting): Promise<unknown>;
  };
  /** What the last run computed, as the problem says. */
  read(): Promise<Float32Array[]>;
  /** Frees what it made on the GPU. */
  destroy(): void;
}

/** `run` of its parts, and the parts. */
export function inParts(parts: NonNullable<Contestant['parts']>): Pick<Contestant, 'run' | 'parts'> {
  return {
    parts,
    async run(wait) {
      await parts.start();
      await parts.finish(wait);
    },
  };
}

/** A contestant of this library. */
export interface OwnContestant extends Contestant {
  /** Added to the engine's name where a case has several ways: `rebasin generic pieces`. Default: none. */
  readonly label?: string;
  /** It is given what peers are not, so it is not compared with them. Default: false. */
  readonly incomparable?: boolean;
}

/** A case's data, made when its turn comes. */
export interface PreparedCase {
  /** What peers are asked to compute. Default: no peer is asked. */
  readonly problem?: Problem;
  /** The ways of this library, on a context that lives as long as the case. */
  own(context: Context): readonly OwnContestant[] | Promise<readonly OwnContestant[]>;
  /**
   * What is wrong with this library's way, found on a smaller problem of the same kind where references are too slow for the whole.
   * Default: only `check` is asked.
   */
  verify?(context: Context): Promise<string | undefined>;
  /** What is wrong with a result; undefined when it is right. This library's come first, so that others can be compared with them. */
  check(results: readonly Float32Array[], engine: string): string | undefined;
}

/** A case that is timed. */
export interface TimedCase {
  readonly name: string;
  /** Floating-point operations, a multiply-add counts 2. Default: not told. */
  readonly flops?: number;
  /** Bytes that must be read and written at least. Default: not told. */
  readonly bytes?: number;
  /** Only on adapters that are no CPU emulation. Default: false. */
  readonly hardwareOnly?: boolean;
  /** Other numerics classes of this library that take part where the adapter has them. Default: none. */
  readonly classes?: readonly 'f16'[];
  /** Everyone computes on the host: there is one way to wait, and no GPU time. Default: false. */
  readonly onHost?: boolean;
  prepare(): PreparedCase | Promise<PreparedCase>;
}

/** What a case that is not timed as a whole found. */
export type Measurement = Pick<
  ResultLine,
  'engine' | 'error' | 'failed' | 'figures' | 'medianMs' | 'minMs' | 'spread'
>;

/** A case that measures by itself: sizes, host cost. */
export interface MeasuredCase {
  readonly name: string;
  readonly hardwareOnly?: boolean;
  /** @param context on the run's adapter; it stays the suite's. */
  measure(context: Context, effort: { readonly repeats: number }): Promise<readonly Measurement[]>;
}

export type Case = TimedCase | MeasuredCase;

/** Cases of one family, by the part of their names before the first slash. */
export interface Family {
  readonly name: string;
  readonly about: string;
  /** Made (or imported) when the family is asked for. */
  cases(): Promise<readonly Case[]>;
}
