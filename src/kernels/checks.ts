/** What every host function of a kernel checks before it makes a dispatch. Each check names the function, what it expected and what came. */
import { ShapeError } from '../base/errors.ts';
import { type DType, elementCount, type TensorView } from '../runtime/kernel.ts';

/** @throws ShapeError unless `view` has `count` elements of type `dtype`. */
export function checkView(caller: string, name: string, view: TensorView, dtype: DType, count: number): void {
  if (view.dtype !== dtype) {
    throw new ShapeError(
      `${caller}: ${name} must hold ${dtype}, got ${view.dtype} of shape [${view.shape}]; convert it or pass another view`,
    );
  }
  if (elementCount(view.shape) !== count) {
    throw new ShapeError(
      `${caller}: ${name} must have ${count} elements, got shape [${view.shape}] with ${elementCount(view.shape)}; pass a view that fits`,
    );
  }
}

/** @throws ShapeError unless every value is an integer of at least `least`. */
export function checkSizes(caller: string, sizes: Readonly<Record<string, number>>, least = 0): void {
  for (const [name, size] of Object.entries(sizes)) {
    if (!Number.isSafeInteger(size) || size < least) {
      throw new ShapeError(`${caller}: ${name} must be an integer of at least ${least}, got ${size}`);
    }
  }
}

/** Parts of an arena that together cover what is computed on: `Arena.windows`, or any views. */
export type Windows = readonly TensorView[];

/** @throws ShapeError unless all lists have as many windows, and windows of one place as many elements. */
export function checkWindows(caller: string, lists: Readonly<Record<string, Windows>>): void {
  const [[firstName, first] = ['', []], ...others] = Object.entries(lists);
  for (const [name, windows] of others) {
    if (windows.length !== first.length) {
      throw new ShapeError(
        `${caller}: ${name} has ${windows.length} windows, ${firstName} ${first.length}; use arenas of one layout`,
      );
    }
    windows.forEach((window, index) => {
      const count = elementCount(first[index]!.shape);
      checkView(caller, `window ${index} of ${name}`, window, window.dtype, count);
    });
  }
}

/**
 * WebGPU forbids a dispatch to bind a buffer as `read_write` and anything else at once, even at disjoint ranges.
 * @throws ShapeError when a written view shares its buffer with another view.
 */
export function checkSeparate(
  caller: string,
  written: Readonly<Record<string, TensorView>>,
  read: Readonly<Record<string, TensorView>>,
): void {
  const owners = new Map<GPUBuffer, string>();
  for (const [name, view] of Object.entries(written)) {
    const other = owners.get(view.buffer);
    if (other !== undefined) throw sharedBuffer(caller, name, other);
    owners.set(view.buffer, name);
  }
  for (const [name, view] of Object.entries(read)) {
    const other = owners.get(view.buffer);
    if (other !== undefined) throw sharedBuffer(caller, name, other);
  }
}

function sharedBuffer(caller: string, name: string, other: string): ShapeError {
  return new ShapeError(
    `${caller}: ${name} lies in the same GPUBuffer as ${other}, which is written; WebGPU allows that to no dispatch: use another buffer`,
  );
}
