// An application with a device of its own: each frame it moves a disc in its own buffer, the library blurs it (a convolution) into a
// buffer of the library's, and the application draws that buffer to a canvas. One encoder, one submit, nothing copied or read back.
import { conv2d } from 'rebasin/kernels';
import { contextFromDevice, optionalFeatures, requiredLimits } from 'rebasin/runtime';

const SIDE = 64;
const canvas = document.querySelector('canvas');
const adapter = await navigator.gpu?.requestAdapter();

/** Draws the disc at (x, y), in pixels. Undefined where there is no WebGPU. */
export const frame = adapter && (await start());

if (frame) {
  frame(32, 32);
  canvas.addEventListener('pointermove', (event) => frame(event.offsetX, event.offsetY));
} else {
  document.body.append('This page needs a browser with WebGPU: a current Chrome, Edge, Safari or Firefox.');
}

async function start() {
  const device = await adapter.requestDevice({
    requiredLimits: requiredLimits(adapter),
    requiredFeatures: optionalFeatures(adapter),
  });

  // The host's: an image in a buffer, a compute pipeline that draws a disc into it, a render pipeline that shows a buffer.
  const image = device.createBuffer({ size: 4 * SIDE * SIDE, usage: GPUBufferUsage.STORAGE });
  const middle = device.createBuffer({ size: 8, usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST });
  const module = device.createShaderModule({
    code: `
    @group(0) @binding(0) var<uniform> middle: vec2f;
    @group(0) @binding(1) var<storage, read_write> image: array<f32>;
    @compute @workgroup_size(8, 8) fn disc(@builtin(global_invocation_id) id: vec3u) {
      image[id.y * ${SIDE} + id.x] = f32(distance(vec2f(id.xy), middle) < 12.0);
    }
    @group(0) @binding(2) var<storage, read> blurred: array<f32>;
    @vertex fn corner(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {
      return vec4f(f32(i & 1) * 4 - 1, f32(i >> 1) * 4 - 1, 0, 1); // one triangle over all of the canvas
    }
    @fragment fn pixel(@builtin(position) at: vec4f) -> @location(0) vec4f {
      return vec4f(vec3f(blurred[u32(at.y) * ${SIDE} + u32(at.x)]), 1);
    }`,
  });
  const surface = canvas.getContext('webgpu');
  const format = navigator.gpu.getPreferredCanvasFormat();
  surface.configure({ device, format });
  const draw = device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'disc' } });
  const show = device.createRenderPipeline({
    layout: 'auto',
    vertex: { module, entryPoint: 'corner' },
    fragment: { module, entryPoint: 'pixel', targets: [{ format }] },
  });

  // The library's: a context on the host's device, the host's buffer as a tensor, an output, and the convolution recorded once.
  const context = contextFromDevice(device);
  const output = context.tensor([1, 1, SIDE, SIDE]);
  const weight = context.tensorFrom(new Float32Array(49).fill(1 / 49), [1, 1, 7, 7]);
  const input = context.wrap(image, [1, 1, SIDE, SIDE]);
  const blur = context.recording(() =>
    context.record(...conv2d(context, { input, weight, output, padding: [3, 3] })),
  );

  const bind = (pipeline, entries) => {
    const layout = pipeline.getBindGroupLayout(0);
    return device.createBindGroup({
      layout,
      entries: entries.map(([binding, buffer]) => ({ binding, resource: { buffer } })),
    });
  };
  const drawGroup = bind(draw, [
    [0, middle],
    [1, image],
  ]);
  const showGroup = bind(show, [[2, output.buffer]]);

  return (x, y) => {
    device.queue.writeBuffer(middle, 0, Float32Array.of(x, y));
    const encoder = device.createCommandEncoder();
    const compute = encoder.beginComputePass();
    compute.setPipeline(draw);
    compute.setBindGroup(0, drawGroup);
    compute.dispatchWorkgroups(SIDE / 8, SIDE / 8);
    blur.encode(compute); // the library's dispatches, in the host's pass
    compute.end();
    const view = surface.getCurrentTexture().createView();
    const render = encoder.beginRenderPass({
      colorAttachments: [{ view, loadOp: 'clear', storeOp: 'store' }],
    });
    render.setPipeline(show);
    render.setBindGroup(0, showGroup);
    render.draw(3);
    render.end();
    device.queue.submit([encoder.finish()]);
  };
}
