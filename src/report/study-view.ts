/** What the report shows of studies: all claims at a glance, then each study with its verdicts, figures and numbers. */
import { element, type Fact, figure, headingRow, responsive, section, table } from './elements.ts';
import { excessFigure, excessHeight } from './excess-figure.ts';
import { formatCount, formatSeconds } from './format.ts';
import { formatOf, lineLooks, lineMark, studyFigure } from './study-figure.ts';
import type { StudyClaim, StudyComparison, StudyFields, StudyFigure, StudyResult } from './study-result.ts';
import { comparisonWords } from './study-summary.ts';
import { verdictMark } from './verdict-mark.ts';

const panelHeight = 280;
/** Digits of a hash that tell two apart. */
const HASH_DIGITS = 12;

/** The sections of studies, from the overview on. */
export function studySections(result: StudyResult): HTMLElement[] {
  return [overview(result), ...result.studies.map(studySection), work(result)];
}

/** What was run. */
export function studyFacts({ adapter, studies }: StudyResult): Fact[] {
  return [
    ['Size', [...new Set(studies.map(({ size }) => size))].join(', ')],
    ['Adapter', adapter],
  ];
}

const idOf = ({ name }: StudyFields) => `study-${name}`;
const claimIdOf = (study: StudyFields, index: number) => `${idOf(study)}-claim-${index + 1}`;

function overview({ studies }: StudyResult): HTMLElement {
  const rows = studies.flatMap((study) =>
    study.claims.map((claim, i) => [
      verdictMark(claim.verdict),
      element('a', { href: `#${claimIdOf(study, i)}` }, claim.text),
      element('a', { href: `#${idOf(study)}` }, study.title),
    ]),
  );
  const head = headingRow(['verdict', 'claim', 'study'].map((text) => ({ text })));
  const made = section(
    'All claims',
    element('div', { class: 'claims-table' }, table('Claims and their verdicts', [head], rows)),
    element(
      'p',
      { class: 'note' },
      'A claim is that something measured is larger than something else, and each repetition (networks of its own, trained from seeds of their own) gives one ' +
        'difference. It held where the one-sided 95 % interval of their mean (Student’s t) lies above what is claimed, did not hold where it lies below, and is ' +
        'not decided otherwise. Strips show the mean and the two-sided 90 % interval: right of the upright line is what the claim says.',
    ),
  );
  if (studies.some(({ figures }) => figures.length > 0)) {
    made.append(
      element(
        'p',
        { class: 'note' },
        'In figures, large marks are means over repetitions, upright bars their two-sided 90 % intervals, and small dots the repetitions.',
      ),
    );
  }
  return made;
}

function studySection(study: StudyFields): HTMLElement {
  const { title, question, claims, figures } = study;
  const made = section(
    title,
    element('p', {}, question),
    element('ul', { class: 'claims' }, ...claims.map((claim, i) => claimCard(claim, claimIdOf(study, i)))),
  );
  made.id = idOf(study);
  if (figures.length > 0) {
    made.append(
      element('div', { class: 'pair figures' }, ...figures.map(drawFigure)),
      ...figures.map(numbersOf),
    );
  }
  return made;
}

function claimCard({ text, source, verdict, comparisons }: StudyClaim, id: string): HTMLElement {
  return element(
    'li',
    { class: 'claim', id },
    verdictMark(verdict, capitalised(verdict)),
    element('h3', {}, text),
    element('p', { class: 'source' }, source),
    ...comparisons.map((comparison) => compared(comparison, comparisons.length > 1)),
  );
}

/** @param isOneOfMany then it says its own verdict. */
function compared(comparison: StudyComparison, isOneOfMany: boolean): HTMLElement {
  const { larger, smaller, excess } = comparisonWords(comparison);
  const side = (value: string, name: string) => [
    element('strong', {}, value),
    ...(name === '' ? [] : [' ', element('span', {}, name)]),
  ];
  const strip = responsive(excessHeight, (width) => excessFigure(comparison, width));
  return element(
    'div',
    { class: 'comparison' },
    element('p', {}, ...side(larger.value, larger.name)),
    element('p', {}, 'against ', ...side(smaller.value, smaller.name)),
    strip,
    element('p', {}, excess, ...(isOneOfMany ? [': ', verdictMark(comparison.verdict)] : [])),
  );
}

function drawFigure(of: StudyFigure): HTMLElement {
  const drawing = responsive(panelHeight, (width) => studyFigure({ figure: of, width, height: panelHeight }));
  const made = figure(of.title, drawing, of.y.label);
  const looks = lineLooks(of.lines.length);
  if (of.lines.length > 1) {
    const keys = of.lines.map(({ name }, i) => {
      const key = element('strong', { class: 'key' }, lineMark(looks[i]!), name);
      key.style.color = looks[i]!.colour;
      return key;
    });
    made.querySelector('figcaption')?.append(element('div', { class: 'keys' }, ...keys));
  }
  return made;
}

/** Everything behind a figure, a row for each of its points. */
function numbersOf(of: StudyFigure): HTMLElement {
  const format = formatOf(of);
  const most = Math.max(0, ...of.lines.flatMap(({ points }) => points.map(({ values }) => values.length)));
  const repetitions = Array.from({ length: most }, (_, i) => i);
  const head = headingRow(
    [of.x.label, 'line', 'mean', '±', ...repetitions.map((i) => `repetition ${i + 1}`)].map((text) => ({
      text,
    })),
  );
  const rows = of.lines.flatMap(({ name, points }) =>
    points.map(({ x, mean, margin, values }) => [
      String(x),
      name,
      format(mean),
      margin === undefined ? '–' : format(margin),
      ...repetitions.map((i) => (i < values.length ? format(values[i]!) : '–')),
    ]),
  );
  const title = `${of.title} against ${of.x.label}`;
  return element(
    'details',
    { class: 'numbers' },
    element('summary', {}, `Numbers: ${title}`),
    table(title, [head], rows),
  );
}

/** What each study took. */
function work({ studies }: StudyResult): HTMLElement {
  const head = headingRow(
    ['study', 'measurements', 'jobs', 'time of all jobs', 'budget', 'hash'].map((text) => ({ text })),
  );
  const rows = studies.map((study) => [
    study.title,
    formatCount(study.measurements),
    formatCount(study.jobs),
    formatSeconds(study.jobSeconds),
    study.budget,
    element('code', { title: study.hash }, study.hash.slice(0, HASH_DIGITS)),
  ]);
  return section(
    'What it took',
    element('div', { class: 'work-table' }, table('Work of each study', [head], rows)),
    element(
      'p',
      { class: 'note' },
      'Jobs are counted with every study that looks at them, and run once. Hashes are of what all jobs found, not of times.',
    ),
  );
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
