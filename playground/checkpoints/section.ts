/** Section "Your checkpoints": two files of the reader's own, and the analyses of the command line. This file holds its state and runs it. */
import { element } from '../../src/report/elements.ts';
import { METHOD_WORDS } from '../../src/report/method-words.ts';
import type { PageSection, Shell } from '../section.ts';
import type { Values } from '../state.ts';
import type { OwnFile } from '../story/own-files.ts';
import { noCommand } from './choices.ts';
import { choicesPart } from './choices-part.ts';
import { type ChosenFile, chosenFile } from './chosen-file.ts';
import { imagesPart } from './images-part.ts';
import type { ImagesFacts } from './images-task.ts';
import type { NetworkFiles, PairFacts } from './networks.ts';
import { type Letter, networksPart } from './networks-part.ts';
import type { OpenedCheckpoints } from './open-task.ts';
import { resultsPart } from './results-part.ts';
import {
  type AnalysisName,
  addressValues,
  type CheckpointSettings,
  DEFAULT_SETTINGS,
  type LinkState,
  linkOf,
  looksAtImages,
  relevantChoices,
  usesImages,
} from './settings.ts';
import './styles.css';
import { ANALYSIS_WORDS, pageWords } from './words.ts';

/** Cheap, and all that there is to see before images are given. */
const AT_ONCE: readonly AnalysisName[] = ['spec', 'match', 'units'];

