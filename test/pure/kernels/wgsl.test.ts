/** Every kernel text compiles under Tint without a word, and says of its bindings and parameters what the host file says. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { create } from 'webgpu';
import {
  bindingNames,
  type Dispatch,
  elementCount,
  type Kernel,
  packParams,
} from '../../../src/runtime/kernel.ts';
import { bindingLayout } from '../../../src/runtime/pipeline-cache.ts';
import { detectRaces, ResourceType, WgslReflect } from '../../support/wgsl-reflect.ts';
import { representativeDispatches } from './representative-dispatches.ts';

/** Files of WGSL functions, which are parts of other kernels' texts. */
const LIBRARIES = [
  'src/kernels/conv/correlate.wgsl',
  'src/kernels/conv/weight_gradient.wgsl',
  'src/kernels/cross-moments/cross_moments.wgsl',
  'src/kernels/elementwise/functions.wgsl',
  'src/kernels/random/random.wgsl',
  'src/kernels/svd/diagonalise.wgsl',
  'src/kernels/svd/orthogonalise_rows.wgsl',
];

const dispatches = new Map(representativeDispatches().map((dispatch) => [dispatch.kernel.name, dispatch]));

/** Dawn's GPU object must live as long as the device does. */
const gpu = create(['backend=null']);
let device: GPUDevice;

beforeAll(async () => {
  device = await (await gpu.requestAdapter())!.requestDevice({ requiredFeatures: ['subgroups'] });
});
afterAll(() => device.destroy());

/** What Tint says about a text, warnings included, and whether a pipeline can be made of it. */
async function complaints(kernel: Kernel): Promise<string[]> {
  device.pushErrorScope('validation');
  const module = device.createShaderModule({ code: kernel.wgsl });
  const entries = kernel.bindings.map((access, index) => ({
    binding: index + 1,
    visibility: 4,
    ...bindingLayout(access),
  }));
  const uniform = { binding: 0, visibility: 4, buffer: { type: 'uniform', hasDynamicOffset: true } as const };
  device.createComputePipeline({
    layout: device.createPipelineLayout({
      bindGroupLayouts: [device.createBindGroupLayout({ entries: [uniform, ...entries] })],
    }),
    compute: { module, entryPoint: 'main', constants: { ...kernel.constants } },
  });
  const { messages } = await module.getCompilationInfo();
  const error = await device.popErrorScope();
  const texts = messages.map((m) => `${kernel.file}:${m.lineNum}:${m.linePos}: ${m.message}`);
  return error && texts.length === 0 ? [error.message] : texts;
}

/** Where a text and what the host file declares differ. */
function disagreements({ kernel, params }: Pick<Dispatch, 'kernel' | 'params'>): string[] {
  const found: string[] = [];
  const { uniforms, storage, textures, samplers, entry } = new WgslReflect(kernel.wgsl);
  const declared = kernel.bindings.map((binding, index) => `0/${index + 1} ${bindingNames([binding])}`);
  const inText = [...storage, ...textures, ...samplers]
    .sort((a, b) => a.binding - b.binding)
    .map(({ group, binding, access, resourceType }) => {
      const texture: Partial<Record<number, string>> = {
        [ResourceType.Texture]: 'texture',
        [ResourceType.Sampler]: 'sampler',
        [ResourceType.StorageTexture]: access === 'write' ? 'written texture' : access,
      };
      return `${group}/${binding} ${texture[resourceType] ?? access}`;
    });
  if (inText.join() !== declared.join()) found.push(`bindings: text ${inText}, host ${declared}`);

  const [uniform] = uniforms;
  const bytes = Math.ceil((uniform?.size ?? 0) / 16) * 16;
  if (uniform?.type.name !== 'Params' || uniform.binding !== 0 || bytes !== params.byteLength) {
    found.push(`Params at binding 0: text ${bytes} bytes, host ${params.byteLength}`);
  }
  if (entry.compute.length !== 1 || entry.compute[0]?.name !== 'main')
    found.push('needs one entry point main');
  return found;
}

