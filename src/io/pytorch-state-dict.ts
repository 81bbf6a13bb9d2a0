/** Finds the state dict in what a checkpoint holds: the object itself, or what a training script keeps beside epoch and optimizer. */

import { FormatError } from '../base/errors.ts';
import { PytorchTensor } from './pytorch-tensors.ts';

/** A state dict whose tensors are not read yet. */
export interface FoundStateDict {
  readonly entries: Map<string, PytorchTensor>;
  readonly metadata: Map<string, string>;
  readonly notes: string[];
}

/** Where training scripts put it, in the order in which they are tried. */
const KEYS = ['state_dict', 'model_state_dict', 'model'];
/** Names that a note lists before it only counts. */
const LISTED = 12;

/**
 * Takes the dict of tensors under `state_dict`, `model_state_dict` or `model`, else the object itself.
 * @param root What the pickle gave.
 * @param where Starts the message of an error: function and file.
 * @throws FormatError listing what there is when there is no dict of tensors, or a tensor's name is no text.
 */
export function findStateDict(root: unknown, where: string): FoundStateDict {
  const key = KEYS.find((name) => root instanceof Map && holdsTensors(root.get(name)));
  const dict: unknown = key === undefined ? root : (root as Map<unknown, unknown>).get(key);
  if (!holdsTensors(dict)) {
    throw new FormatError(
      `${where}: expected a dict of tensors, or one under ${KEYS.join(', ')}, got ${describe(root)}. ` +
        'Save only the state dict: torch.save(model.state_dict(), path).',
    );
  }
  const notes: string[] = [];
  const metadata = new Map<string, string>();
  if (key !== undefined) {
    notes.push(`tensors found under "${key}"`);
    const others = [...(root as Map<unknown, unknown>)].filter(([name]) => name !== key);
    for (const [name, value] of others) {
      if (typeof name === 'string' && ['number', 'string', 'boolean', 'bigint'].includes(typeof value)) {
        metadata.set(name, String(value));
      }
    }
    const left = others
      .map(([name]) => name)
      .filter((name) => typeof name !== 'string' || !metadata.has(name));
    if (left.length > 0) notes.push(`left out: ${listKeys(left)}`);
  }
  const entries = new Map<string, PytorchTensor>();
  const noTensors: unknown[] = [];
  for (const [name, value] of dict) {
    if (!(value instanceof PytorchTensor)) noTensors.push(name);
    else if (typeof name === 'string') entries.set(name, value);
    else
      throw new FormatError(`${where}: expected texts as names of tensors, got another value. Save it anew.`);
  }
  if (noTensors.length > 0) notes.push(`left out, as they are no tensors: ${listKeys(noTensors)}`);
  return { entries, metadata, notes };
}

function holdsTensors(value: unknown): value is Map<unknown, unknown> {
  return value instanceof Map && [...value.values()].some((member) => member instanceof PytorchTensor);
}

function describe(root: unknown): string {
  if (root instanceof PytorchTensor) return 'a single tensor without a name';
  if (root instanceof Map) return `a dict of ${root.size === 0 ? 'nothing' : listKeys([...root.keys()])}`;
  return Array.isArray(root) ? `a list of ${root.length} values` : 'another value';
}

function listKeys(keys: readonly unknown[]): string {
  const more = keys.length > LISTED ? `, and ${keys.length - LISTED} more` : '';
  const name = (key: unknown) =>
    typeof key === 'string' || typeof key === 'number' ? String(key) : 'a key that is no text';
  return keys.slice(0, LISTED).map(name).join(', ') + more;
}
