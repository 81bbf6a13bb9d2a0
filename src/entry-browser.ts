/** `rebasin` in a browser: the library, GPU adapters through `navigator.gpu`. */
export { contextFromDevice, requestContext } from './context-browser.ts';
export * from './index.ts';
