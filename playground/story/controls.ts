/** The controls of the story. They hold no state: they show settings, and tell what the reader changes. */
import { MATCHING_METHODS, RENORMALISATIONS } from 'rebasin';
import { element } from '../../src/report/elements.ts';
import { METHOD_WORDS } from '../../src/report/method-words.ts';
import { field as anyField, choice, fileChoice, numberInput, type Option, textInput } from '../form.ts';
import {
  type Architecture,
  architectureOf,
  DEPTHS,
  FAMILIES,
  type Family,
  IMAGE_SHAPES,
  type ImageShape,
  modelNameOf,
  START,
  WIDTHS,
} from './architecture.ts';
import { type OwnFile, ownFiles, ownImageFacts } from './own-files.ts';
import { type DataName, LIMITS, type StorySettings } from './settings.ts';

const FAMILY_WORDS: Readonly<Record<Family, string>> = { mlp: 'MLP', resnet: 'ResNet', vgg: 'VGG' };

const NORM_WORDS = { none: 'no norm', batch: 'batch norm', layer: 'layer norm' } as const;

const DATA_WORDS: Readonly<Record<DataName, string>> = {
  digits: 'digits (built in)',
  colours: 'coloured shapes (built in)',
  files: 'files of mine …',
};

const MATCH_WORDS = { ...METHOD_WORDS, none: 'nothing: as trained', random: 'chance: random permutations' };

const CORRECTION_WORDS: Readonly<Record<string, string>> = {
  none: 'nothing',
  reset: 'RESET (batch-norm statistics)',
  repair: 'REPAIR',
  bias: 'bias calibration',
};

const scope = 'story';

const field = (label: string, control: HTMLElement) => anyField(label, control, scope);

export interface Controls {
  readonly root: HTMLElement;
  show(settings: StorySettings, files: readonly OwnFile[]): void;
}

