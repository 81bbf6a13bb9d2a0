/** The page: a heading, two sections of which one is shown, and the worker that both use. Everything else is in the sections. */
import { element } from '../src/report/elements.ts';
import { reportStyles } from '../src/report/styles.ts';
import { checkpointsSection } from './checkpoints/section.ts';
import { keepFileDrops } from './missed-drops.ts';
import { noWebGpuNotice } from './no-webgpu.ts';
import type { PageSection } from './section.ts';
import { addressOf, readState, SECTIONS, type SectionName, type Values } from './state.ts';
import { storySection } from './story/section.ts';
import './styles.css';
import { Engine } from './worker/engine.ts';

const TITLES: Readonly<Record<SectionName, string>> = { story: 'The story', checkpoints: 'Your checkpoints' };

const engine = new Engine();
let { section: current } = readState(location.hash);

document.head.append(element('style', {}, reportStyles));

const remembered = new Map<SectionName, Values>();
const shellOf = (name: SectionName) => ({
  engine,
  remember(values: Values) {
    remembered.set(name, values);
    if (name === current) history.replaceState(null, '', addressOf({ section: name, values }));
    links.get(name)!.href = addressOf({ section: name, values });
  },
});

const links = new Map(
  SECTIONS.map((name) => [
    name,
    element('a', { href: addressOf({ section: name, values: {} }) }, TITLES[name]),
  ]),
);
const sections: Readonly<Record<SectionName, PageSection>> = {
  story: storySection(shellOf('story')),
  checkpoints: checkpointsSection(shellOf('checkpoints')),
};

const adapter = element('span', { class: 'adapter' }, 'looking for a GPU …');
const notice = element('div', { role: 'alert' });
const main = element('main', {}, ...SECTIONS.map((name) => sections[name].root));
for (const name of SECTIONS) sections[name].root.hidden = true; // until there is something to compute with
document
  .getElementById('page')!
  .replaceChildren(
    element(
      'div',
      { class: 'rebasin-report page' },
      element(
        'header',
        { class: 'bar' },
        element('a', { class: 'name', href: '#story' }, 'rebasin'),
        element('nav', { 'aria-label': 'Sections' }, ...links.values()),
      ),
      notice,
      main,
      element(
        'footer',
        {},
        element(
          'p',
          {},
          'Everything is computed in this page, by WebGPU on ',
          adapter,
          '. Nothing is uploaded.',
        ),
      ),
    ),
  );

function follow(): void {
  const { section, values } = readState(location.hash);
  current = section;
  for (const name of SECTIONS) {
    sections[name].root.hidden = name !== section;
    if (name === section) links.get(name)!.setAttribute('aria-current', 'page');
    else links.get(name)!.removeAttribute('aria-current');
  }
  const known = remembered.get(section);
  if (known && Object.keys(values).length === 0) {
    // A link to the section, not to a state of it: it stays as it is.
    history.replaceState(null, '', addressOf({ section, values: known }));
    return;
  }
  if (shown.has(section) && JSON.stringify(values) === JSON.stringify(known)) return;
  shown.add(section);
  sections[section].show(values);
}

const shown = new Set<SectionName>();
keepFileDrops();
// Leaving frees the GPU at once. A page that comes back from the browser's cache begins again: its networks are gone.
addEventListener('pagehide', () => engine.close());
addEventListener('pageshow', ({ persisted }) => {
  if (persisted) location.reload();
});

async function start(): Promise<void> {
  try {
    const { name, software } = await engine.run('adapter', undefined);
    adapter.textContent = software ? `${name} (a processor, not a GPU: slow)` : name;
  } catch (error) {
    adapter.textContent = 'no adapter';
    main.hidden = true;
    notice.replaceChildren(noWebGpuNotice(error as Error));
    return;
  }
  addEventListener('hashchange', follow);
  follow();
}

void start();
