/**
 * `rebasin` in Node: the library, GPU adapters through Dawn (the package `webgpu`), files through the file system.
 * @module rebasin
 */
export { contextFromDevice, requestContext } from './context-node.ts';
export * from './index.ts';
export {
  type ImageFolder,
  type ImageFolderOptions,
  loadImageFolder,
  readBytes,
  writeBytes,
} from './io/node-files.ts';
