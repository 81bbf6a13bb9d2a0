import { describe, expect, test } from 'vitest';
import { DataError } from '../../../src/base/errors.ts';
import { hashBytes } from '../../../src/base/hash.ts';
import { jobId } from '../../../src/studies/job-spec.ts';
import { checkpointName, readRecord, writeRecord } from '../../../src/studies/result-store.ts';
import { memoryStore, pair, train } from './synthetic-jobs.ts';

const result = {
  found: { loss: [0.1, 2], deep: { share: 1 / 3, name: 'x', nothing: null } },
  adapter: 'test',
  seconds: 2,
};

describe('a record', () => {
  test('is read as it was written, by the job that it is of', async () => {
    const store = memoryStore();
    const written = await writeRecord(store, pair(), result);
    expect(written).toMatchObject({ id: jobId(pair()), spec: pair(), ...result });
    expect([...store.files.keys()]).toEqual([`${jobId(pair())}.json`]);
    expect(await readRecord(store, pair())).toEqual(written);
    expect(await readRecord(store, train())).toBeUndefined();
  });

  test('has a hash of what was found, and not of times or adapters', async () => {
    const [first, second, other] = await Promise.all([
      writeRecord(memoryStore(), pair(), result),
      writeRecord(memoryStore(), pair(), { ...result, adapter: 'another', seconds: 9 }),
      writeRecord(memoryStore(), pair(), {
        ...result,
        found: { ...result.found, loss: [0.1, 2.0000000000000004] },
      }),
    ]);
    expect(second.hash).toBe(first.hash);
    expect(other.hash).not.toBe(first.hash);
  });

  test('that is not whole, is another’s, or was changed, is as none', async () => {
    const store = memoryStore();
    await writeRecord(store, pair(), result);
    const name = `${jobId(pair())}.json`;
    const text = new TextDecoder().decode(store.files.get(name));
    const broken = [
      ...[0, 1, 20, text.length - 3].map((length) => text.slice(0, length)),
      'null',
      '{}',
      text.replace('0.1', '0.2'),
      text.replace(jobId(pair()), jobId(train())),
      text.replace('"found":', '"lost":'),
    ];
    for (const bytes of broken) {
      store.files.set(name, new TextEncoder().encode(bytes));
      expect(await readRecord(store, pair()), bytes).toBeUndefined();
    }
    store.files.set(name, new TextEncoder().encode(text));
    expect(await readRecord(store, pair())).toBeDefined();
  });

  test('holds what JSON will give back: 0 for -0', async () => {
    const store = memoryStore();
    const written = await writeRecord(store, pair(), { ...result, found: { gap: -0 } });
    expect(await readRecord(store, pair())).toEqual(written);
  });

  test('of a network is none without that very network', async () => {
    const store = memoryStore();
    const bytes = Uint8Array.of(1, 2, 3);
    await writeRecord(store, train(), { ...result, found: { checkpoint: hashBytes(bytes) } });
    expect(await readRecord(store, train())).toBeUndefined();
    await store.write(checkpointName(train()), bytes.slice(0, 2)); // cut off, or another adapter's
    expect(await readRecord(store, train())).toBeUndefined();
    await store.write(checkpointName(train()), bytes);
    expect(await readRecord(store, train())).toBeDefined();
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'does not hold %d: nothing is kept, and the error says where it was',
    async (value) => {
      const store = memoryStore();
      const found = { curves: [{ loss: [0, value] }] };
      await expect(writeRecord(store, pair(), { ...result, found })).rejects.toThrow(DataError);
      await expect(writeRecord(store, pair(), { ...result, found })).rejects.toThrow(/curves\.0\.loss\.1/);
      expect(store.files.size).toBe(0);
    },
  );
});
