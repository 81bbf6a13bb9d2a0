/** Activation statistics in words and tables. */
import { expect, test } from 'vitest';
import { reportHtml } from '../../../src/report/page.ts';
import type { StatsResult } from '../../../src/report/results.ts';
import { headline, textTables } from '../../../src/report/summary.ts';
import { syntheticCollapse, syntheticStats } from './synthetic-stats.ts';

test('one network: the range of its scales, and how many channels are dead', () => {
  const result = syntheticStats();
  // Scales of layers are 0.8 sqrt(3) and, of the logits, 0.8; channels 0 to 6 of the seven activations are dead.
  expect(headline(result)).toBe(
    'resnet8 on 2,000 test images: layers have a scale from 0.80 to 1.4; 21 of 224 channels are dead.',
  );
  const [scores, layers] = textTables(result).split('\n\n');
  expect(scores).toMatch(/^network +test loss +test accuracy\nA +0\.3100 +91\.20%$/);
  const rows = layers!.split('\n');
  expect(rows).toHaveLength(1 + 22);
  expect(rows[0]).toMatch(/^layer +kind +channels +\|mean\| +std +scale +zeros +dead$/);
  expect(rows[3]).toMatch(/^bn1 +activation +32 +0\.100 +0\.697 +0\.620 +42\.0% +0$/);
});

test('one network without activations or with one dead channel', () => {
  const result = syntheticStats();
  const [network] = result.networks;
  const only = (layers: StatsResult['networks'][number]['layers']) =>
    headline({ ...result, networks: [{ ...network!, layers }] });
  expect(only(network!.layers.filter(({ kind }) => kind === 'weighted'))).toMatch(/from 0\.80 to 1\.4\.$/);
  expect(only(network!.layers.filter(({ dead, kind }) => kind !== 'activation' || dead === 1))).toMatch(
    /; 1 of 32 channels is dead\.$/,
  );
  expect(only(network!.layers.filter(({ dead }) => dead === 0))).toMatch(/; none of 32 channels are dead\.$/);
});

test('two networks: the verdict, their scores and the ratios layer by layer', () => {
  const result = syntheticCollapse();
  expect(headline(result)).toMatch(/^Variance collapse: bn1 keeps 7\d%, layer3\.0\.bn2 keeps 1\.\d%/);
  const [scores, ratios] = textTables(result).split('\n\n');
  expect(scores).toMatch(/\nmerged +2\.400 +13\.10%$/);
  const rows = ratios!.split('\n');
  expect(rows[0]).toMatch(/^layer +variance ratio +scale ratio +response +zeros: ends +zeros: merged$/);
  expect(rows.map((row) => row.split(' ')[0])).toEqual([
    'layer',
    ...result.collapse!.layers.map(({ layer }) => layer),
    'linear',
  ]);
  expect(rows.at(-1)).toMatch(/ – +–$/); // no activation function after the logits
});

test('what is not finite says so, and the page escapes what it is given', () => {
  const result = syntheticCollapse();
  const logits = { ...result.collapse!.logits, varianceRatio: Number.NaN, layer: '<script>' };
  const odd = { ...result, collapse: { ...result.collapse!, logits } };
  expect(textTables(odd)).toMatch(/<script> +not finite/);
  expect(reportHtml(odd, '')).not.toContain('<script> ');
});
