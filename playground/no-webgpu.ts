/** What the page says where it cannot compute, and what to do about it. */
import { element } from '../src/report/elements.ts';

/** A notice with what the library said, and the ways out that a reader has. */
export function noWebGpuNotice(error: Error): HTMLElement {
  return element(
    'section',
    { class: 'notice' },
    element('h2', {}, 'This browser gives the page no WebGPU'),
    element('p', {}, 'The networks here are trained on your own machine, through WebGPU. What to do:'),
    element(
      'ul',
      {},
      element(
        'li',
        {},
        'Open the page in Chrome or Edge 113, Safari 26 or Firefox 141 (Windows), 145 (macOS), or newer.',
      ),
      element(
        'li',
        {},
        'In Chrome on Linux turn on chrome://flags/#enable-unsafe-webgpu, or start it with --enable-unsafe-webgpu.',
      ),
      element(
        'li',
        {},
        'Without a GPU, start Chrome with --enable-unsafe-webgpu --use-webgpu-adapter=swiftshader: the processor will do, slowly.',
      ),
      element(
        'li',
        {},
        'Turn hardware acceleration on in the settings, and see chrome://gpu or about:support for why it is off.',
      ),
      element('li', {}, 'Open it by https:// or from localhost: browsers keep WebGPU from other pages.'),
    ),
    element('p', { class: 'note' }, `What the library said: ${error.message}`),
  );
}
