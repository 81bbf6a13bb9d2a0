/** Part 1 of the section: the two files, what they are, and what the network is taken for. */
import { element, section } from '../../src/report/elements.ts';
import { formatCount } from '../../src/report/format.ts';
import { button, field, textInput } from '../form.ts';
import type { OwnFile } from '../story/own-files.ts';
import type { ChosenFile } from './chosen-file.ts';
import { type FileDrop, fileDrop, takeDrops } from './file-drop.ts';
import type { CheckpointFacts, PairFacts } from './networks.ts';
import type { OpenedCheckpoints } from './open-task.ts';
import type { NamedFile } from './settings.ts';
import { pageWords, sizeWords } from './words.ts';

export type Letter = 'a' | 'b';

export interface NetworksView {
  readonly a?: ChosenFile | undefined;
  readonly b?: ChosenFile | undefined;
  /** Absent while files are being read. */
  readonly opened?: OpenedCheckpoints | undefined;
  readonly model: string;
  /** Files that the link names. */
  readonly wanted: { readonly a?: NamedFile | undefined; readonly b?: NamedFile | undefined };
}

export interface NetworksPart {
  readonly root: HTMLElement;
  show(view: NetworksView): void;
}

export interface NetworksEvents {
  /** Files for A and B, in the order in which they stand; one file: for `letter`, or for the first that has none. */
  readonly files: (files: readonly OwnFile[], letter?: Letter) => void;
  readonly swap: () => void;
  readonly remove: (letter: Letter) => void;
  readonly model: (text: string) => void;
}

const ENDINGS = ['.safetensors', '.pt', '.pth', '.npz'];

const ACCEPT = ENDINGS.join(',');

/** Of several files those that are checkpoints by their names: a folder holds others too. Where none is, what is wrong is said of them. */
function checkpointsOf(files: readonly OwnFile[]): readonly OwnFile[] {
  const fitting = files.filter(({ path }) => ENDINGS.some((ending) => path.toLowerCase().endsWith(ending)));
  return fitting.length > 0 ? fitting : files;
}

export function networksPart(events: NetworksEvents): NetworksPart {
  const take = (files: readonly OwnFile[], letter?: Letter) => events.files(checkpointsOf(files), letter);
  const slots: Readonly<Record<Letter, FileDrop>> = {
    a: fileDrop({ label: 'Choose file A', accept: ACCEPT, taken: (files) => take(files, 'a') }),
    b: fileDrop({ label: 'Choose file B', accept: ACCEPT, taken: (files) => take(files, 'b') }),
  };
  const swap = button('Swap A and B', events.swap, { class: 'swap' });
  const pair = element('div', { class: 'slots' }, slots.a.root, slots.b.root);
  const found = element('div', { class: 'found', 'aria-live': 'polite' });
  const names = element(
    'datalist',
    { id: 'architectures' },
    ...['mlp:relu', 'mlp:tanh', 'mlp:gelu', 'mlp:softplus', 'resnet20', 'vgg16'].map((value) =>
      element('option', { value }),
    ),
  );
  const model = textInput('', events.model);
  model.setAttribute('list', 'architectures');
  model.placeholder = 'recognised from the files';
  const architecture = element('div', { class: 'architecture' }, field('Architecture', model), swap, names);
  const root = section('The networks', pair, found, architecture);
  takeDrops(pair, take);

  return {
    root,
    show({ a, b, opened, model: name, wanted }) {
      showSlot(slots.a.body, 'a', a, opened?.a, wanted.a);
      showSlot(slots.b.body, 'b', b, opened?.b, wanted.b);
      if (document.activeElement !== model) model.value = name;
      architecture.hidden = !(opened?.a && opened.b);
      swap.hidden = !(a && b);
      found.replaceChildren(...foundParts(a, b, opened));
    },
  };

  function showSlot(
    body: HTMLElement,
    letter: Letter,
    chosen: ChosenFile | undefined,
    facts: OpenedCheckpoints['a'],
    link: NamedFile | undefined,
  ): void {
    const title = element('strong', {}, letter.toUpperCase());
    if (!chosen) {
      const what = link
        ? [
            `this link was made with ${link.name}`,
            element('code', { title: link.sha256 }, shortHash(link.sha256)),
          ]
        : ['a checkpoint: safetensors, .pt, .pth or .npz'];
      body.replaceChildren(
        title,
        ' ',
        element('span', { class: 'muted' }, ...what.flatMap((part) => [part, ' '])),
      );
      return;
    }
    const remove = button('×', () => events.remove(letter), {
      class: 'remove',
      'aria-label': `Remove ${chosen.path}`,
    });
    const head = element('p', {}, title, ' ', element('span', { class: 'name' }, chosen.path), remove);
    body.replaceChildren(head, ...factParts(chosen.file, facts, link));
  }
}

