/** Gram matrices on the GPU against the host's, against exact integers, and in use. */
import { describe, expect, it } from 'vitest';
import { DataError, OptionError, UnsupportedError } from '../../../src/base/errors.ts';
import { exp } from '../../../src/base/portable.ts';
import { RandomStream } from '../../../src/base/random.ts';
import { TILED_VARIANTS } from '../../../src/kernels/variant.ts';
import { type Context, requestContextOn } from '../../../src/runtime/context.ts';
import { agePath } from '../../../src/selfpaced/age-path.ts';
import { gramOnGpu } from '../../../src/selfpaced/gpu-gram.ts';
import { type Kernel, kernelMatrix } from '../../../src/selfpaced/kernel.ts';
import { selfPacedRegulariser } from '../../../src/selfpaced/regularisers.ts';
import { supportVectorMachine } from '../../../src/selfpaced/support-vector-machine.ts';
import { useContext } from '../../support/context.ts';
import { platform } from '../../support/platform.ts';

const context = useContext();

/** Features of many sizes far from 0: rows from 1e-3 to 1e3, about an offset of 50; rows 1 and 4 are equal, row 2 is zeros. */
function awkward(samples: number, columns: number): Float64Array {
  const features = new Float64Array(samples * columns);
  new RandomStream(columns, 'features').fillNormal(features);
  const random = new RandomStream(columns, 'sizes');
  for (let i = 0; i < samples; i++) {
    const size = exp(14 * (random.uniform(i) - 0.5));
    for (let k = 0; k < columns; k++) {
      const at = i * columns + k;
      features[at] = i === 2 ? 0 : 50 + size * features[at]!;
      if (i === 4) features[at] = features[columns + k]!;
    }
  }
  return features;
}

