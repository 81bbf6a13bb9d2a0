/** Collapse of merged networks: ratios from layer summaries, and the verdict that the numbers give. */
import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/base/errors.ts';
import { type CollapseOptions, diagnoseCollapse } from '../../../src/rebasin/statistics/collapse.ts';
import { summariseLayers } from '../../../src/rebasin/statistics/layer-summary.ts';
import type { CollapseFields, LayerSummary } from '../../../src/report/results.ts';

const summary = (layer: string, kind: LayerSummary['kind'], values: Partial<LayerSummary> = {}) => ({
  ...{ layer, kind, channels: 20, mean: 0, deviation: 1, variance: 1, scale: 1, zeroRatio: 0, dead: 0 },
  ...values,
});

/** An end of a plain network of two hidden layers. */
const PLAIN: LayerSummary[] = [
  summary('fc1', 'weighted', { featureDistance: 1 }),
  summary('fc1', 'activation', { zeroRatio: 0.5 }),
  summary('fc2', 'weighted', { featureDistance: 1 }),
  summary('fc2', 'activation', { zeroRatio: 0.6 }),
  summary('fc3', 'weighted', { featureDistance: 1 }),
];

/** An end of a network with batch norm. */
const NORMED: LayerSummary[] = PLAIN.flatMap((layer) =>
  layer.kind === 'weighted' && layer.layer !== 'fc3'
    ? [layer, { ...layer, layer: layer.layer.replace('fc', 'bn'), kind: 'normalised' as const }]
    : [layer.kind === 'activation' ? { ...layer, layer: layer.layer.replace('fc', 'bn') } : layer],
);

type Changes = Readonly<Record<string, Partial<LayerSummary>>>;

/** The network with values changed by `kind layer`. */
const changed = (layers: readonly LayerSummary[], changes: Changes) =>
  layers.map((layer) => ({ ...layer, ...changes[`${layer.kind} ${layer.layer}`] }));

function diagnose(changes: Changes, options: Partial<CollapseOptions> = {}): CollapseFields {
  const end = options.batchNorm ? NORMED : PLAIN;
  return diagnoseCollapse({
    ...{ ends: [end, end], merged: changed(end, changes), batchNorm: false },
    ...{ align: 'weight', renormalise: 'none' },
    ...options,
  });
}

describe('summariseLayers', () => {
  it('takes means over channels, of magnitudes and roots channel by channel, and counts the dead', () => {
    const [layer] = summariseLayers(
      [
        {
          ...{ kind: 'activation', name: 'fc1', count: 8 },
          mean: Float64Array.of(-1, 3),
          variance: Float64Array.of(4, 16),
          zeroRatio: Float64Array.of(1, 0.5),
          scale: Float64Array.of(0, 5),
        },
      ],
      {
        perChannel: true,
        distances: [
          { kind: 'weighted', name: 'fc1', distance: 7 },
          { kind: 'activation', name: 'fc1', distance: 2 },
        ],
      },
    );
    expect(layer).toEqual({
      ...{ layer: 'fc1', kind: 'activation', channels: 2, mean: 2, deviation: 3, variance: 10, scale: 2.5 },
      ...{ zeroRatio: 0.75, dead: 1, featureDistance: 2 },
      perChannel: { mean: [-1, 3], variance: [4, 16], scale: [0, 5], zeroRatio: [1, 0.5] },
    });
  });
});

