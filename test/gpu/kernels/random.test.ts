/** Random numbers of the GPU against the host's stream: bit for bit. */
import { describe, expect, it } from 'vitest';
import { RandomStream } from '../../../src/base/random.ts';
import { fillBits, fillUniform } from '../../../src/kernels/random/fill.ts';
import { useContext } from '../../support/context.ts';
import { useMemory } from '../../support/memory.ts';

const context = useContext();
const memory = useMemory(context);
const stream = new RandomStream(2026, 'a test of the twin');

describe('fillBits and fillUniform', () => {
  it.each([
    ...[0, 1, 3, 4, 5, 255, 256, 257, 7919].flatMap((count) => [[count, 0] as const, [count, 1] as const]),
    [9, 2],
    [9, 2 ** 32 - 3],
    [9, 2 ** 33 - 4], // the low word of the counter overflows inside
    [10, 2 ** 33 - 5],
    [5, 2 ** 53 - 7],
  ] as const)("%i elements from position %i equal the host's", async (count, start) => {
    const [bits, uniforms] = [memory.output([count], 'u32'), memory.output([count])];
    context().record(
      ...fillBits(context(), { stream, start, output: bits }),
      ...fillUniform(context(), { stream, start, output: uniforms }),
    );
    const positions = Array.from({ length: count }, (_, i) => start + i);
    const words = Uint32Array.from(positions, (position) => stream.uint32(position));
    expect(await memory.readBits(bits)).toEqual(words);
    expect(await memory.read(uniforms)).toEqual(
      Float32Array.from(positions, (position) => stream.uniform(position)),
    );

    // Control: another stream has other words.
    const other = stream.derive('control');
    if (count > 0) expect(words.some((word, i) => word === other.uint32(start + i))).toBe(false);
  });

  it('gives the published words of Threefry-2x32-20', async () => {
    const output = memory.output([2], 'u32');
    context().record(...fillBits(context(), { stream: { key0: 0, key1: 0 }, output }));
    expect([...(await memory.readBits(output))]).toEqual([0x6b200159, 0x99ba4efe]);
  });

  it('wraps grids of more than 65,535 workgroups', async () => {
    const count = 65536 * 256 + 3;
    const output = context().tensor([count], 'u32');
    context().record(...fillBits(context(), { stream, output }));
    const words = await context().read({ ...output, dtype: 'u32' });
    for (const at of [0, 32769 * 256, 65535 * 256 + 1, count - 1]) expect(words[at]).toBe(stream.uint32(at));
    output.destroy();
  });

  it('refuse an output of another type, and a start that is no position', () => {
    expect(() => fillBits(context(), { stream, output: memory.output([5]) })).toThrow(/output must hold u32/);
    const output = memory.output([5]);
    expect(() => fillUniform(context(), { stream, start: -1, output })).toThrow(/start must be an integer/);
    expect(() => fillUniform(context(), { stream, start: 2 ** 53 - 1, output })).toThrow(/last position/);
  });
});
