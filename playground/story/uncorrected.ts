/** What the correction was good for: the networks half-way without it. Beside the result, and no part of its hash. */
import {
  Arena,
  ArenaLayout,
  type Context,
  type Evaluation,
  Evaluator,
  GpuDataset,
  type HostTensors,
  type ImageDataset,
  interpolate,
  type Model,
  type Normalisation,
  stateEntries,
} from 'rebasin';
import { LINE_NAMES, type LineName } from './line-name.ts';

export interface UncorrectedOptions {
  readonly model: Model;
  readonly a: HostTensors;
  readonly ends: Readonly<Record<LineName, HostTensors>>;
  readonly test: ImageDataset;
  readonly normalisation: Normalisation;
  readonly signal: AbortSignal;
}

/** Test loss and accuracy half-way on both lines, as averaging left them. */
export async function uncorrectedMidpoints(
  context: Context,
  { model, a, ends, test, normalisation, signal }: UncorrectedOptions,
): Promise<Record<LineName, Evaluation>> {
  const layout = new ArenaLayout(stateEntries(model));
  const owned: { destroy(): void }[] = [];
  const own = <T extends { destroy(): void }>(made: T): T => {
    owned.unshift(made);
    return made;
  };
  try {
    const [first, second, mixed] = ['A', 'B', 'mix'].map((name) => own(new Arena(context, layout, name))) as [
      Arena,
      Arena,
      Arena,
    ];
    const data = own(new GpuDataset(context, test, normalisation));
    const evaluator = own(new Evaluator(context, model, [mixed], data));
    first.write(a);
    const found: [LineName, Evaluation][] = [];
    for (const name of LINE_NAMES) {
      second.write(ends[name]);
      const [from, to] = [first.windows, second.windows];
      context.record(...interpolate(context, { a: from, b: to, lambda: 0.5, output: mixed.windows }));
      found.push([name, await evaluator.evaluate({ signal })]);
    }
    return Object.fromEntries(found) as Record<LineName, Evaluation>;
  } finally {
    for (const made of owned) made.destroy();
  }
}
