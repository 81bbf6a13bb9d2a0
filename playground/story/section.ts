/** Section "The story": train, align, and the line between. This file runs it; the parts of the view stand in their own. */
import { element, section } from '../../src/report/elements.ts';
import type { PageSection, Shell } from '../section.ts';
import type { Values } from '../state.ts';
import { DEFAULT_SETTINGS, type StorySettings, settingsOf, valuesOf } from './settings.ts';

export function storySection({ engine, remember }: Shell): PageSection {
  const status = element('p', { role: 'status' });
  const root = element('div', {}, section('The story', status));
  let settings: StorySettings = DEFAULT_SETTINGS;
  let running: AbortController | undefined;

  async function run(): Promise<void> {
    running?.abort();
    const mine = new AbortController();
    running = mine;
    remember(valuesOf(settings));
    try {
      const { result } = await engine.run(
        'story',
        { settings },
        {
          signal: mine.signal,
          onEvent: (event) => {
            status.textContent =
              'stage' in event ? `${event.stage} ${event.done}/${event.total}` : event.part;
          },
        },
      );
      status.textContent = result.hash;
    } catch (error) {
      if (!mine.signal.aborted) status.textContent = (error as Error).message;
    }
  }

  return {
    root,
    show(values: Values) {
      settings = settingsOf(values);
      void run();
    },
  };
}