const largest = (features: Float64Array, columns: number, i: number) =>
  features
    .subarray(i * columns, (i + 1) * columns)
    .reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe('gramOnGpu', () => {
  it.each([
    [1, 1],
    [7, 3],
    [65, 4],
    [70, 31],
    [33, 129],
    [20, 785],
  ])('%i samples of %i features: products within the stated error of the host', async (samples, columns) => {
    const features = awkward(samples, columns);
    const kernel: Kernel = { kind: 'linear' };
    const gram = await gramOnGpu(context(), { kernel, features, samples });
    const host = kernelMatrix(kernel, features, features, columns);
    for (let i = 0; i < samples; i++) {
      for (let j = 0; j < samples; j++) {
        const scale = columns * largest(features, columns, i) * largest(features, columns, j);
        // 2^-46 as stated, and the host's own sum: `columns` roundings of 2^-53 of at most `scale`.
        const bound = (2 ** -46 + columns * 2 ** -53) * scale;
        expect(Math.abs(gram[i * samples + j]! - host[i * samples + j]!)).toBeLessThanOrEqual(bound);
        expect(gram[i * samples + j]).toBe(gram[j * samples + i]);
      }
      if (samples > 4) expect(gram[samples + i]).toBe(gram[4 * samples + i]); // of equal rows
    }
  });

  it.each([0.001, 0.7])(
    'RBF entries within gamma times the error of the distances, gamma %d',
    async (gamma) => {
      const [samples, columns] = [66, 20];
      const features = awkward(samples, columns);
      const kernel: Kernel = { kind: 'rbf', gamma };
      const gram = await gramOnGpu(context(), { kernel, features, samples });
      const host = kernelMatrix(kernel, features, features, columns);
      const means = Array.from({ length: columns }, (_, k) => {
        let sum = 0;
        for (let i = 0; i < samples; i++) sum += features[i * columns + k]!;
        return sum / samples;
      });
      const centred = features.map((value, k) => value - means[k % columns]!);
      for (let i = 0; i < samples; i++) {
        expect(gram[i * samples + i]).toBe(1);
        for (let j = 0; j < samples; j++) {
          const scale = largest(centred, columns, i) + largest(centred, columns, j);
          // As stated; the host's differences of features near 50 round by 2^-53 of them; and the exponential by a few units.
          const ofHost = 2 * columns * (50 + scale) * scale * 2 ** -52;
          const bound = gamma * (2 ** -46 * columns * scale * scale + ofHost) + 2 ** -50;
          expect(Math.abs(gram[i * samples + j]! - host[i * samples + j]!)).toBeLessThanOrEqual(bound);
          expect(gram[i * samples + j]).toBe(gram[j * samples + i]);
        }
      }
      expect(gram[samples + 4]).toBe(1); // equal rows are at distance 0
    },
  );

  it('is exact where float64 is, for integers far beyond what float32 holds', async () => {
    const [samples, columns] = [40, 9];
    const random = new RandomStream(3, 'integers');
    const features = Float64Array.from(
      { length: samples * columns },
      (_, i) => Math.round(2 ** 24 * (random.uniform(i) - 0.5)) + (i % 5 === 0 ? 2 ** 24 : 0),
    );
    const gram = await gramOnGpu(context(), { kernel: { kind: 'linear' }, features, samples });
    expect(gram).toEqual(kernelMatrix({ kind: 'linear' }, features, features, columns)); // all sums below 2^53
  });

  it('has the same bits in every variant', async () => {
    const [samples, columns] = [66, 37];
    const features = awkward(samples, columns);
    const of = async (on: Context) =>
      await gramOnGpu(on, { kernel: { kind: 'rbf', gamma: 0.01 }, features, samples });
    const expected = await of(context());
    for (const variant of TILED_VARIANTS) {
      const other = await requestContextOn(platform, { variants: { matmul: variant } });
      try {
        expect(await of(other)).toEqual(expected);
      } catch (error) {
        if (!(error instanceof UnsupportedError)) throw error; // no quads here
      } finally {
        other.destroy();
      }
    }
  });

  it('serves a support vector machine as the host does', async () => {
    const [samples, columns] = [40, 6];
    const features = new Float64Array(samples * columns);
    new RandomStream(1, 'features').fillNormal(features);
    const labels = Float64Array.from({ length: samples }, (_, i) =>
      features[i * columns]! + (i % 7 === 0 ? -3 : 0) * features[i * columns]! > 0 ? 1 : -1,
    );
    const kernel: Kernel = { kind: 'rbf', gamma: 0.2 };
    const gram = await gramOnGpu(context(), { kernel, features, samples });
    const pathWith = (given: { gram?: Float64Array }) =>
      agePath(
        supportVectorMachine({ features, labels, kernel, cost: 1, ...given }),
        selfPacedRegulariser('linear'),
        {
          from: 1.2,
          to: 8,
        },
      );
    const [onGpu, onHost] = [pathWith({ gram }), pathWith({})];
    expect(onGpu.events.length).toBe(onHost.events.length);
    expect(onHost.events.length).toBeGreaterThan(3);
    onGpu.events.forEach((event, i) => {
      expect(event.age).toBeCloseTo(onHost.events[i]!.age, 7);
    });
    for (const point of onGpu.points()) expect(point.residual).toBeLessThanOrEqual(1e-10);
  });

  it('tells its progress, stops when aborted, and refuses what does not fit', async () => {
    const features = awkward(10, 3);
    const run = { kernel: { kind: 'linear' }, features, samples: 10 } as const;
    const seen: number[] = [];
    const controller = new AbortController();
    const onProgress = (done: number, total: number) => {
      expect(total).toBeGreaterThan(done - 1);
      seen.push(done);
      if (done === 3) controller.abort();
    };
    await expect(gramOnGpu(context(), { ...run, onProgress, signal: controller.signal })).rejects.toThrow(
      /abort/i,
    );
    expect(seen).toEqual([1, 2, 3]);
    const nan = features.map((value, k) => (k === 7 ? Number.NaN : value));
    await expect(gramOnGpu(context(), { ...run, features: nan })).rejects.toThrow(DataError);
    const kernel: Kernel = { kind: 'rbf', gamma: 0 };
    await expect(gramOnGpu(context(), { ...run, kernel })).rejects.toThrow(OptionError);
    const many = Math.ceil(Math.sqrt(context().device.limits.maxStorageBufferBindingSize / 4)) + 1;
    const tooMany = gramOnGpu(context(), { ...run, features: new Float64Array(many), samples: many });
    await expect(tooMany).rejects.toThrow(UnsupportedError);
  });
});
