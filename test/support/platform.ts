/** The platform under test. In the browser project, vitest.config.ts puts `platform-browser.ts` in this file's place. */
export { nodePlatform as platform } from '../../src/runtime/platform-node.ts';
