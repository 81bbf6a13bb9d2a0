/** What software adapters' kernels begin with: a branch that makes lengths of arrays known, on the line where they begin. */
import { describe, expect, it } from 'vitest';
import { withKnownLengths } from '../../src/runtime/known-lengths.ts';
import { representativeDispatches } from './kernels/representative-dispatches.ts';

describe('withKnownLengths', () => {
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
    expect(withKnownLengths(wgsl).split('\n')).toEqual(
      wgsl
        .split('\n')
        .map((line) =>
          line === ') {' ? ') { if ((arrayLength(&a) | arrayLength(&b)) == 0u) { return; }' : line,
        ),
    );
  });

  it('leaves texts without such arrays alone', () => {
    const wgsl =
      '@group(0) @binding(1) var<storage, read_write> a: array<f32, 4>;\nfn main() { a[0] = 1.0; }';
    expect(withKnownLengths(wgsl)).toBe(wgsl);
  });

  it('finds main and the arrays of every kernel of the library', () => {
    const texts = new Set(representativeDispatches().map(({ kernel }) => kernel.wgsl));
    expect(texts.size).toBeGreaterThan(50);
    for (const wgsl of texts) {
      const arrays = wgsl.match(/var<storage/g)!.length;
      const changed = withKnownLengths(wgsl);
      expect(changed.match(/arrayLength\(&\w+\)(?: \||\) == 0u)/g)).toHaveLength(arrays);
      expect(changed.split('\n')).toHaveLength(wgsl.split('\n').length);
    }
  });
});