describe('kernel texts', () => {
  it('are all represented: each .wgsl file is some kernel, or a library of functions', () => {
    const files = readdirSync('src/kernels', { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.wgsl'))
      .map((path) => `src/kernels/${path}`);
    const used = new Set([...LIBRARIES, ...[...dispatches.values()].map(({ kernel }) => kernel.file)]);
    expect([...used].sort()).toEqual(files.sort());
  });

  it.each([...dispatches.keys()])('%s compiles without a message', async (name) => {
    expect(await complaints(dispatches.get(name)!.kernel)).toEqual([]);
  });

  it.each([...dispatches.keys()])(
    '%s has the bindings and parameters that its host file declares',
    (name) => {
      expect(disagreements(dispatches.get(name)!)).toEqual([]);
    },
  );

  it.each([...dispatches.keys()])(
    '%s fits every device: at most 8 storage buffers, 256 invocations',
    (name) => {
      const { kernel, workgroups } = dispatches.get(name)!;
      const size = new WgslReflect(kernel.wgsl).entry.compute[0]!.workgroupSize!;
      expect(kernel.bindings.length).toBeLessThanOrEqual(8);
      expect(size[0] * size[1] * size[2]).toBeLessThanOrEqual(256);
      expect(Math.max(...workgroups)).toBeLessThanOrEqual(65535);
    },
  );
});

/** Unordered accesses to one place while a text runs on the first workgroup of a dispatch, on zeros. */
function races(wgsl: string, { views, params }: Dispatch): string[] {
  const storage = views
    .filter((view) => 'shape' in view) // kernels with workgroup memory use no textures
    .map((view) => new Float32Array(4 * Math.ceil(elementCount(view.shape) / 4)));
  const bindings = [{ uniform: params.slice().buffer }, ...storage];
  // wgsl_reflect 1.6.0 runs past a barrier that opens a loop's second round: give it a statement to stop at before.
  const text = wgsl.replace(/workgroupBarrier\(\);/g, (barrier, at) => `let stop_${at} = 0u; ${barrier}`);
  const { races, errors } = detectRaces(text, 'main', [1, 1, 1], { 0: { ...bindings } });
  return [...errors, ...races.map((race) => race.message)];
}

describe('kernels with workgroup memory', () => {
  const withMemory = [...dispatches.values()]
    .filter(({ kernel }) => kernel.wgsl.includes('var<workgroup>'))
    // The first of each file: others differ in the size of a tile, and are slow to interpret.
    .filter(({ kernel }, i, all) => all.findIndex((other) => other.kernel.file === kernel.file) === i);

  it.each(withMemory)(
    '$kernel.name has no races, and each of its barriers is needed',
    { timeout: 60_000 }, // interpreted, again and again
    (dispatch) => {
      const { wgsl } = dispatch.kernel;
      expect(races(wgsl, dispatch)).toEqual([]);
      const barriers = [...wgsl.matchAll(/workgroupBarrier\(\);/g)];
      expect(barriers.length).toBeGreaterThan(0);
      for (const { index, 0: text } of barriers) {
        const without = wgsl.slice(0, index) + wgsl.slice(index + text.length);
        expect(races(without, dispatch)).not.toEqual([]);
      }
    },
  );
});

describe('control: these checks fail when they should', () => {
  const { kernel, params } = dispatches.get('sum')!;

  it('a misspelt name is reported at its line', async () => {
    const broken = { ...kernel, wgsl: kernel.wgsl.replace('params.chunk', 'params.chunks') };
    expect((await complaints(broken)).join()).toMatch(/sum\.wgsl:\d+:\d+: .*chunks/);
  });

  it('a binding declared with another access is found by Tint and by reflection', async () => {
    const broken: Kernel = { ...kernel, bindings: ['read', 'read'] };
    expect(await complaints(broken)).not.toEqual([]);
    expect(disagreements({ kernel: broken, params })).not.toEqual([]);
  });

  it('parameters of another size are found', () => {
    expect(disagreements({ kernel, params: packParams('uuuu', 1, 2, 3, 4) })).not.toEqual([]);
  });
});
