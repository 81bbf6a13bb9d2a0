/** `rebasin` in Node: the library, GPU adapters through Dawn (the package `webgpu`), files through the file system. */
export { contextFromDevice, requestContext } from './context-node.ts';
export * from './index.ts';
export { loadImageFolder, readBytes, writeBytes } from './io/node-files.ts';
