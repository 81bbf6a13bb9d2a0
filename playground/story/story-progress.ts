/** How far the story is: one bar for all of it, words for the eye, and fewer words for the ear. */
import type { DemoProgress } from 'rebasin';
import { element } from '../../src/report/elements.ts';
import { formatSeconds } from '../../src/report/format.ts';

/** What each stage is called, and its share of the whole. */
const STAGES = [
  { name: 'train', words: 'Training both networks', share: 0.5 },
  { name: 'match', words: 'Matching units', share: 0.1 },
  { name: 'sweep naive', words: 'Walking the line as trained', share: 0.2 },
  { name: 'sweep aligned', words: 'Walking the line, aligned', share: 0.2 },
] as const;

export interface StoryProgress {
  readonly root: HTMLElement;
  start(): void;
  show(progress: DemoProgress): void;
  /** @param word why: `Stopped.` or `Failed.` */
  stopped(word: string): void;
  /** @param reused whether the networks were trained before. */
  done(seconds: number, reused: boolean): void;
}

export function storyProgress(): StoryProgress {
  const bar = element('progress', { max: '1', value: '0', 'aria-label': 'The story so far' });
  const words = element('p', { role: 'status' });
  const root = element('div', { class: 'story-progress' }, words, bar);
  const training = { 'train A': 0, 'train B': 0 };
  const say = (text: string) => {
    if (words.textContent !== text) words.textContent = text; // or it would be read again
  };
  return {
    root,
    start() {
      Object.assign(training, { 'train A': 0, 'train B': 0 });
      bar.value = 0;
      say('Starting …');
    },
    show({ stage, done, total }) {
      let fraction = done / total;
      if (stage === 'train A' || stage === 'train B') {
        training[stage] = fraction;
        fraction = (training['train A'] + training['train B']) / 2;
      }
      let before = 0;
      for (const { name, words: text, share } of STAGES) {
        if (stage.startsWith(name)) {
          say(`${text} …`);
          bar.value = before + share * (stage === 'match' && done < total ? 0.5 : fraction);
          return;
        }
        before += share;
      }
    },
    stopped(word) {
      say(word);
    },
    done(seconds, reused) {
      bar.value = 1;
      const trained = reused ? ', with the networks of before' : '';
      say(`Done in ${formatSeconds(seconds)}${trained}.`);
    },
  };
}
