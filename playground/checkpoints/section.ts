/** Section "Your checkpoints": two files of the reader's own, and the same analyses of them. */
import { element, section } from '../../src/report/elements.ts';
import type { PageSection, Shell } from '../section.ts';

export function checkpointsSection(_shell: Shell): PageSection {
  const root = element('div', {}, section('Your checkpoints'));
  return { root, show() {} };
}
