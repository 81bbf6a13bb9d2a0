/** Part 4 of the story: what to take away. The hash and whether it is that of the link, the same as a command, files. */
import { element, section } from '../../src/report/elements.ts';
import { renderReport } from '../../src/report/render-report.ts';
import type { DemoResult } from '../../src/report/results.ts';
import { verdictMark } from '../../src/report/verdict-mark.ts';
import { copyButton } from '../export/copy-button.ts';
import { download, downloadJson } from '../export/download.ts';
import { downloadReport } from '../export/report-page.ts';
import { saveButton } from '../export/save-button.ts';
import { button } from '../form.ts';
import type { LineName } from './line-name.ts';
import type { OwnFile } from './own-files.ts';
import { commandOf, type StorySettings } from './settings.ts';

/** What a link says came out, where it was made. */
export interface Expected {
  readonly hash: string;
  readonly adapter: string;
}

export interface ResultPart {
  readonly root: HTMLElement;
  clear(): void;
  /** @param files of the reader's own, where there are any. */
  show(
    result: DemoResult,
    settings: StorySettings,
    files: readonly OwnFile[],
    expected: Expected | undefined,
  ): void;
}

/**
 * @param checkpoint gives the network at lambda of a line as a file's bytes.
 * @param lambda where the slider is.
 */
export function resultPart(
  checkpoint: (line: LineName, lambda: number) => Promise<Uint8Array>,
  lambda: () => number,
): ResultPart {
  const body = element('div');
  const root = section('This result', body);
  const save = (text: string, line: LineName, at: () => number, name: string) =>
    saveButton(text, async () => {
      const bytes = await checkpoint(line, at());
      download(name, bytes as Uint8Array<ArrayBuffer>, 'application/octet-stream');
    });

  return {
    root,
    clear() {
      root.hidden = true;
      body.replaceChildren();
    },
    show(result, settings, files, expected) {
      const report = element('div');
      const whole = element('details', {}, element('summary', {}, 'The whole report'), report);
      whole.addEventListener('toggle', () => {
        if (whole.open && report.childElementCount === 0) renderReport(report, result);
      });
      body.replaceChildren(
        element(
          'p',
          { class: 'hash' },
          'Hash of settings and numbers: ',
          element('code', { id: 'hash' }, result.hash),
        ),
        comparison(result, expected),
        element(
          'div',
          { class: 'buttons' },
          copyButton('Copy a link to this result', () => location.href),
          button('result.json', () => downloadJson('result.json', result)),
          saveButton('Report page', () => downloadReport('index.html', result)),
        ),
        element(
          'div',
          { class: 'buttons' },
          element('span', {}, 'The networks, as safetensors:'),
          save('A', 'naive', () => 0, 'model-a.safetensors'),
          save('B', 'naive', () => 1, 'model-b.safetensors'),
          save('B, aligned', 'aligned', () => 1, 'model-aligned.safetensors'),
          save('Merged at λ', 'aligned', lambda, 'model-merged.safetensors'),
        ),
        ...commandFor(settings, files),
        whole,
      );
      root.hidden = false;
    },
  };
}

/** The same as a command, or why there is none. */
function commandFor(settings: StorySettings, files: readonly OwnFile[]): HTMLElement[] {
  const command = commandOf(settings, files);
  const head = (words: string) => element('p', { class: 'command-head' }, words);
  if (command === undefined) return [head('There is no such command: the command line reads no pictures.')];
  const folder = 'FOLDER is where the image files lie; there the command looks for training and test images.';
  return [
    head('The same on the command line, with the same hash on the same adapter:'),
    element(
      'div',
      { class: 'command' },
      element('code', { tabindex: '0' }, ...inWholeOptions(command)),
      copyButton('Copy', () => command),
    ),
    ...(settings.data === 'files' ? [element('p', { class: 'note' }, folder)] : []),
  ];
}

/** A command that breaks between its options, not within them. */
function inWholeOptions(command: string): (HTMLElement | string)[] {
  const [head = '', ...options] = command.split(' --');
  return [head, ...options.flatMap((option) => [' ', element('span', {}, `--${option}`)])];
}

/** Whether the result is that of the link, and if not what there was. */
function comparison({ hash, adapter }: DemoResult, expected: Expected | undefined): HTMLElement {
  if (expected === undefined) {
    return element(
      'p',
      { class: 'note' },
      'A link replays this run and says whether the hash comes out the same.',
    );
  }
  if (expected.hash === hash) {
    return element('p', { id: 'same' }, verdictMark('held', 'The same as in the link'), ', bit for bit.');
  }
  const elsewhere =
    expected.adapter !== '' && expected.adapter !== adapter
      ? ` The link was made on ${expected.adapter}, this is ${adapter}: adapters round differently.`
      : ' The link was made on such an adapter, perhaps with another version.';
  return element(
    'p',
    { id: 'same' },
    verdictMark('not held', 'Different from the link'),
    ', which had ',
    element('code', {}, expected.hash || 'no hash'),
    `.${elsewhere}`,
  );
}
