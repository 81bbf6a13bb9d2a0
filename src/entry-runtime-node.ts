/**
 * `rebasin/runtime` in Node.
 * @module rebasin/runtime
 */
export { contextFromDevice, requestContext } from './context-node.ts';
export * from './entry-runtime.ts';
