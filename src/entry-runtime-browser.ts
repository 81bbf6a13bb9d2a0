/** `rebasin/runtime` in a browser. */
export { contextFromDevice, requestContext } from './context-browser.ts';
export * from './entry-runtime.ts';