function factParts(file: File, facts: OpenedCheckpoints['a'], link: NamedFile | undefined): HTMLElement[] {
  if (!facts) return [element('p', { class: 'muted' }, `${sizeWords(file.size)}, reading …`)];
  if ('error' in facts) return [failure(facts.error)];
  const { bytes, tensors, parameters, sha256, notes } = facts;
  return [
    element(
      'p',
      { class: 'muted' },
      `${sizeWords(bytes)} · ${formatCount(tensors)} tensors · ${formatCount(parameters)} numbers · `,
      element('span', { class: 'sha' }, 'SHA-256 ', element('code', { title: sha256 }, shortHash(sha256))),
    ),
    ...notes.map((note) => element('p', { class: 'muted' }, note)),
    ...linkComparison(facts, link),
  ];
}

/** Whether it is the file that the link was made with. */
function linkComparison({ sha256 }: CheckpointFacts, link: NamedFile | undefined): HTMLElement[] {
  if (!link) return [];
  const text =
    link.sha256 === sha256
      ? 'The file of the link.'
      : `Another file than the link’s ${link.name}: results will differ.`;
  return [element('p', { class: link.sha256 === sha256 ? 'same' : 'other' }, text)];
}

function foundParts(
  a: ChosenFile | undefined,
  b: ChosenFile | undefined,
  opened: OpenedCheckpoints | undefined,
): HTMLElement[] {
  if (!a && !b) return [];
  if (!a || !b) {
    return [
      element('p', {}, 'One more: the analyses are of two networks of one architecture, trained apart.'),
    ];
  }
  if (!opened?.pair) return [];
  if ('error' in opened.pair) {
    return [failure(opened.pair.error), element('p', { class: 'note' }, advice(opened.pair.error))];
  }
  return [describePair(opened.pair)];
}

/** What to do about two files that make no pair. */
function advice(error: string): string {
  return error.includes('not the same architecture')
    ? 'Units can be matched one by one only where both networks have the same layers of the same widths: choose two such checkpoints.'
    : 'Known are MLPs (any chain of 2-D weights), VGG-like networks (features.N, classifier) and ResNets as PyTorch names them. What files cannot say is said under “Architecture”, such as mlp:tanh.';
}

function describePair({ model, assumptions, inputShape, classes }: PairFacts): HTMLElement {
  const input =
    inputShape.length === 1 ? `${formatCount(inputShape[0]!)} numbers` : `images of ${inputShape.join('×')}`;
  const assumed = assumptions.length > 0 ? ` Assumed: ${assumptions.join('; ')}.` : '';
  return element(
    'p',
    {},
    'Recognised: ',
    element('strong', { id: 'recognised' }, model),
    `, which takes ${input} and tells ${classes} classes apart.${assumed.replace('set it with --model', 'say it under “Architecture”:').replaceAll('--model ', '')}`,
  );
}

export function failure(message: string): HTMLElement {
  return element('p', { class: 'failure', role: 'alert' }, pageWords(message));
}

function shortHash(sha256: string): string {
  return `${sha256.slice(0, 12)}…`;
}