describe('diagnoseCollapse', () => {
  it('compares each hidden layer and the logits with the mean of the ends', () => {
    const ends = [
      changed(PLAIN, { 'weighted fc2': { variance: 3, scale: 2 }, 'activation fc2': { zeroRatio: 0.2 } }),
      changed(PLAIN, { 'weighted fc2': { variance: 1, scale: 4 }, 'weighted fc3': { featureDistance: 3 } }),
    ] as const;
    const merged = changed(PLAIN, {
      'weighted fc2': { variance: 1, scale: 1.5, featureDistance: 0.5 },
      'activation fc2': { zeroRatio: 0.7 },
      'weighted fc3': { featureDistance: 1 },
    });
    const { layers, logits } = diagnose({}, { ends, merged });
    expect(layers.map(({ layer }) => layer)).toEqual(['fc1', 'fc2']);
    expect(layers[1]).toEqual({
      ...{ layer: 'fc2', varianceRatio: 0.5, scaleRatio: 0.5, zeroRatio: { ends: 0.4, merged: 0.7 } },
      ...{ feature: 0.5, smoothFeature: 0.6 }, // 0.5 is more than 1.2 below what follows
    });
    expect(logits).toEqual({
      ...{ layer: 'fc3', varianceRatio: 1, scaleRatio: 1, feature: 0.5, smoothFeature: 0.5 },
    });
  });

  it('reads networks with batch norm after their norms', () => {
    const { layers, logits } = diagnose({ 'normalised bn2': { variance: 0.25 } }, { batchNorm: true });
    expect(layers.map(({ layer, varianceRatio }) => [layer, varianceRatio])).toEqual([
      ['bn1', 1],
      ['bn2', 0.25],
    ]);
    expect(layers[0]!.zeroRatio).toEqual({ ends: 0.5, merged: 0.5 });
    expect(logits.layer).toBe('fc3');
  });

  it('reads networks with layer norm before their norms, and the activation after them', () => {
    const merged = changed(NORMED, { 'activation bn2': { zeroRatio: 0.7 } });
    const { layers } = diagnose({}, { ends: [NORMED, NORMED], merged });
    expect(layers.map(({ layer, zeroRatio }) => [layer, zeroRatio])).toEqual([
      ['fc1', { ends: 0.5, merged: 0.5 }],
      ['fc2', { ends: 0.6, merged: 0.7 }],
    ]);
  });

  it('does without the vanishing feature where it was not measured', () => {
    const bare = PLAIN.map(({ featureDistance: _, ...layer }) => layer);
    const { layers, logits } = diagnose({}, { ends: [bare, bare], merged: bare });
    expect([...layers, logits].some((layer) => 'feature' in layer)).toBe(false);
  });

  it('refuses networks that differ', () => {
    expect(() => diagnose({}, { ends: [PLAIN, NORMED] })).toThrow(DataError);
    expect(() => diagnose({}, { merged: [] })).toThrow(/no linear layer/);
  });
});

