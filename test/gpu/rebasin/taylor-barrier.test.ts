/** The Taylor estimate of two networks beside the line that is drawn between them. */
import { describe, expect, it } from 'vitest';
import { mlp } from '../../../src/nn/models/mlp.ts';
import { type Model, stateEntries } from '../../../src/nn/models/model.ts';
import { taylorBarrier } from '../../../src/rebasin/analysis/taylor-barrier.ts';
import { sweep } from '../../../src/rebasin/interpolation/sweep.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../../src/runtime/arena.ts';
import { Scope } from '../../../src/runtime/scope.ts';
import { digitsOn, plausibleValues } from '../../support/barely-trained.ts';
import { useContext } from '../../support/context.ts';

const context = useContext();
const LAMBDA = [0, 0.25, 0.5, 1];

/** A and a network on the way to another, `part` of it. */
function pair(model: Model, part: number): [HostTensors, HostTensors] {
  const [a, c] = [plausibleValues(model, 1), plausibleValues(model, 2)];
  const b = new Map([...a].map(([name, x]) => [name, x.map((v, i) => v + part * (c.get(name)![i]! - v))]));
  return [a, b];
}

/** Excess over the straight line, measured and estimated. */
async function excesses(model: Model, [a, b]: readonly [HostTensors, HostTensors]) {
  const scope = new Scope();
  try {
    const data = scope.own(digitsOn(context(), 60));
    const arenas = [a, b].map((values) => {
      const arena = scope.own(new Arena(context(), new ArenaLayout(stateEntries(model))));
      arena.write(values);
      return arena;
    });
    const { train } = await sweep(context(), {
      ...{ model, a: arenas[0]!, b: arenas[1]!, lambda: LAMBDA, data: { train: data } },
    });
    const estimate = await taylorBarrier(context(), { model, a, b, data, lambda: LAMBDA });
    const { loss } = train!;
    const chord = (at: number) => (1 - at) * loss[0]! + at * loss[3]!;
    return { estimate, loss, measured: LAMBDA.map((at, i) => loss[i]! - chord(at)) };
  } finally {
    scope.destroy();
  }
}

describe('taylorBarrier', () => {
  for (const model of [
    mlp({ widths: [784, 10, 10], activation: 'tanh' }),
    mlp({ widths: [784, 9, 8, 10], activation: 'softplus', norm: 'batch' }),
  ]) {
    it(`of ${model.name} approaches the line that is drawn by the third power of the distance, running statistics too`, async () => {
      const errors: number[] = [];
      for (const part of [0.08, 0.04]) {
        const { estimate, loss, measured } = await excesses(model, pair(model, part));
        // The same network and images, through other kernels: float32 against float32.
        expect(Math.abs(estimate.ends[0].loss / loss[0]! - 1)).toBeLessThan(1e-6);
        expect(Math.abs(estimate.ends[1].loss / loss[3]! - 1)).toBeLessThan(1e-6);
        expect(estimate.loss[0]).toBe(estimate.ends[0].loss);
        expect(estimate.loss[2]! - (estimate.ends[0].loss + estimate.ends[1].loss) / 2).toBeCloseTo(
          estimate.excess[2]!,
          12,
        );
        // Half-way the third order cancels: what is left of the excess, itself of second order, is a few parts in a thousand.
        expect(Math.abs(measured[2]!)).toBeGreaterThan(5e-4);
        expect(Math.abs(estimate.excess[2]! / measured[2]! - 1)).toBeLessThan(0.02);
        errors.push(Math.abs(estimate.excess[1]! - measured[1]!));
      }
      expect(errors[1]).toBeGreaterThan(1e-6); // well above the roundings of a loss
      expect(errors[0]! / errors[1]!).toBeGreaterThan(6);
    });
  }

  it('reports progress over both ends, stops when aborted, and refuses networks that do not fit', async () => {
    const model = mlp({ widths: [784, 6, 10], activation: 'tanh' });
    const [a, b] = pair(model, 0.1);
    const data = digitsOn(context(), 50);
    const seen: number[] = [];
    const call = { model, a, b, data, lambda: [0.5], batchSize: 25 };
    await taylorBarrier(context(), { ...call, onProgress: ({ done, total }) => seen.push(done, total) });
    expect(seen).toEqual([25, 100, 50, 100, 75, 100, 100, 100]);
    const controller = new AbortController();
    const aborted = taylorBarrier(context(), {
      ...{ ...call, signal: controller.signal },
      onProgress: ({ done }) => done === 75 && controller.abort(),
    });
    await expect(aborted).rejects.toThrow(/abort/i);
    const short = new Map([...b, ['fc1.bias', new Float32Array(3)] as const]);
    await expect(taylorBarrier(context(), { ...call, b: short })).rejects.toThrow(/"fc1.bias"/);
    data.destroy();
  });
});
