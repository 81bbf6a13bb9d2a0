/** Tells adapters that compute on the CPU from GPUs: other kernels are fast there, and waiting differs. */

/** True for SwiftShader, Mesa's llvmpipe (lavapipe), Microsoft Basic Render and what else calls itself a fallback. */
export function isSoftwareAdapter(info: GPUAdapterInfo): boolean {
  const names = `${info.vendor} ${info.architecture} ${info.device} ${info.description}`;
  return info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|basic render/i.test(names);
}
