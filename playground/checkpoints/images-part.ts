/** Part 2 of the section: images to evaluate on. */
import { element, section } from '../../src/report/elements.ts';
import { formatCount } from '../../src/report/format.ts';
import { choice, field, numberInput, type Option, textInput } from '../form.ts';
import type { OwnFile } from '../story/own-files.ts';
import { fileDrop } from './file-drop.ts';
import type { ImagesFacts, PartFacts } from './images-task.ts';
import type { PairFacts } from './networks.ts';
import { failure } from './networks-part.ts';
import { renew } from './renew.ts';
import { type CheckpointSettings, type DataSource, LIMITS, type NamedFile } from './settings.ts';

export interface ImagesView {
  readonly settings: CheckpointSettings;
  readonly files: readonly OwnFile[];
  readonly pair?: PairFacts | undefined;
  /** Absent while they are being read, or where there are none. */
  readonly images?: ImagesFacts | { readonly error: string } | undefined;
  readonly wanted: readonly NamedFile[];
}

export interface ImagesPart {
  readonly root: HTMLElement;
  show(view: ImagesView): void;
}

export function imagesPart(
  changed: (part: Partial<CheckpointSettings>) => void,
  chosen: (files: readonly OwnFile[]) => void,
): ImagesPart {
  const form = element('form', { class: 'image-controls', 'aria-label': 'Images' });
  form.addEventListener('submit', (event) => event.preventDefault());
  const drop = fileDrop({ label: 'Choose image files', folderLabel: 'Choose a folder', taken: chosen });
  const status = element('div', { class: 'found', 'aria-live': 'polite' });
  const root = section('Images to evaluate on', form, drop.root, status);
  return {
    root,
    show({ settings, files, pair, images, wanted }) {
      const { data, limit, mean, std } = settings;
      renew(
        form,
        field(
          'Images',
          choice(sources(data, pair), data, (source) => changed({ data: source })),
        ),
        ...(data === 'none'
          ? []
          : [
              field(
                'Of each part, at most',
                numberInput(limit, LIMITS.limit, (value) => changed({ limit: value })),
              ),
              field(
                'Mean',
                hinted(
                  textInput(mean, (text) => changed({ mean: text })),
                  images,
                  'mean',
                ),
              ),
              field(
                'Deviation',
                hinted(
                  textInput(std, (text) => changed({ std: text })),
                  images,
                  'std',
                ),
              ),
            ]),
      );
      drop.root.hidden = data === 'digits' || data === 'colours';
      drop.body.replaceChildren(...dropParts(files, wanted, data));
      status.replaceChildren(...statusParts(settings, images));
    },
  };
}

function sources(chosen: DataSource, pair: PairFacts | undefined): Option<DataSource>[] {
  const builtIn = (name: 'digits' | 'colours', text: string): Option<DataSource> => {
    const fits = pair === undefined || pair.fits.includes(name);
    return {
      value: name,
      text: fits ? text : `${text}: not of this network’s shape`,
      disabled: !fits && chosen !== name,
    };
  };
  return [
    { value: 'none', text: 'none' },
    { value: 'files', text: 'files of mine' },
    builtIn('digits', 'digits (built in, drawn)'),
    builtIn('colours', 'coloured shapes (built in)'),
  ];
}

/** Shows what is taken where the field is empty. */
function hinted(
  input: HTMLInputElement,
  images: ImagesView['images'],
  which: 'mean' | 'std',
): HTMLInputElement {
  if (images && !('error' in images)) input.placeholder = images.normalisation[which].join(',');
  return input;
}

function dropParts(
  files: readonly OwnFile[],
  wanted: readonly NamedFile[],
  data: DataSource,
): (Node | string)[] {
  if (files.length > 0 && data === 'files') return [listed(files.map(({ path }) => path))];
  if (wanted.length > 0) {
    return [
      element(
        'span',
        { class: 'muted' },
        `This link was made with ${listed(wanted.map(({ name }) => name))}.`,
      ),
    ];
  }
  return [
    element(
      'span',
      { class: 'muted' },
      'MNIST or a relative (train-images-idx3-ubyte, t10k-…, with their labels), CIFAR-10 (data_batch_1.bin …, test_batch.bin) or CIFAR-100, .gz too; or pictures (PNG, JPEG and the like) in a folder for each class, which become 32×32 in colour.',
    ),
  ];
}

/** Names, the first ten. */
function listed(names: readonly string[]): string {
  const more = names.length > 10 ? ` and ${formatCount(names.length - 10)} more` : '';
  return names.slice(0, 10).join(', ') + more;
}

function statusParts({ data, limit }: CheckpointSettings, images: ImagesView['images']): HTMLElement[] {
  if (data === 'none') {
    return [
      element(
        'p',
        { class: 'note' },
        'Without images: symmetries, matching by weights, distances, matched units and singular vectors. Losses and accuracies need images that the networks were trained for.',
      ),
    ];
  }
  if (!images) return [];
  if ('error' in images) return [failure(images.error)];
  const { train, test, normalisation } = images;
  const parts = [test && describePart(test, 'test'), train && describePart(train, 'training')].filter(
    Boolean,
  );
  const { mean, std } = normalisation;
  return [
    element(
      'p',
      {},
      `${parts.join('; ')}. Pixels from 0 to 1, less ${mean.join(', ')}, over ${std.join(', ')}.${limit > 0 ? ' 0 takes all images.' : ''}`,
    ),
    ...(test || !train
      ? []
      : [
          element(
            'p',
            { class: 'note' },
            'No test images are among the files: losses are those of training images.',
          ),
        ]),
    ...(train
      ? []
      : [
          element(
            'p',
            { class: 'note' },
            'No training images are among the files: corrections that estimate statistics, and matching by activations, need some.',
          ),
        ]),
  ];
}

function describePart({ name, count, channels, height, width }: PartFacts, what: string): string {
  return `${formatCount(count)} ${what} images of ${channels}×${height}×${width} (${name})`;
}
