/** Every operation's kernels, forward and in gradients, against the float64 reference. */
import { describe, expect, it } from 'vitest';
import { gradients } from '../../../src/nn/gradient.ts';
import type { Node } from '../../../src/nn/graph.ts';
import { leavesOf } from '../../../src/nn/graph.ts';
import * as ops from '../../../src/nn/ops/index.ts';
import { compile } from '../../../src/nn/program.ts';
import { Arena, ArenaLayout } from '../../../src/runtime/arena.ts';
import type { Context } from '../../../src/runtime/context.ts';
import { evaluateReference } from '../../reference/graph.ts';
import { useContext } from '../../support/context.ts';
import { operationCases } from '../../support/operation-cases.ts';

const context = useContext();

/** Runs nodes on the GPU with the given leaf values. */
async function evaluateOnGpu(
  context: Context,
  outputs: Record<string, Node>,
  leaves: ReadonlyMap<string, Float64Array>,
  batchSize: number,
): Promise<Record<string, Float32Array>> {
  const nodes = Object.values(outputs);
  const parameters = leavesOf(nodes, 'parameter').map((node) => ({
    name: node.attributes.name as string,
    shape: node.shape as number[],
  }));
  const arena = new Arena(context, new ArenaLayout(parameters));
  arena.write(new Map(parameters.map(({ name }) => [name, Float32Array.from(leaves.get(name)!)])));
  const program = compile(context, { outputs, arenas: [arena], batchSize });
  for (const node of leavesOf(nodes, 'input')) {
    const values = leaves.get(node.attributes.name)!;
    context.write(
      program.input(node.attributes.name),
      node.dtype === 'u32' ? Uint32Array.from(values) : Float32Array.from(values),
    );
  }
  program.run();
  const results: Record<string, Float32Array> = {};
  for (const name of Object.keys(outputs)) results[name] = await context.read(program.output(name));
  program.destroy();
  arena.destroy();
  return results;
}

/**
 * Values are of order 1 to 100 and sums have at most 7 terms; WGSL allows exp and log 3 + 2|x| ulp and 3 ulp, division 2.5 ulp, and our
 * erf 3e-7 absolute: 2e-6 of the largest value covers a few of these in a row.
 */
function expectClose(actual: Float32Array, expected: Float64Array): void {
  expect(actual.length).toBe(expected.length);
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 1);
  for (const [i, value] of expected.entries()) {
    expect(Math.abs(actual[i]! - value), `element ${i}: ${actual[i]} for ${value}`).toBeLessThan(
      2e-6 * largest,
    );
  }
}

describe('operations on the GPU', () => {
  for (const { name, output, leaves, parameters, batchSize } of operationCases()) {
    it(`${name} equals the float64 reference`, async () => {
      const { value } = await evaluateOnGpu(context(), { value: output }, leaves, batchSize);
      expectClose(value!, evaluateReference([output], leaves, batchSize)[0]!);
    });

    if (parameters.length === 0 || name === 'correct') continue;
    it(`${name} has gradients that equal the float64 reference`, async () => {
      const seed = ops.multiply(output, output);
      const nodes = gradients(output, parameters, seed);
      const outputs = Object.fromEntries(nodes.map((node, i) => [parameters[i]!.attributes.name, node]));
      const values = await evaluateOnGpu(context(), outputs, leaves, batchSize);
      const expected = evaluateReference(nodes, leaves, batchSize);
      for (const [i, parameter] of parameters.entries())
        expectClose(values[parameter.attributes.name]!, expected[i]!);
    });
  }
});
