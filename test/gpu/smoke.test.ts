/** The least a platform must do: find an adapter, run WGSL on it, read the result back. */

import { expect, test } from 'vitest';
import { platform } from '../support/platform.ts';

/** WebGPU's numbers: Node has no globals such as `GPUBufferUsage`. */
const mapModeRead = 1;
const bufferUsage = { mapRead: 1, copySource: 4, copyTarget: 8, storage: 128 };

const addition = `
@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> sum: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < arrayLength(&sum)) { sum[id.x] = a[id.x] + b[id.x]; }
}`;

test('an adapter of the platform adds two vectors', async () => {
  const found = await platform.findAdapter({});
  const device = await found.adapter.requestDevice();
  console.info(
    `${platform.name}: ${found.adapter.info.vendor} ${found.adapter.info.architecture}, ${found.source}`,
  );

  const count = 1000;
  const a = Float32Array.from({ length: count }, (_, i) => i / 3);
  const b = Float32Array.from({ length: count }, (_, i) => 1 / (i + 1));
  const usage = bufferUsage.storage | bufferUsage.copySource | bufferUsage.copyTarget;
  const buffers = [a, b, new Float32Array(count)].map((values) => {
    const buffer = device.createBuffer({ size: values.byteLength, usage });
    device.queue.writeBuffer(buffer, 0, values);
    return buffer;
  });
  const staging = device.createBuffer({
    size: a.byteLength,
    usage: bufferUsage.mapRead | bufferUsage.copyTarget,
  });
  const pipeline = device.createComputePipeline({
    layout: 'auto',
    compute: { module: device.createShaderModule({ code: addition }) },
  });
  const bindings = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.map((buffer, binding) => ({ binding, resource: { buffer } })),
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindings);
  pass.dispatchWorkgroups(Math.ceil(count / 64));
  pass.end();
  encoder.copyBufferToBuffer(buffers[2]!, staging);
  device.queue.submit([encoder.finish()]);
  await platform.wait(staging.mapAsync(mapModeRead), found.software);
  const sum = new Float32Array(staging.getMappedRange().slice(0));
  device.destroy();

  expect(sum).toEqual(a.map((value, i) => value + b[i]!));
});
