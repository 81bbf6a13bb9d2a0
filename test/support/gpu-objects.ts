/** Counts what is made on a device. */

/** The methods of a device that make objects that stay. Encoders and command buffers are not among them: a submit is made of them. */
export const MAKERS = [
  ...(['createBuffer', 'createTexture', 'createSampler', 'createQuerySet'] as const),
  ...(['createBindGroup', 'createBindGroupLayout', 'createPipelineLayout'] as const),
  ...(['createShaderModule', 'createComputePipeline', 'createComputePipelineAsync'] as const),
] as const;

/** @returns how many GPU objects were made on `device` since this call, each time it is called. */
export function countObjects(device: GPUDevice): () => number {
  let made = 0;
  for (const name of MAKERS) {
    const make = device[name].bind(device) as (...given: unknown[]) => unknown;
    Object.defineProperty(device, name, {
      configurable: true,
      value: (...given: unknown[]) => {
        made++;
        return make(...given);
      },
    });
  }
  return () => made;
}
