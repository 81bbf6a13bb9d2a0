/** What software adapters' kernels begin with: a branch that makes lengths of arrays known, on the line where they begin. */
import { describe, expect, it } from 'vitest';
import { stripWgsl } from '../../scripts/wgsl.mjs';
import type { Kernel } from '../../src/runtime/kernel.ts';
import { withKnownLengths } from '../../src/runtime/known-lengths.ts';
import { representativeDispatches } from './kernels/representative-dispatches.ts';

const kernelOf = (wgsl: string, count: number): Kernel => ({
  ...{ name: 'test', file: 'test', wgsl },
  bindings: Array.from({ length: count }, () => 'read' as const),
});

describe('withKnownLengths', () => {
  it('reads no comments, and nothing that is not bound', () => {
    const wgsl = `// fn main(x) walks
/* @group(0) @binding(1) var<storage, read> old: array<f32>; { */
struct Params { count: u32 }
@group(0) @binding(1) var<storage, read> a: array<f32>; // @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(2)
var<storage> c : array<f32>;
@group(0) @binding(3) var<storage, read_write> unbound: array<f32>;
fn main_part() {}
@compute @workgroup_size(1) fn main() { let x = a[0]; }`;
    const changed = 'fn main() {if((arrayLength(&a)|arrayLength(&c))==0u){return;} let x';
    expect(withKnownLengths(kernelOf(wgsl, 2))).toBe(wgsl.replace('fn main() { let x', changed));
  });

  it('asks for each runtime-sized array once, on the line of the brace', () => {
    const wgsl = `@group(0) @binding(1) var<storage, read> a: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> b: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> fixed: array<f32, 16>;
@compute @workgroup_size(64)
fn main(
  @builtin(global_invocation_id) id: vec3u,
) {
  for (var i = 0u; i < 4u; i++) { b[i] = vec2u(u32(a[id.x].x)); }
}`;
    expect(withKnownLengths(kernelOf(wgsl, 3)).split('\n')).toEqual(
      wgsl
        .split('\n')
        .map((line) => (line === ') {' ? ') {if((arrayLength(&a)|arrayLength(&b))==0u){return;}' : line)),
    );
  });

  it('leaves texts without such arrays alone', () => {
    const wgsl =
      '@group(0) @binding(1) var<storage, read_write> a: array<f32, 4>;\nfn main() { a[0] = 1.0; }';
    expect(withKnownLengths(kernelOf(wgsl, 1))).toBe(wgsl);
  });

  it('finds main and the arrays of every kernel of the library', () => {
    const kernels = new Map(representativeDispatches().map(({ kernel }) => [kernel.name, kernel]));
    expect(kernels.size).toBeGreaterThan(50);
    for (const { wgsl, ...kernel } of [...kernels.values()].flatMap((one) => [
      one,
      { ...one, wgsl: stripWgsl(one.wgsl) },
    ])) {
      const arrays = wgsl.match(/var<storage/g)!.length;
      const changed = withKnownLengths({ ...kernel, wgsl });
      expect(changed.match(/arrayLength\(&\w+\)(?:\||\)==0u)/g)).toHaveLength(arrays);
      expect(changed.split('\n')).toHaveLength(wgsl.split('\n').length);
    }
  });
});
