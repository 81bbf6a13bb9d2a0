/** Stands in for `platform.ts` when the GPU tests run in a browser. */
export { browserPlatform as platform } from '../../src/runtime/platform-browser.ts';