/** @param changed called with what the reader chose; files where the data are the reader's own. */
export function storyControls(
  changed: (settings: StorySettings, files: readonly OwnFile[]) => void,
): Controls {
  const root = element('form', { class: 'controls', 'aria-label': 'The experiment' });
  root.addEventListener('submit', (event) => event.preventDefault());
  let shape: ImageShape = IMAGE_SHAPES.digits;
  let classes = 10;

  function show(settings: StorySettings, files: readonly OwnFile[]): void {
    if (settings.data !== 'files') [shape, classes] = [IMAGE_SHAPES[settings.data], 10];
    const change = (part: Partial<StorySettings>, chosen = files) =>
      changed({ ...settings, ...part }, chosen);
    const architecture = architectureOf(settings.model);
    const setArchitecture = (part: Partial<Architecture>) => {
      if (!architecture) return;
      const next = { ...architecture, ...part };
      change({ model: modelNameOf(next, shape, classes), renormalise: fittingCorrection(settings, next) });
    };
    const setData = (data: DataName) => {
      if (data === 'files') return change({ data });
      [shape, classes] = [IMAGE_SHAPES[data], 10];
      const plain =
        architecture?.family === 'vgg' && data === 'digits' ? START.mlp.architecture : architecture;
      change({ data, ...(plain ? { model: modelNameOf(plain, shape, classes) } : {}) });
    };
    const setFamily = (family: Family | 'other') => {
      if (family === 'other') return;
      const { architecture: next, training } = START[family];
      const data = family === 'vgg' && settings.data === 'digits' ? 'colours' : settings.data;
      if (data !== 'files') [shape, classes] = [IMAGE_SHAPES[data], 10];
      const renormalise = fittingCorrection(settings, next);
      change({ ...training, data, model: modelNameOf(next, shape, classes), renormalise });
    };
    const setFiles = async (chosen: readonly File[]) => {
      const own = ownFiles(chosen);
      const facts = await ownImageFacts(own);
      if (facts) ({ shape, classes } = facts);
      const model = architecture ? modelNameOf(architecture, shape, classes) : settings.model;
      change({ data: 'files', model }, own);
    };

    const number = (
      name: keyof typeof LIMITS,
      limits: { readonly min?: number; readonly step?: number | 'any' } = {},
    ) => numberInput(settings[name], { ...LIMITS[name], ...limits }, (value) => change({ [name]: value }));
    const layers = architecture?.family === 'mlp' ? 'Hidden layers' : 'Depth';
    const wide = architecture?.family === 'mlp' ? 'Units a layer' : 'Width';
    const familyOptions: Option<Family | 'other'>[] = [
      ...FAMILIES.map((family) => ({ value: family, text: FAMILY_WORDS[family] })),
      ...(architecture ? [] : [{ value: 'other' as const, text: 'as named' }]),
    ];
    const network = architecture
      ? [
          field(
            layers,
            choice(
              numbers(DEPTHS[architecture.family], architecture.depth),
              String(architecture.depth),
              (depth) => setArchitecture({ depth: Number(depth) }),
            ),
          ),
          field(
            wide,
            choice(
              numbers(WIDTHS[architecture.family], architecture.width),
              String(architecture.width),
              (width) => setArchitecture({ width: Number(width) }),
            ),
          ),
          field(
            'Norm',
            choice(words(NORM_WORDS), architecture.norm, (norm) => setArchitecture({ norm })),
          ),
        ]
      : [
          field(
            'Name',
            textInput(settings.model, (model) => change({ model })),
          ),
        ];
    const focused = document.activeElement?.id;
    root.replaceChildren(
      group(
        'Networks',
        field('Architecture', choice(familyOptions, architecture?.family ?? 'other', setFamily)),
        ...network,
      ),
      group(
        'Training',
        field('Seed of A', number('seed')),
        field('Seed of B', number('secondSeed')),
        field('Learning rate', number('learningRate', { min: 1e-6, step: 'any' })),
        field('Epochs', number('epochs')),
        field('Images', number('trainCount', { min: 10 })),
      ),
      group(
        'Data',
        field('Data set', choice(words(DATA_WORDS), settings.data, setData)),
        ...(settings.data === 'files' ? fileChoices(files, setFiles) : []),
      ),
      group(
        'Alignment',
        field(
          'Match by',
          choice(
            MATCHING_METHODS.map((value) => ({ value, text: MATCH_WORDS[value] })),
            settings.method,
            (method) => change({ method }),
          ),
        ),
        field(
          'Correct by',
          choice(
            RENORMALISATIONS.map((value) => ({
              value,
              text: CORRECTION_WORDS[value] ?? value,
              disabled: value === 'reset' && architecture?.norm !== 'batch',
            })),
            settings.renormalise,
            (renormalise) => change({ renormalise }),
          ),
        ),
      ),
    );
    if (focused) document.getElementById(focused)?.focus();
  }

  return { root, show };
}

/** Either files as they are published, or a folder; and how many are chosen. */
function fileChoices(files: readonly OwnFile[], chosen: (files: readonly File[]) => void): HTMLElement[] {
  const names = files.slice(0, 4).map(({ path }) => path);
  const more = files.length > names.length ? ` and ${files.length - names.length} more` : '';
  const hint = files.length === 0 ? 'Read here, uploaded nowhere.' : `${names.join(', ')}${more}`;
  return [
    fileChoice('IDX or CIFAR files', chosen, { scope }),
    fileChoice('Or a folder of pictures, a folder a class', chosen, { folder: true, scope }),
    element('p', { class: 'hint' }, hint),
  ];
}

/** Batch norm needs its statistics anew, and only it has any. */
function fittingCorrection(
  { renormalise }: StorySettings,
  { norm }: Architecture,
): StorySettings['renormalise'] {
  if (norm === 'batch') return renormalise === 'none' ? 'reset' : renormalise;
  return renormalise === 'reset' ? 'none' : renormalise;
}

function group(title: string, ...fields: readonly HTMLElement[]): HTMLElement {
  return element('fieldset', {}, element('legend', {}, title), ...fields);
}

function words<Value extends string>(all: Readonly<Record<Value, string>>): Option<Value>[] {
  return (Object.entries(all) as [Value, string][]).map(([value, text]) => ({ value, text }));
}

/** The numbers to choose from, with the one that is chosen among them whatever it is. */
function numbers(usual: readonly number[], chosen: number): Option<string>[] {
  const all = [...new Set([...usual, chosen])].sort((a, b) => a - b);
  return all.map((value) => ({ value: String(value), text: String(value) }));
}
