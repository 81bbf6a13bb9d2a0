/** Part 4 of the section: an article for each analysis, with its figures, files and the command that gives the same. */
import type { Renormalisation } from 'rebasin';
import { element, section } from '../../src/report/elements.ts';
import { formatSeconds } from '../../src/report/format.ts';
import { verdictMark } from '../../src/report/verdict-mark.ts';
import { download, downloadJson } from '../export/download.ts';
import { figureExports } from '../export/figure-exports.ts';
import { downloadReport } from '../export/report-page.ts';
import { saveButton } from '../export/save-button.ts';
import { button } from '../form.ts';
import { commandOf } from './choices.ts';
import { failure } from './networks-part.ts';
import type { Outcome } from './outcome.ts';
import { outcomeView, type SavedResult } from './outcome-view.ts';
import { ANALYSES, type AnalysisName, type CheckpointSettings, usesImages } from './settings.ts';
import { ANALYSIS_WORDS } from './words.ts';

/** An outcome with what it was made from. */
export interface Made {
  readonly outcome: Outcome;
  readonly settings: CheckpointSettings;
  /** Names of the files. */
  readonly a: string;
  readonly b: string;
  /** Why the command line could not do the same; absent where it could. */
  readonly noCommand?: string | undefined;
  /** Hashes that the link promises, by the names of results. */
  readonly expected: Readonly<Record<string, string>>;
}

export interface ResultsPart {
  readonly root: HTMLElement;
  /** Shows what an analysis found. @returns the hash of each of its results. */
  show(analysis: AnalysisName, made: Made): Readonly<Record<string, string>>;
  fail(analysis: AnalysisName, message: string): void;
  /** Marks results that were made from other files or choices than the present ones. */
  mark(isOld: (analysis: AnalysisName) => boolean): void;
}

/** @param checkpoint gives the bytes of the network that the result with a hash is about. */
export function resultsPart(
  checkpoint: (which: 'merged' | 'permuted', hash: string) => Promise<Uint8Array>,
): ResultsPart {
  const root = element('div', { class: 'outcomes' });
  const articles = new Map<AnalysisName, HTMLElement>();

  function put(analysis: AnalysisName, ...content: readonly HTMLElement[]): HTMLElement {
    const { title } = ANALYSIS_WORDS[analysis];
    const article = section(title, ...content);
    article.classList.add('outcome');
    article.id = `outcome-${analysis}`;
    const old = articles.get(analysis);
    if (old) old.replaceWith(article);
    else {
      const later = ANALYSES.slice(ANALYSES.indexOf(analysis) + 1);
      root.insertBefore(article, later.flatMap((name) => articles.get(name) ?? [])[0] ?? null);
    }
    articles.set(analysis, article);
    return article;
  }

  return {
    root,
    show(analysis, made) {
      const { headline, parts, results, checkpoints } = outcomeView(made.outcome);
      const body = element('div', { class: 'outcome-body' }, ...parts);
      for (const heading of body.querySelectorAll('h2')) {
        heading.replaceWith(element('h3', {}, ...heading.childNodes));
      }
      for (const figure of body.querySelectorAll('figure')) addExports(analysis, figure);
      const article = put(analysis, element('p', { class: 'lead' }, headline), body);
      const saved = element('div', { class: 'buttons' });
      for (const which of checkpoints) {
        saved.append(
          button(
            which === 'merged' ? 'merged.safetensors' : 'b-aligned.safetensors',
            () =>
              void checkpoint(which, results[0]!.result.hash).then(
                (bytes) =>
                  download(
                    which === 'merged' ? 'merged.safetensors' : 'b-aligned.safetensors',
                    bytes as Uint8Array<ArrayBuffer>,
                    'application/octet-stream',
                  ),
                (error: Error) => {
                  saved.querySelector('.failure')?.remove();
                  saved.append(failure(error.message));
                },
              ),
          ),
        );
      }
      if (results.length === 1) saved.append(...resultButtons(results[0]!));
      if (saved.childElementCount > 0) article.append(saved);
      if (results.length > 0) {
        article.append(...comparison(made, results), provenance(analysis, made, results));
      }
      return Object.fromEntries(results.map(({ name, result }) => [name, result.hash]));
    },
    fail(analysis, message) {
      put(analysis, failure(message));
    },
    mark(isOld) {
      for (const [analysis, article] of articles) article.classList.toggle('old', isOld(analysis));
    },
  };
}

/** Save buttons for every drawing, once it is there. */
function addExports(analysis: AnalysisName, figure: HTMLElement): void {
  if (!figure.querySelector('.drawing, .matrix')) return;
  const title = figure.querySelector('figcaption strong')?.textContent ?? 'figure';
  figureExports(`${analysis}-${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`, figure);
}

function resultButtons({ name, result, report }: SavedResult): HTMLButtonElement[] {
  const json = button(`${name}.json`, () => downloadJson(`${name}.json`, result));
  if (!report) return [json];
  return [
    json,
    saveButton(`${name}.html`, () => downloadReport(`${name}.html`, report), { title: 'The report page' }),
  ];
}

/** Hash, time and command of each result. */
function provenance(
  analysis: AnalysisName,
  { settings, a, b, noCommand }: Made,
  results: readonly SavedResult[],
): HTMLElement {
  const rows = results.map((saved) => {
    const { result, part, on } = saved;
    const renormalise = saved.renormalise as Renormalisation;
    const command = commandOf(analysis, settings, { a, b, renormalise, on }, part);
    return element(
      'div',
      { class: 'made' },
      element(
        'p',
        {},
        ...(part ? [element('strong', { class: part }, part), ' · '] : []),
        `rebasin ${result.version} · ${result.adapter} · ${formatSeconds(result.seconds)} · hash `,
        element('code', { class: 'hash' }, result.hash),
      ),
      noCommand === undefined
        ? element('div', { class: 'command' }, element('code', { tabindex: '0' }, command ?? ''))
        : element('p', {}, noCommand),
      ...(results.length > 1 ? [element('div', { class: 'buttons' }, ...resultButtons(saved))] : []),
    );
  });
  const title =
    noCommand === undefined
      ? 'The same on the command line, with the same hash on the same adapter'
      : 'How it was made';
  const folder =
    noCommand === undefined && settings.data === 'files' && usesImages(analysis, settings)
      ? [
          element(
            'p',
            { class: 'note' },
            'FOLDER is where the image files lie; there the command looks for training and test images.',
          ),
        ]
      : [];
  return element('details', { class: 'provenance' }, element('summary', {}, title), ...rows, ...folder);
}

/** Whether results are those that the link promises; nothing where it promises none. */
function comparison({ expected }: Made, results: readonly SavedResult[]): HTMLElement[] {
  const promised = results.filter(({ name }) => expected[name] !== undefined);
  if (promised.length === 0) return [];
  const isSame = promised.every(({ name, result }) => expected[name] === result.hash);
  const words = isSame
    ? [verdictMark('held', 'The same as in the link'), ', bit for bit.']
    : [
        verdictMark('not held', 'Different from the link'),
        ': other files or choices, another adapter, or another version.',
      ];
  return [element('p', { class: 'comparison' }, ...words)];
}
