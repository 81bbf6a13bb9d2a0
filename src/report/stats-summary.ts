/** Statistics of activations in words and plain tables: of one network layer by layer, of a merged one beside its ends. */

import { formatCount, formatNumber, formatPercent, notFinite, plural } from './format.ts';
import type { CollapseFields, LayerSummary, StatsResult } from './results.ts';
import { alignColumns } from './text-table.ts';

/** A heading, and the cells below it. */
export interface Column {
  readonly heading: string;
  readonly cells: readonly string[];
}

/**
 * What the statistics say, in a sentence or two.
 *
 * @example
 * 'Variance collapse: fc1 keeps 73%, fc6 keeps 21% of the variance of the ends.'
 * 'mlp:784-24-10 on 2,000 test images: layers have a scale from 1.4 to 5.2; 3 of 24 channels are dead.'
 */
export function statsHeadline({ model, data, networks, collapse }: StatsResult): string {
  if (collapse) return collapse.verdict.text;
  const layers = networks[0]!.layers;
  const scales = layers.filter(({ kind }) => kind === 'weighted').map(({ scale }) => scale);
  const scaleRange = [Math.min(...scales), Math.max(...scales)].map((scale) => formatNumber(scale, 2));
  const activations = layers.filter(({ kind }) => kind === 'activation');
  const total = (of: (layer: LayerSummary) => number) => activations.reduce((sum, each) => sum + of(each), 0);
  const [dead, channels] = [total((layer) => layer.dead), total((layer) => layer.channels)];
  const deaths = `${dead === 0 ? 'none' : formatCount(dead)} of ${plural(channels, 'channel')} ${dead === 1 ? 'is' : 'are'} dead`;
  return (
    `${model} on ${plural(data.images, `${data.split} image`)}: layers have a scale from ${scaleRange.join(' to ')}` +
    `${channels > 0 ? `; ${deaths}` : ''}.`
  );
}

/** A network, one row a layer. */
export function layerColumns(layers: readonly LayerSummary[]): Column[] {
  const column = (heading: string, of: (layer: LayerSummary) => string) => ({
    heading,
    cells: layers.map(of),
  });
  return [
    column('layer', ({ layer }) => layer),
    column('kind', ({ kind }) => kind),
    column('channels', ({ channels }) => formatCount(channels)),
    column('|mean|', ({ mean }) => formatNumber(mean, 3)),
    column('std', ({ deviation }) => formatNumber(deviation, 3)),
    column('scale', ({ scale }) => formatNumber(scale, 3)),
    column('zeros', ({ zeroRatio }) => formatShare(zeroRatio)),
    column('dead', ({ dead }) => formatCount(dead)),
  ];
}

/** A merged network beside its ends, one row a layer, the logits last. */
export function collapseColumns({ layers, logits }: CollapseFields): Column[] {
  const all = [...layers, logits];
  const measured = all.some(({ feature }) => feature !== undefined);
  return [
    { heading: 'layer', cells: all.map(({ layer }) => layer) },
    { heading: 'variance ratio', cells: all.map(({ varianceRatio }) => formatRatio(varianceRatio)) },
    { heading: 'scale ratio', cells: all.map(({ scaleRatio }) => formatRatio(scaleRatio)) },
    ...(measured
      ? [{ heading: 'response', cells: all.map(({ feature }) => formatRatio(feature ?? Number.NaN)) }]
      : []),
    {
      heading: 'zeros: ends',
      cells: all.map(({ zeroRatio }) => (zeroRatio ? formatShare(zeroRatio.ends) : '–')),
    },
    {
      heading: 'zeros: merged',
      cells: all.map(({ zeroRatio }) => (zeroRatio ? formatShare(zeroRatio.merged) : '–')),
    },
  ];
}

/** Loss and accuracy of each network. */
export function networkColumns({ data, networks }: StatsResult): Column[] {
  return [
    { heading: 'network', cells: networks.map(({ name }) => name) },
    { heading: `${data.split} loss`, cells: networks.map(({ loss }) => formatNumber(loss)) },
    { heading: `${data.split} accuracy`, cells: networks.map(({ accuracy }) => formatPercent(accuracy)) },
  ];
}

/** What there is to read, as text. Layers of two networks are compared; what they are themselves is in the JSON. */
export function statsTables(result: StatsResult): string {
  const { networks, collapse } = result;
  const details = collapse
    ? textTable(collapseColumns(collapse), 1)
    : textTable(layerColumns(networks[0]!.layers), 2);
  return `${textTable(networkColumns(result), 1)}\n\n${details}`;
}

function textTable(columns: readonly Column[], left: number): string {
  return alignColumns(
    columns.map(({ heading, cells }) => [heading, ...cells]),
    left,
  );
}

/** Three digits of a ratio near 1; small ones keep two. */
function formatRatio(ratio: number): string {
  if (!Number.isFinite(ratio)) return notFinite;
  return ratio >= 0.1 && ratio < 100 ? ratio.toFixed(3) : formatNumber(ratio, 2);
}

/** A share from 0 to 1 as 47.2%. */
function formatShare(share: number): string {
  return Number.isFinite(share) ? `${(100 * share).toFixed(1)}%` : notFinite;
}