export function checkpointsSection({ engine, remember }: Shell): PageSection {
  let settings: CheckpointSettings = DEFAULT_SETTINGS;
  let link: LinkState = linkOf({});
  const files: { a?: ChosenFile | undefined; b?: ChosenFile | undefined; images: readonly ChosenFile[] } = {
    images: [],
  };
  let opened: OpenedCheckpoints | undefined;
  let images: ImagesFacts | { readonly error: string } | undefined;
  let running: AbortController | undefined;
  /** The last reading of checkpoints, and of images; replies to earlier ones are late. Each is replaced by its own kind only. */
  let opening = new AbortController();
  let reading = new AbortController();
  /** Until the section is shown, the address is not read: what is chosen waits, and nothing is remembered. */
  let isShown = false;
  /** What the results that are shown were made from, and their hashes. */
  const made = new Map<
    AnalysisName,
    { readonly key: string; readonly hashes: Readonly<Record<string, string>> }
  >();

  const networks = networksPart({
    files: takeCheckpoints,
    swap: () => {
      [files.a, files.b] = [files.b, files.a];
      void open();
    },
    remove: (letter) => {
      files[letter] = undefined;
      void open();
    },
    model: (text) => {
      settings = { ...settings, model: text };
      void open();
    },
  });
  const pictures = imagesPart(change, (chosen) => {
    files.images = chosen.map(chosenFile);
    settings = { ...settings, data: 'files' };
    void readImages();
  });
  const choices = choicesPart({ changed: change, run: () => void run(settings.analyses), cancel: stop });
  const results = resultsPart((which, hash) => engine.run('savedCheckpoint', { which, hash }));
  const root = element(
    'div',
    { class: 'checkpoints' },
    element(
      'header',
      {},
      element('h1', {}, 'Are two networks of yours in one basin?'),
      element(
        'p',
        { class: 'lead' },
        'Drop two checkpoints of one architecture, trained apart. They are read in this page and go nowhere; the numbers are those of the command line.',
      ),
    ),
    networks.root,
    pictures.root,
    choices.root,
    results.root,
  );

  function pair(): PairFacts | undefined {
    return opened?.pair && !('error' in opened.pair) ? opened.pair : undefined;
  }

  function networkFiles(): NetworkFiles {
    const { model, mean, std } = settings;
    return { a: files.a, b: files.b, model, normalised: mean !== '' && std !== '' };
  }

  function imageFacts(): ImagesFacts | undefined {
    return images && !('error' in images) ? images : undefined;
  }

  /** What an analysis lacks beside the networks, in words. */
  function lacks(analysis: AnalysisName): string | undefined {
    if (!pair()) return undefined;
    const { method } = settings;
    const known = imageFacts();
    const matches = analysis !== 'spec' && analysis !== 'pruning';
    if (matches && looksAtImages(method) && !known?.train) {
      return `needs training images for ${METHOD_WORDS[method]}`;
    }
    if (AT_ONCE.includes(analysis) || analysis === 'singular') return undefined;
    if (analysis === 'plane' && method === 'none') return 'needs a matching: A and B alone make no plane';
    if (!known?.test && !known?.train) return 'needs images: choose some above';
    if ((analysis === 'merge' || analysis === 'pruning') && !known.test) return 'needs test images';
    return undefined;
  }

  /** Why nothing can run yet. */
  function waitingFor(): string {
    if (!files.a || !files.b) return 'Two checkpoints first.';
    return opened ? 'Two checkpoints of one known architecture first.' : 'Reading the files …';
  }

  /** What results depend on; equal for what needs not be made again. */
  function keyOf(analysis: AnalysisName): string {
    const seen = usesImages(analysis, settings) && settings.data === 'files' ? files.images : [];
    const ids = [files.a, files.b, ...seen].map((file) => file?.id);
    return JSON.stringify([relevantChoices(analysis, settings), ids]);
  }

  function markOld(): void {
    results.mark((analysis) => made.has(analysis) && made.get(analysis)?.key !== keyOf(analysis));
  }

  function show(): void {
    const found = pair();
    networks.show({ a: files.a, b: files.b, opened, model: settings.model, wanted: link });
    pictures.show({ settings, files: files.images, pair: found, images, wanted: link.images });
    choices.show({ settings, pair: found, lacks, ...(found ? {} : { waiting: waitingFor() }) });
    if (running === undefined) choices.progress(undefined);
    markOld();
    rememberState();
  }

  function rememberState(): void {
    if (isShown) remember(addressValues({ ...state(), hashes: hashes() }));
  }

  /** The choices, and the files as they are known: those of the link where there are none yet. */
  function state(): LinkState {
    const named = (letter: Letter) => {
      const facts = opened?.[letter];
      return facts && !('error' in facts) ? { name: facts.name, sha256: facts.sha256 } : link[letter];
    };
    return { settings, a: named('a'), b: named('b'), images: imageFacts()?.files ?? link.images, hashes: {} };
  }

  /** Of what was found with the present files and choices; beside them what the link promises, while all is as it says. */
  function hashes(): Readonly<Record<string, string>> {
    const found = [...made].filter(([analysis, { key }]) => key === keyOf(analysis));
    const results = found.flatMap(([, { hashes: each }]) => Object.entries(each));
    return { ...(decides(state()) === decides(link) ? link.hashes : {}), ...Object.fromEntries(results) };
  }

  function takeCheckpoints(chosen: readonly OwnFile[], letter?: Letter): void {
    const [first, second] = chosen.map(chosenFile).sort((x, y) => (x.path < y.path ? -1 : 1));
    if (second) [files.a, files.b] = [first, second];
    else files[letter ?? (files.a ? 'b' : 'a')] = first;
    void open();
  }

  /** Something was chosen: images are read again where they depend on it. */
  function change(part: Partial<CheckpointSettings>): void {
    settings = { ...settings, ...part };
    if (['data', 'limit', 'mean', 'std'].some((name) => name in part)) void readImages();
    else show();
  }

  async function open(): Promise<void> {
    stop();
    opening.abort();
    const mine = new AbortController();
    opening = mine;
    opened = undefined;
    show();
    if (!isShown) return;
    if (!files.a && !files.b) return readImages();
    try {
      const found = await engine.run('openCheckpoints', networkFiles(), { signal: mine.signal });
      if (mine !== opening) return;
      opened = found;
    } catch (error) {
      if (mine !== opening) return;
      opened = { pair: { error: (error as Error).message } };
    }
    const found = pair();
    // Networks that say that they learned from the built-in digits are looked at on these.
    if (found && settings.data === 'none' && found.builtIn) settings = { ...settings, data: found.builtIn };
    await readImages();
    // The reader may have begun to run something meanwhile: that goes on.
    if (found && mine === opening && running === undefined)
      await run(settings.analyses.filter((analysis) => AT_ONCE.includes(analysis)));
  }

  async function readImages(): Promise<void> {
    reading.abort();
    const mine = new AbortController();
    reading = mine;
    images = undefined;
    show();
    const { data, limit, mean, std } = settings;
    if (data === 'none' || (data === 'files' && files.images.length === 0)) return;
    try {
      const found = await engine.run(
        'openImages',
        {
          ...{ source: data, files: files.images, limit, mean, std },
          networks: pair() ? networkFiles() : undefined,
        },
        { signal: mine.signal },
      );
      if (mine !== reading) return;
      images = found;
    } catch (error) {
      if (mine !== reading) return;
      images = { error: (error as Error).message };
    }
    show();
  }

  function stop(): void {
    running?.abort();
    running = undefined;
  }

  async function run(analyses: readonly AnalysisName[]): Promise<void> {
    stop();
    const mine = new AbortController();
    running = mine;
    const wanted = pair() ? analyses.filter((analysis) => lacks(analysis) === undefined) : [];
    for (const [index, analysis] of wanted.entries()) {
      const { title } = ANALYSIS_WORDS[analysis];
      const tell = (stage: string, part?: number) =>
        choices.progress({
          text: `${title}${stage ? `: ${stage}` : ''}${wanted.length > 1 ? ` (${index + 1} of ${wanted.length})` : ''}`,
          ...(part === undefined ? {} : { part }),
        });
      tell('');
      const from = {
        ...{ settings, a: files.a!.path, b: files.b!.path, expected: link.hashes },
        noCommand: noCommand(analysis, settings, files.images, imageFacts()),
      };
      const key = keyOf(analysis);
      try {
        const outcome = await engine.run(
          'analyse',
          { analysis, networks: networkFiles(), imageFiles: files.images, settings },
          {
            signal: mine.signal,
            onEvent: ({ stage, done, total, note }) =>
              running === mine &&
              tell(note === '' ? stage : `${stage}, ${note}`, total > 0 ? done / total : undefined),
          },
        );
        if (running !== mine) break;
        made.set(analysis, { key, hashes: results.show(analysis, { ...from, outcome }) });
      } catch (error) {
        if (mine.signal.aborted || running !== mine) break;
        made.delete(analysis);
        results.fail(analysis, pageWords((error as Error).message));
      }
    }
    if (running !== mine && running !== undefined) return;
    running = undefined;
    choices.progress(undefined);
    markOld();
    rememberState();
  }

  return {
    root,
    show(values: Values) {
      isShown = true;
      link = linkOf(values);
      settings = link.settings;
      void (files.a || files.b ? open() : readImages());
    },
  };
}

/** What decides results: which analyses are chosen does not. */
function decides({ settings, ...state }: LinkState): string {
  const { analyses } = DEFAULT_SETTINGS;
  return JSON.stringify(addressValues({ ...state, settings: { ...settings, analyses }, hashes: {} }));
}
