/** Section "The story": train, align, and the line between. This file runs it; the parts of the view stand in their own. */
import { element } from '../../src/report/elements.ts';
import { button } from '../form.ts';
import type { PageSection, Shell } from '../section.ts';
import type { Values } from '../state.ts';
import { storyControls } from './controls.ts';
import { linePart } from './line-part.ts';
import { matchingPart } from './matching-part.ts';
import type { OwnFile } from './own-files.ts';
import { type Expected, resultPart } from './result-part.ts';
import { DEFAULT_SETTINGS, type StorySettings, settingsOf, valuesOf } from './settings.ts';
import { storyProgress } from './story-progress.ts';
import type { StoryEvent } from './story-task.ts';
import { trainingPart } from './training-part.ts';

/** Typing goes on for a while. */
const SETTLE_MS = 350;

type State = 'running' | 'done' | 'stopped' | 'failed';

export function storySection({ engine, remember }: Shell): PageSection {
  let settings: StorySettings = DEFAULT_SETTINGS;
  let files: readonly OwnFile[] = [];
  let lambda = 0.5;
  let expected: Expected | undefined;
  let made: Expected | undefined;
  /** The run that was asked for last: it settles, waits for the one before it to stop, or runs. */
  let wanted: AbortController | undefined;
  let finished: Promise<unknown> | undefined;

  const training = trainingPart();
  const matching = matchingPart();
  const line = linePart(ask);
  const result = resultPart(
    (name, at) => engine.run('storyCheckpoint', { line: name, lambda: at }),
    () => lambda,
  );
  const controls = storyControls((next, chosen) => {
    settings = next;
    files = chosen;
    expected = undefined;
    // Not at once: the Tab key tells of a change on its way to the next field, which must still be there.
    setTimeout(() => controls.show(settings, files));
    run(SETTLE_MS);
  });
  const progress = storyProgress();
  const toggle = button('Stop', () => (wanted ? stop() : run()), { class: 'main' });
  const failure = element('div', { role: 'alert' });
  const narrow = matchMedia('(max-width: 760px)').matches;
  const experiment = element(
    'details',
    { class: 'experiment', ...(narrow ? {} : { open: '' }) },
    element('summary', {}, 'The experiment'),
    controls.root,
  );
  const root = element(
    'article',
    { class: 'story' },
    element(
      'header',
      {},
      element(
        'h1',
        {},
        'Two networks trained apart look unrelated: half-way between their weights, little works. Permute the hidden units of one, and all of the straight line between them does.',
      ),
      element('p', { class: 'lead' }, 'Both are trained now, in this page. Change anything: it starts anew.'),
    ),
    experiment,
    element('div', { class: 'run-bar' }, progress.root, toggle),
    failure,
    training.root,
    matching.root,
    line.root,
    result.root,
  );

  function setState(state: State): void {
    root.dataset.state = state;
    toggle.textContent = state === 'running' ? 'Stop' : state === 'done' ? 'Run again' : 'Run';
  }

  function rememberAll(): void {
    const shown = made ?? expected;
    remember({
      ...valuesOf(settings),
      lambda: lambda.toFixed(2),
      ...(shown ? { hash: shown.hash, on: shown.adapter } : {}),
    });
  }

  /** Stops what runs, and begins anew with the settings of now. @param settleMs unless they change again before. */
  function run(settleMs = 0): void {
    wanted?.abort();
    const mine = new AbortController();
    wanted = mine;
    made = undefined;
    rememberAll();
    asking?.abort();
    failure.replaceChildren();
    setState('running');
    progress.start();
    result.clear();
    line.pause();
    root.classList.add('stale'); // what is shown is of the run before
    const settled = new Promise((resolve) => setTimeout(resolve, settleMs));
    finished = Promise.all([finished, settled]).then(() => runWith(mine));
  }

  /** The reader need not wait until the worker has stopped too. */
  function stop(word = 'Stopped.', state: State = 'stopped'): void {
    wanted?.abort();
    wanted = undefined;
    progress.stopped(word);
    setState(state);
  }

  /** Whoever aborts a run has said what the page shows from then on. */
  async function runWith({ signal }: AbortController): Promise<void> {
    if (signal.aborted) return;
    const [chosen, images] = [settings, files];
    let fresh = false;
    const unveil = () => {
      if (!signal.aborted) root.classList.remove('stale');
    };
    const hear = (event: StoryEvent) => {
      if ('stage' in event) {
        if (!signal.aborted) progress.show(event);
        if (event.stage.startsWith('train') && !fresh) {
          fresh = true; // and what was trained before is forgotten: by the worker too
          unveil();
          training.clear(chosen);
          matching.clear();
          line.clear();
        }
        if (event.stage.startsWith('train')) training.progress(event);
        if (event.stage === 'match') matching.progress(event);
      } else if (event.part === 'networks') {
        if (!fresh) {
          unveil();
          matching.clear();
          line.clear();
        }
        training.trained(event.networks);
      } else if (event.part === 'match') matching.matched(event.match);
      else line.curve(event.part, event.curves);
    };
    try {
      const story = await engine.run('story', { settings: chosen, files: images }, { signal, onEvent: hear });
      signal.throwIfAborted(); // it may have been done when it was told to stop
      wanted = undefined;
      const { hash, adapter } = story.result;
      made = { hash, adapter };
      result.show(story.result, chosen, images, expected);
      rememberAll();
      line.ready(story, lambda);
      progress.done(story.result.seconds, story.reused);
      setState('done');
      ask(lambda);
    } catch (error) {
      if (signal.aborted) return;
      const { name, message } = error as Error;
      if (name === 'AbortError') return stop();
      failure.replaceChildren(element('p', { class: 'failure' }, element('strong', {}, name), ` ${message}`));
      stop('Failed.', 'failed');
    }
  }

  let asking: AbortController | undefined;
  let asked: number | undefined;

  /** Classifies at the newest lambda: while one answer is waited for, only the last question counts. */
  function ask(at: number): void {
    lambda = at;
    asked = at;
    if (!asking) void answer();
  }

  async function answer(): Promise<void> {
    while (asked !== undefined && root.dataset.state === 'done') {
      const at = asked;
      asked = undefined;
      asking = new AbortController();
      const { signal } = asking;
      try {
        const classification = await engine.run('classify', { lambda: at }, { signal });
        if (!signal.aborted) line.classified(classification);
      } catch (error) {
        if ((error as Error).name !== 'AbortError') {
          failure.replaceChildren(element('p', { class: 'failure' }, (error as Error).message));
        }
      } finally {
        asking = undefined;
      }
      rememberAll();
    }
  }

  return {
    root,
    show(values: Values) {
      settings = settingsOf(values);
      const at = Number(values.lambda ?? 0.5);
      lambda = at >= 0 && at <= 1 ? at : 0.5;
      expected = values.hash ? { hash: values.hash, adapter: values.on ?? '' } : undefined;
      controls.show(settings, files);
      // What is shown stays until networks are trained: a link to another matching of them has the same losses.
      if (finished === undefined) {
        training.clear(settings);
        matching.clear();
        line.clear();
      }
      run();
    },
  };
}