describe('the verdict', () => {
  const low = { 'weighted fc1': { variance: 0.8 }, 'weighted fc2': { variance: 0.3 } };
  const cases: [string, CollapseFields, CollapseFields['verdict']['kind'], RegExp, RegExp | undefined][] = [
    [
      'all is well',
      diagnose({ 'weighted fc2': { variance: 0.6 } }, { accuracy: { ends: 0.98, merged: 0.97 } }),
      'healthy',
      /60% to 100% of the variance.*at 1\.0 points less accuracy/,
      undefined,
    ],
    [
      'units were not matched',
      diagnose({ 'weighted fc1': { variance: 0.52 }, 'weighted fc2': { variance: 0.1 } }, { align: 'none' }),
      'not-aligned',
      /already fc1.* only 52%/,
      /^match the units first: --align weight/,
    ],
    [
      'units were not matched, and it has batch norm',
      diagnose({ 'normalised bn1': { variance: 0.5 } }, { align: 'none', batchNorm: true }),
      'not-aligned',
      /already bn1/,
      /then --renormalise reset$/,
    ],
    [
      'units were not matched, and a correction hides it from the variances',
      diagnose({}, { align: 'none', renormalise: 'repair', accuracy: { ends: 0.98, merged: 0.6 } }),
      'not-aligned',
      /100% of the variance.*yet 38 points/,
      /--align weight/,
    ],
    [
      'running statistics belong to nobody',
      diagnose(
        { 'normalised bn1': { variance: 0.72 }, 'normalised bn2': { variance: 0.02 } },
        { batchNorm: true },
      ),
      'stale-statistics',
      /bn1 keeps 72%, bn2 keeps 2%/,
      /--renormalise reset$/,
    ],
    [
      'variance falls in a plain network',
      diagnose(low),
      'variance-collapse',
      /fc1 keeps 80%, fc2 keeps 30%/,
      /^bring back.*repair or rescale$/,
    ],
    [
      'variance falls though it was corrected',
      diagnose(low, { renormalise: 'bias' }),
      'variance-collapse',
      /fc2 keeps 30%/,
      /^another correction/,
    ],
    [
      'variance falls from the first layer on though units were matched',
      diagnose({ 'weighted fc1': { variance: 0.54 }, 'weighted fc2': { variance: 0.3 } }),
      'variance-collapse',
      /little to do with each other/,
      /^another matching.*then bring back/,
    ],
    [
      'batch norm was reset and the variance is low all the same',
      diagnose({ 'normalised bn2': { variance: 0.02 } }, { batchNorm: true, renormalise: 'reset' }),
      'variance-collapse',
      /bn2 keeps 2%/,
      /more images.*--statistics-files$/,
    ],
    [
      'outputs hardly depend on the input',
      diagnose({ ...low, 'weighted fc3': { featureDistance: 0.04 } }),
      'vanishing-feature',
      /only 4% as far/,
      /rescale, or bias/,
    ],
    [
      'units die: channels',
      diagnose({ 'activation fc2': { dead: 5, zeroRatio: 0.7 } }),
      'dying-units',
      /after fc2, 5 of 20 channels are dead \(ends: 0\), and 70% of the values are 0 \(ends: 60%\)/,
      /--renormalise repair$/,
    ],
    [
      'units die: values',
      diagnose({ 'activation fc1': { zeroRatio: 0.75 } }),
      'dying-units',
      /after fc1/,
      /repair/,
    ],
    [
      'a layer blows up',
      diagnose({ 'weighted fc2': { variance: 250 } }, { renormalise: 'repair' }),
      'blow-up',
      /fc2 has 250 times/,
      /divides by what is left/,
    ],
    [
      'a layer blows up uncorrected',
      diagnose({ 'normalised bn1': { variance: 4.5 } }, { batchNorm: true }),
      'blow-up',
      /bn1 has 4\.5 times/,
      /--renormalise reset$/,
    ],
    [
      'units die in a network with batch norm, which REPAIR refuses',
      diagnose({ 'activation bn1': { dead: 6 } }, { batchNorm: true }),
      'dying-units',
      /after bn1, 6 of 20/,
      /--renormalise reset$/,
    ],
    [
      'units were shuffled',
      diagnose({ 'weighted fc1': { variance: 0.5 } }, { align: 'random' }),
      'not-aligned',
      /already fc1/,
      /--align weight/,
    ],
    [
      'nothing collapses and accuracy is lost',
      diagnose({}, { accuracy: { ends: 0.9, merged: 0.6 } }),
      'units-differ',
      /^No collapse: .*30 points/,
      /straight-through/,
    ],
  ];
  it.each(cases)('where %s', (_, { verdict }, kind, text, fix) => {
    expect(verdict.kind).toBe(kind);
    expect(verdict.text).toMatch(text);
    if (fix) expect(verdict.fix).toMatch(fix);
    else expect(verdict).not.toHaveProperty('fix');
  });

  it('is plain data also where an end has no variance at all', () => {
    const dead = changed(PLAIN, { 'weighted fc1': { variance: 0, scale: 0, featureDistance: 0 } });
    const { verdict } = diagnose({}, { ends: [dead, dead], merged: dead });
    expect(verdict.kind).toBe('healthy');
    expect(verdict.text).not.toMatch(/NaN|undefined/);
  });
});
