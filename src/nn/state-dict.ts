/**
 * A state dict on the host: float32 tensors by PyTorch name, with what its file says about itself. Integer tensors
 * (`num_batches_tracked`) are kept aside: they are never interpolated or permuted.
 */
import { FormatError } from '../base/errors.ts';
import { readCheckpointFile } from '../io/checkpoint.ts';
import { assertFinite, type FileTensor } from '../io/safetensors.ts';
import { writeSafetensors } from '../io/safetensors-writer.ts';
import type { ArenaEntry } from '../runtime/arena.ts';

/** A tensor of a checkpoint. */
export interface StateDictEntry {
  /** Elements along each axis. */
  readonly shape: readonly number[];
  /** As many values as the shape has, row-major. */
  readonly data: Float32Array;
}

/** A checkpoint on the host. */
export interface StateDict {
  /** float32 tensors by PyTorch name. */
  readonly entries: ReadonlyMap<string, StateDictEntry>;
  /** Integer tensors (`num_batches_tracked`), which nothing here changes. */
  readonly integers: ReadonlyMap<string, FileTensor>;
  /** What the file says about itself. */
  readonly metadata: ReadonlyMap<string, string>;
  /** What was done while reading (a prefix removed, float64 rounded), one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Reads a checkpoint: safetensors, PyTorch's `.pt` and `.pth` (tensors and containers only), NumPy's `.npz`.
 * @param label what errors call the file.
 * @throws FormatError for a bad file, DataError for weights that are not finite.
 */
export async function readStateDict(bytes: Uint8Array, label: string): Promise<StateDict> {
  const { tensors, metadata, notes } = await readCheckpointFile(bytes, label);
  const entries = new Map<string, StateDictEntry>();
  const integers = new Map<string, FileTensor>();
  for (const [name, tensor] of tensors) {
    const { data, shape } = tensor;
    if (data instanceof Float32Array) {
      assertFinite(`${label}: ${name}`, data);
      entries.set(name, { shape, data });
    } else {
      integers.set(name, tensor);
    }
  }
  return { entries, integers, metadata, notes };
}

/** The bytes of a safetensors checkpoint. */
export function writeStateDict(state: StateDict): Uint8Array {
  const tensors = new Map<string, FileTensor>(state.integers);
  for (const [name, { shape, data }] of state.entries) tensors.set(name, { dtype: 'F32', shape, data });
  return writeSafetensors(tensors, state.metadata);
}

/** A state dict of values that a model's parameters have. */
export function stateDictOf(
  parameters: readonly ArenaEntry[],
  values: ReadonlyMap<string, Float32Array>,
  metadata: ReadonlyMap<string, string> = new Map(),
): StateDict {
  const entries = new Map(parameters.map(({ name, shape }) => [name, { shape, data: values.get(name)! }]));
  return { entries, integers: new Map(), metadata, notes: [] };
}

/** Values by name, as arenas take them. */
export function valuesOf(state: StateDict): Map<string, Float32Array> {
  return new Map([...state.entries].map(([name, { data }]) => [name, data]));
}

/**
 * Checks that two checkpoints hold the same architecture.
 * @throws FormatError naming the first tensor that is missing, extra, or of another shape.
 */
export function expectSameArchitecture(a: StateDict, b: StateDict, labelA: string, labelB: string): void {
  const complain = (name: string, inA: string, inB: string) =>
    new FormatError(
      `${labelA} and ${labelB} are not the same architecture: "${name}" is ${inA} in the first, ${inB} in the second`,
    );
  for (const [name, { shape }] of a.entries) {
    const other = b.entries.get(name);
    if (!other) throw complain(name, `[${shape}]`, 'missing');
    if (other.shape.join() !== shape.join()) throw complain(name, `[${shape}]`, `[${other.shape}]`);
  }
  for (const [name, { shape }] of b.entries)
    if (!a.entries.has(name)) throw complain(name, 'missing', `[${shape}]`);
}
