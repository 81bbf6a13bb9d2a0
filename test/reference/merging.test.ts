/**
 * Merging 2, 4 and 8 MLPs by every method: a table of what the mean of the aligned models scores on the test images of MNIST, beside the
 * models themselves and the ensemble of their logits, with the cycle error of each method. As in Git Re-Basin's MergeMany (ALGORITHMS
 * 2.4), every model is trained from its own seed on its own random half of the training images; smaller (784-128-128-10) and shorter.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ImageDataset } from '../../src/io/dataset.ts';
import { loadImageFiles } from '../../src/io/image-files.ts';
import { randomParts } from '../../src/io/split.ts';
import { mlp } from '../../src/nn/models/mlp.ts';
import { forwardGraph, stateEntries } from '../../src/nn/models/model.ts';
import { type Evaluation, Evaluator } from '../../src/nn/train/evaluate.ts';
import { fit } from '../../src/nn/train/fit.ts';
import { GpuDataset } from '../../src/nn/train/gpu-dataset.ts';
import { cosineSchedule } from '../../src/nn/train/schedule.ts';
import { evaluateLogits, mixLogits } from '../../src/rebasin/interpolation/logits.ts';
import { MERGING_METHODS, type Merging, mergeModels } from '../../src/rebasin/merging/merge-models.ts';
import { derivePermutationSpec } from '../../src/rebasin/spec/permutation-spec.ts';
import { Arena, ArenaLayout, type HostTensors } from '../../src/runtime/arena.ts';
import { useContext } from '../support/context.ts';

const folder = resolve(import.meta.dirname, '../../../shared/data/mnist');
const isPresent = existsSync(folder);
if (!isPresent) console.log('skipped: merging of MLPs trained on ../shared/data/mnist, which is not there');

const NORMALISATION = { mean: [0.1307], std: [0.3081] };
const model = mlp({ widths: [784, 128, 128, 10] });

const load = async (part: string): Promise<ImageDataset> =>
  loadImageFiles(async (name) => readFileSync(`${folder}/${name}`), [`${part}-images-idx3-ubyte.gz`]);

describe.skipIf(!isPresent)(
  'merging 2, 4 and 8 MLPs trained on halves of MNIST',
  { timeout: 1_800_000 },
  () => {
    const context = useContext();

    async function trainAll(): Promise<HostTensors[]> {
      const images = await load('train');
      const states: HostTensors[] = [];
      for (let seed = 0; seed < 8; seed++) {
        const half = new GpuDataset(context(), randomParts(images, 2, seed)[0]!, NORMALISATION);
        const { state } = await fit(context(), {
          model,
          data: half,
          optimizer: { type: 'sgd', momentum: 0.9, weightDecay: 5e-4 },
          learningRate: 0.1,
          schedule: cosineSchedule(),
          epochs: 3,
          batchSize: 250,
          seed,
        });
        half.destroy();
        states.push(state);
      }
      return states;
    }

    it('scores every method in one table; the cycle-consistent one has cycle error 0', async () => {
      const all = await trainAll();
      const test = await load('t10k');
      const testSet = new GpuDataset(context(), test, NORMALISATION);
      const arena = new Arena(context(), new ArenaLayout(stateEntries(model)));
      const evaluator = new Evaluator(context(), model, [arena], testSet);
      const logitsOf = async (values: HostTensors) => {
        arena.write(values);
        return await evaluator.logits();
      };
      const logits = [];
      for (const values of all) logits.push(await logitsOf(values));
      const spec = derivePermutationSpec([forwardGraph(model).logits]);
      const table: string[] = [];
      const line = (what: string, { accuracy, loss }: Evaluation, merging?: Merging) => {
        const scores = `${(100 * accuracy).toFixed(2).padStart(6)} %  ${loss.toFixed(4)}`;
        if (!merging) return table.push(`${what.padEnd(20)} ${scores}`);
        const { cycleError, distances, objective, rounds } = merging;
        const joint = `${cycleError!.toFixed(4)}  ${distances.at(-1)!.toFixed(3)}  ${objective.after.toFixed(1).padStart(7)}  ${rounds}`;
        return table.push(`${what.padEnd(20)} ${scores}  ${joint}`);
      };

      for (const count of [2, 4, 8]) {
        const models = all.slice(0, count);
        const each = logits.slice(0, count).map((of) => evaluateLogits(of, test.labels));
        const mean = (of: (evaluation: Evaluation) => number) =>
          each.reduce((sum, evaluation) => sum + of(evaluation), 0) / count;
        const single = { accuracy: mean(({ accuracy }) => accuracy), loss: mean(({ loss }) => loss) };
        const ensemble = evaluateLogits(mixLogits(logits.slice(0, count)), test.labels);
        table.push(`${count} models            accuracy    loss   cycle  spread  objective rounds`);
        line('mean of the models', single);
        line('logit ensemble', ensemble);
        expect(ensemble.accuracy).toBeGreaterThan(single.accuracy);

        const merged = new Map<string, Merging & { readonly test: Evaluation }>();
        for (const method of MERGING_METHODS) {
          const merging = await mergeModels(context(), { method, spec, models, measureCycles: true });
          const scores = evaluateLogits(await logitsOf(merging.merged), test.labels);
          merged.set(method, { ...merging, test: scores });
          line(method, scores, merging);
        }
        const of = (method: string) => merged.get(method)!;
        for (const [method, { test, distances, converged }] of merged) {
          expect(converged).toBe(true);
          if (method === 'none') continue;
          expect(test.accuracy, method).toBeGreaterThan(of('none').test.accuracy);
          expect(test.loss, method).toBeLessThan(of('none').test.loss);
          expect(distances.at(-1), method).toBeLessThan(of('none').distances[0]!);
        }
        expect(of('cycle-consistent').cycleError).toBe(0);
        expect(of('cycle-consistent').objective.after).toBeGreaterThanOrEqual(
          of('reference').objective.after,
        );
        for (const method of ['reference', 'sequential', 'hierarchical']) {
          if (count > 2) expect(of(method).cycleError, method).toBeGreaterThan(0);
        }
      }
      console.info(table.join('\n'));
      for (const owned of [evaluator, testSet, arena]) owned.destroy();
    });
  },
);
