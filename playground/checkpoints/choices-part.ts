/** Part 3 of the section: how to match and correct, which analyses, and the button that runs them. */
import {
  MATCHING_METHODS,
  PRESETS,
  PRUNING_METHODS,
  type PresetName,
  type PruningMethod,
  RENORMALISATIONS,
  type Renormalisation,
} from 'rebasin';
import { element, section } from '../../src/report/elements.ts';
import { copyButton } from '../export/copy-button.ts';
import { button, choice, field, numberInput } from '../form.ts';
import type { PairFacts } from './networks.ts';
import { renew } from './renew.ts';
import { ANALYSES, type AnalysisName, type CheckpointSettings, LIMITS } from './settings.ts';
import { ANALYSIS_WORDS, CORRECTION_WORDS, MATCH_WORDS } from './words.ts';

export interface ChoicesView {
  readonly settings: CheckpointSettings;
  readonly pair?: PairFacts | undefined;
  /** Why nothing can run yet. */
  readonly waiting?: string;
  /** What an analysis lacks, if anything. */
  readonly lacks: (analysis: AnalysisName) => string | undefined;
}

export interface Progress {
  /** What is under way. */
  readonly text: string;
  /** From 0 to 1; absent where it is not known. */
  readonly part?: number;
}

export interface ChoicesPart {
  readonly root: HTMLElement;
  show(view: ChoicesView): void;
  /** Undefined: nothing is running. */
  progress(now: Progress | undefined): void;
}

export interface ChoicesEvents {
  readonly changed: (part: Partial<CheckpointSettings>) => void;
  readonly run: () => void;
  readonly cancel: () => void;
}

export function choicesPart({ changed, run, cancel }: ChoicesEvents): ChoicesPart {
  const form = element('form', { class: 'choice-controls', 'aria-label': 'How' });
  form.addEventListener('submit', (event) => event.preventDefault());
  const list = element('fieldset', { class: 'analyses' });
  const go = button('Run', run, { class: 'main' });
  const stop = button('Cancel', cancel);
  const copy = copyButton('Copy a link', () => location.href);
  copy.title =
    'All choices, names and hashes of the files, and hashes of results; never the files themselves';
  const words = element('p', { role: 'status' });
  let hint = '';
  let chosen: readonly AnalysisName[] = [];
  const choose = (analysis: AnalysisName, isChosen: boolean) =>
    changed({
      analyses: ANALYSES.filter((each) => (each === analysis ? isChosen : chosen.includes(each))),
    });
  let running = false;
  const bar = element('progress', { max: '1', value: '0', 'aria-label': 'Progress' });
  const root = section(
    'What to look at',
    form,
    list,
    element(
      'div',
      { class: 'run-bar' },
      go,
      stop,
      element('div', { class: 'story-progress' }, words, bar),
      copy,
    ),
  );
  return {
    root,
    show({ settings, pair, lacks, waiting }) {
      chosen = settings.analyses;
      renew(form, ...controls(settings, pair, changed));
      renew(
        list,
        element('legend', {}, 'Analyses'),
        ...ANALYSES.map((analysis) => checkbox(analysis, settings, lacks(analysis), choose)),
      );
      const runnable = settings.analyses.filter((analysis) => lacks(analysis) === undefined);
      const needed = settings.analyses.map(lacks).find((each) => each !== undefined);
      go.disabled = waiting !== undefined || runnable.length === 0;
      hint =
        waiting ?? (runnable.length > 0 ? '' : needed ? `What is chosen ${needed}.` : 'Choose an analysis.');
      if (!running) words.textContent = hint;
    },
    progress(now) {
      running = now !== undefined;
      go.hidden = now !== undefined;
      stop.hidden = now === undefined;
      bar.hidden = now === undefined;
      if (now) {
        words.textContent = now.text;
        if (now.part === undefined) bar.removeAttribute('value');
        else bar.value = now.part;
      } else words.textContent = hint;
    },
  };
}

function controls(
  settings: CheckpointSettings,
  pair: PairFacts | undefined,
  changed: ChoicesEvents['changed'],
): HTMLElement[] {
  const { method, renormalise, preset, seed, points, grid, prune, pruned, analyses } = settings;
  const has = (analysis: AnalysisName) => analyses.includes(analysis);
  const corrections = RENORMALISATIONS.map((value) => ({
    value,
    text: CORRECTION_WORDS[value] ?? value,
    disabled: pair?.refused[value] !== undefined,
  }));
  const usual = pair ? `as usual: ${pair.batchNorm ? 'RESET' : 'REPAIR'}` : 'as usual';
  return [
    field(
      'Match by',
      choice(
        MATCHING_METHODS.map((value) => ({ value, text: MATCH_WORDS[value] })),
        method,
        (value) => changed({ method: value }),
      ),
    ),
    field(
      'Correct by',
      choice<Renormalisation | ''>([{ value: '', text: usual }, ...corrections], renormalise, (value) =>
        changed({ renormalise: value }),
      ),
    ),
    field(
      'Small choices',
      choice<PresetName | ''>(
        [
          { value: '', text: 'of this program' },
          ...(Object.keys(PRESETS) as PresetName[]).map((value) => ({ value, text: `of ${value}` })),
        ],
        preset,
        (value) => changed({ preset: value }),
      ),
    ),
    field(
      'Seed',
      numberInput(seed, { min: 0 }, (value) => changed({ seed: value })),
    ),
    ...(has('line') || has('singular')
      ? [
          field(
            'Points of a line',
            numberInput(points, LIMITS.points, (value) => changed({ points: value })),
          ),
        ]
      : []),
    ...(has('plane')
      ? [
          field(
            'Points of the plane, a side',
            numberInput(grid, LIMITS.grid, (value) => changed({ grid: value })),
          ),
        ]
      : []),
    ...(has('pruning')
      ? [
          field(
            'Prune',
            choice(
              (['a', 'b'] as const).map((value) => ({ value, text: value.toUpperCase() })),
              pruned,
              (value) => changed({ pruned: value }),
            ),
          ),
          field(
            'Judge weights by',
            choice<PruningMethod>(
              [...PRUNING_METHODS, '2:4' as const].map((value) => ({
                value: value as PruningMethod,
                text: value,
              })),
              prune,
              (value) => changed({ prune: value }),
            ),
          ),
        ]
      : []),
  ];
}

function checkbox(
  analysis: AnalysisName,
  { analyses }: CheckpointSettings,
  lacking: string | undefined,
  choose: (analysis: AnalysisName, isChosen: boolean) => void,
): HTMLElement {
  const { title, about } = ANALYSIS_WORDS[analysis];
  const id = `analysis-${analysis}`;
  const input = element('input', { type: 'checkbox', id });
  input.checked = analyses.includes(analysis);
  input.addEventListener('change', () => choose(analysis, input.checked));
  return element(
    'div',
    { class: lacking === undefined ? 'analysis-choice' : 'analysis-choice lacking' },
    input,
    element('label', { for: id }, element('strong', {}, title), ' ', element('span', {}, lacking ?? about)),
  );
}
