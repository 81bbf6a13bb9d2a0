/** `rebasin/runtime` in Node. */
export { contextFromDevice, requestContext } from './context-node.ts';
export * from './entry-runtime.ts';
