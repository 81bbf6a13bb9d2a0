/** What every convolutional family takes of the re-normalisations, and why not the rest. */
import type { Renormalisation } from '../../src/rebasin/renormalise/renormalisations.ts';

type Answer = 'works' | RegExp;

const CORRECTIONS = ['repair', 'rescale', 'rescale-mean', 'rescale-average', 'reshift'] as const;
const all = (answer: Answer) =>
  Object.fromEntries(CORRECTIONS.map((name) => [name, answer])) as Record<
    (typeof CORRECTIONS)[number],
    Answer
  >;

const NO_BATCH_NORM = /^reset: .* has no batch norm/;
const ALREADY = /^repair: .* has batch norm, whose own scale and shift already say .* use reset$/;
const NORM = (name: string) =>
  new RegExp(`^bias calibration: .* has the norm "${name}"; use repair, rescale or reset$`);
const BRANCHES = /^bias calibration: .* has branches that meet in "add"/;

const plain = { none: 'works', reset: NO_BATCH_NORM, ...all('works'), bias: 'works' } as const;
const batch = { none: 'works', reset: 'works', ...all(ALREADY) } as const;
const layer = { none: 'works', reset: NO_BATCH_NORM, ...all('works') } as const;
const residual = { ...layer, bias: BRANCHES } as const;

/** By model, narrow; each of the re-normalisations. */
export const RENORMALISATION_TABLE: Readonly<Record<string, Readonly<Record<Renormalisation, Answer>>>> = {
  'vgg11:width=0.0625': plain,
  'vgg11:width=0.0625:norm=batch': { ...batch, bias: NORM('features.1') },
  'vgg11:width=0.0625:norm=layer': { ...layer, bias: NORM('features.1') },
  'vgg11:width=0.0625:classifier=mlp': plain,
  'resnet8:width=0.25:norm=none': residual,
  'resnet8:width=0.25:norm=batch': { ...batch, bias: NORM('bn1') },
  'resnet8:width=0.25:norm=layer': { ...residual, bias: NORM('bn1') },
  'resnet8:width=0.25:shortcut=pad:norm=none': residual,
  'resnet8:width=0.25:shortcut=pad:norm=batch': { ...batch, bias: NORM('bn1') },
  'resnet8:width=0.25:shortcut=pad:norm=layer': { ...residual, bias: NORM('bn1') },
};
