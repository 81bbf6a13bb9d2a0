/**
 * REPAIR and its parts (Jordan et al. 2023, "REPAIR: REnormalizing Permuted Activations for Interpolation Repair"; Qu and Horvath 2024):
 * the statistics of every corrected layer's result, before norm and activation, are brought to what lies between the models,
 *
 *   goal mean = sum of c_k mean_k,   goal standard deviation = sum of c_k std_k,
 *
 * channel by channel, c_k the models' shares in the merge. Done as graph rewrites: the merged network is measured with the correction
 * inserted after each layer, and the correction then folded into weight and bias. What comes out is an ordinary network.
 *
 * Forms:
 * - `forward`: one pass; every batch is corrected by its own statistics in all layers at once, the folded statistics are averages over
 *   batches (of the batch means and the unbiased batch variances), as published.
 * - `sequential`: one pass a layer, each measured with all earlier ones already folded. With one batch it is the forward form.
 * - `closed`: no pass over the merged network. Its variance follows from the models' own and the correlation of their units,
 *   sum over k, l of c_k c_l std_k std_l rho_kl (REPAIR, section 4), exact for the first layer and an estimate for later ones.
 */
import { OptionError, UnsupportedError } from '../../base/errors.ts';
import { axpy, scale as scaleArena } from '../../kernels/arena/arena.ts';
import { elementwise } from '../../kernels/elementwise/elementwise.ts';
import { fittingBatchSize } from '../../nn/batch-size.ts';
import type { Node } from '../../nn/graph.ts';
import { forwardGraph, type Model } from '../../nn/models/model.ts';
import {
  add,
  broadcast,
  buffer,
  mergeAxes,
  multiply,
  parameter,
  subtract,
  trackStatistics,
} from '../../nn/ops/index.ts';
import { normalise } from '../../nn/ops/normalise.ts';
import { compile, type Program } from '../../nn/program.ts';
import { rewrite } from '../../nn/rewrite.ts';
import { findWeightedTaps, type WeightedTap } from '../../nn/taps.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import { Arena, ArenaLayout } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import { CORRECTIONS, type Correction, channelCorrection, needsBias } from './correction.ts';
import { type CorrectedLayers, correctedLayers, hasBatchNorm } from './layers.ts';
import type { Renormaliser } from './renormaliser.ts';
import { batchesTracked, passOver } from './statistics-pass.ts';
import { unitCorrelations } from './unit-correlations.ts';

/** Whether layers are measured at once, one after another, or computed in closed form. */
export type RepairForm = 'forward' | 'sequential' | 'closed';

export const REPAIR_FORMS: readonly RepairForm[] = ['forward', 'sequential', 'closed'];

/** Of `Repair`. */
export interface RepairOptions {
  /** The architecture. */
  readonly model: Model;
  /**
   * The models that are merged, their units already aligned, in arenas of the merged one's layout; or one alone, whose statistics what
   * was made of it (by pruning) is to have. They are only read.
   */
  readonly endpoints: readonly Arena[];
  /** Images that statistics are measured on. */
  readonly data: GpuDataset;
  /** Default: `repair`. */
  readonly correction?: Correction;
  /** Default: `forward`. */
  readonly form?: RepairForm;
  /** Default: `hidden`. */
  readonly layers?: CorrectedLayers;
  /** Images whose statistics are taken together, fewer where a binding holds fewer. Default: 250. */
  readonly batchSize?: number;
  /** Added to variances before the square root. Default: 1e-5. */
  readonly epsilon?: number;
}

/** REPAIR and its kin (Jordan et al. 2023): gives each unit of a merged network the mean and deviation that its ends have on average. */
export class Repair implements Renormaliser {
  readonly #context: Context;
  readonly #options: Required<RepairOptions>;
  readonly #merged: Arena;
  readonly #layers: readonly WeightedTap[];
  readonly #arenas: Arena[] = [];
  /** Means and unbiased variances as last measured. */
  readonly #measured: Arena;
  readonly #goals: Arena;
  /** Means and standard deviations of each model, once they have been measured. */
  readonly #endpointGoals: readonly Arena[];
  #endpointsMeasured = false;
  /** Of pairs of models k < l, layer by layer: the correlation of each unit with its match. Closed form only. */
  #correlations: readonly { k: number; l: number; of: ReadonlyMap<string, Float64Array> }[] = [];
  readonly #folds: Program[] = [];
  #forward: Program | undefined;

  /**
   * The caller destroys the re-normaliser; arenas and data stay the caller's.
   * @throws UnsupportedError when the network has batch norm (RESET is its REPAIR), or a layer has no bias to take a shift
   * (`withBiases` gives it one); OptionError for options out of range.
   */
  constructor(context: Context, merged: Arena, options: RepairOptions) {
    const { correction = 'repair', form = 'forward', layers = 'hidden', epsilon = 1e-5 } = options;
    const { logits } = forwardGraph(options.model);
    const wanted = Math.min(options.batchSize ?? 250, options.data.count);
    const batchSize = fittingBatchSize(context, [logits], wanted);
    this.#options = { ...options, correction, form, layers, epsilon, batchSize };
    checkOptions(this.#options);
    this.#context = context;
    this.#merged = merged;
    this.#layers = repairedLayers(options.model, correction, layers);
    const layout = (prefix: string, second: string) =>
      new ArenaLayout(
        this.#layers.flatMap(({ name, node }) => {
          const shape = [node.shape[1] as number];
          return [
            { name: `${prefix} ${name}.mean`, shape },
            { name: `${prefix} ${name}.${second}`, shape },
          ];
        }),
      );
    const arena = (entries: ArenaLayout, label: string) => {
      const made = new Arena(context, entries, label);
      this.#arenas.push(made);
      return made;
    };
    const goals = layout('goal', 'deviation');
    try {
      this.#measured = arena(layout('measured', 'variance'), 'measured statistics');
      this.#goals = arena(goals, 'goals');
      this.#endpointGoals = options.endpoints.map(() => arena(goals, 'statistics of a model'));
      for (const layer of this.#layers) this.#folds.push(this.#compileFold(layer));
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  async correct(coefficients: readonly number[], signal?: AbortSignal): Promise<void> {
    const { endpoints, data, form } = this.#options;
    if (coefficients.length !== endpoints.length) {
      throw new OptionError(
        `repair: ${endpoints.length} models need ${endpoints.length} coefficients, got ${coefficients.length}`,
      );
    }
    if (!this.#endpointsMeasured) await this.#measureEndpoints(signal);
    this.#endpointsMeasured = true;
    this.#mixGoals(coefficients);
    if (form === 'sequential') {
      for (const [index, layer] of this.#layers.entries()) {
        await this.#measure(this.#merged, [layer], signal);
        this.#folds[index]!.run(1);
      }
      return;
    }
    if (form === 'closed') await this.#expectStatistics(coefficients);
    else {
      this.#forward ??= this.#compileMeasure(this.#merged, this.#layers, true);
      await passOver(data, this.#forward, signal);
    }
    for (const fold of this.#folds) fold.run(1);
  }

  destroy(): void {
    this.#forward?.destroy();
    for (const fold of this.#folds) fold.destroy();
    for (const arena of this.#arenas) arena.destroy();
  }

  // ---- measuring -----------------------------------------------------------------------------------------------------------

  async #measureEndpoints(signal: AbortSignal | undefined): Promise<void> {
    const { endpoints, data, form } = this.#options;
    for (const [k, endpoint] of endpoints.entries()) {
      await this.#measure(endpoint, this.#layers, signal);
      const goals = this.#endpointGoals[k]!;
      for (const { name } of this.#layers) this.#keepAsGoal(name, goals);
    }
    if (form !== 'closed') return;
    const pairs = endpoints.flatMap((_, k) => endpoints.slice(k + 1).map((_, i) => ({ k, l: k + 1 + i })));
    const found = [];
    for (const { k, l } of pairs) {
      const [a, b] = [endpoints[k]!, endpoints[l]!];
      const of = await unitCorrelations(this.#context, {
        a,
        b,
        layers: this.#layers,
        data,
        signal,
      });
      found.push({ k, l, of });
    }
    this.#correlations = found;
  }

  /** Mean as it is, the square root of the variance. */
  #keepAsGoal(name: string, goals: Arena): void {
    const context = this.#context;
    const [from, to] = [this.#measured.view(`measured ${name}.mean`), goals.view(`goal ${name}.mean`)];
    context.recorder.copy(from.buffer, from.offset, to.buffer, to.offset, 4 * to.shape[0]!);
    const variance = this.#measured.view(`measured ${name}.variance`);
    const output = goals.view(`goal ${name}.deviation`);
    context.record(...elementwise(context, { expression: 'sqrt(a)', inputs: [{ view: variance }], output }));
  }

  async #measure(
    state: Arena,
    layers: readonly WeightedTap[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const program = this.#compileMeasure(state, layers, false);
    try {
      await passOver(this.#options.data, program, signal);
    } finally {
      program.destroy();
    }
  }

  /** The network as far as `layers` need it, storing their statistics; with every layer's correction inserted where asked. */
  #compileMeasure(state: Arena, layers: readonly WeightedTap[], corrected: boolean): Program {
    const { model, correction, epsilon, batchSize } = this.#options;
    const { logits } = forwardGraph(model);
    const names = new Set(layers.map(({ name }) => name));
    const taps = new Map(
      findWeightedTaps([logits]).flatMap((tap) => (names.has(tap.name) ? [[tap.node, tap] as const] : [])),
    );
    const tracked = batchesTracked();
    const stores: (readonly [Node, ReturnType<Arena['view']>])[] = [];
    rewrite([logits], (node, original) => {
      const tap = taps.get(original);
      if (!tap) return node;
      const { mean: runningMean, variance: runningVar } = measuredBuffers(tap);
      const statistics = trackStatistics(node, {
        runningMean,
        runningVar,
        momentum: null,
        batchesTracked: tracked,
      });
      for (const [name, value] of Object.entries(statistics.stores)) {
        stores.push([value, this.#measured.view(name)]);
      }
      if (!corrected) return node;
      const { centre, factor, shift } = channelCorrection(correction, {
        mean: statistics.mean,
        // Goals are measured so: then one batch gives what folding leaves, layer by layer.
        variance: statistics.unbiasedVariance,
        ...goalBuffers(tap),
        epsilon,
      });
      return normalise(node, centre, factor, shift);
    });
    const arenas = [state, this.#measured, this.#goals];
    return compile(this.#context, { outputs: {}, stores, arenas, batchSize });
  }

  // ---- goals and folding ---------------------------------------------------------------------------------------------------

  #mixGoals(coefficients: readonly number[]): void {
    const context = this.#context;
    for (const [k, { windows }] of this.#endpointGoals.entries()) {
      const alpha = coefficients[k]!;
      context.record(
        ...(k === 0
          ? scaleArena(context, { alpha, x: windows, output: this.#goals.windows })
          : axpy(context, { alpha, x: windows, y: this.#goals.windows })),
      );
    }
  }

  /** Writes what the closed form expects of the merged network in place of measured statistics. */
  async #expectStatistics(coefficients: readonly number[]): Promise<void> {
    const models: Map<string, Float32Array>[] = [];
    for (const arena of this.#endpointGoals) models.push(await arena.read());
    const expected = new Map<string, Float32Array>();
    for (const { name, node } of this.#layers) {
      const channels = node.shape[1] as number;
      const [mean, variance] = [new Float32Array(channels), new Float32Array(channels)];
      for (let c = 0; c < channels; c++) {
        const share = (k: number) => coefficients[k]! * models[k]!.get(`goal ${name}.deviation`)![c]!;
        let [m, v] = [0, 0];
        for (const k of models.keys()) {
          m += coefficients[k]! * models[k]!.get(`goal ${name}.mean`)![c]!;
          v += share(k) * share(k);
        }
        for (const { k, l, of } of this.#correlations) v += 2 * share(k) * share(l) * of.get(name)![c]!;
        mean[c] = m;
        variance[c] = Math.max(0, v);
      }
      expected.set(`measured ${name}.mean`, mean);
      expected.set(`measured ${name}.variance`, variance);
    }
    this.#measured.write(expected);
  }

  /** The correction of one layer, worked into its weight and bias: W' = factor W, b' = (b - centre) factor + shift. */
  #compileFold(layer: WeightedTap): Program {
    const { correction, epsilon } = this.#options;
    const merged = this.#merged;
    const { mean, variance } = measuredBuffers(layer);
    const { centre, factor, shift } = channelCorrection(correction, {
      mean,
      variance,
      ...goalBuffers(layer),
      epsilon,
    });
    const shape = merged.layout.slice(layer.weight).shape;
    const weight = parameter(layer.weight, shape);
    const rows = shape.length > 2 ? mergeAxes(weight, 1, shape.length - 1) : weight;
    const stores: (readonly [Node, ReturnType<Arena['view']>])[] = [
      [multiply(rows, broadcast(factor, 1, rows.shape[1]!)), merged.view(layer.weight)],
    ];
    if (layer.bias !== undefined) {
      const bias = parameter(layer.bias, merged.layout.slice(layer.bias).shape);
      stores.push([add(multiply(subtract(bias, centre), factor), shift), merged.view(layer.bias)]);
    }
    const arenas = [merged, this.#measured, this.#goals];
    return compile(this.#context, { outputs: {}, stores, arenas, batchSize: 1 });
  }
}

function measuredBuffers({ name, node }: WeightedTap): { mean: Node; variance: Node } {
  const shape = [node.shape[1] as number];
  return {
    mean: buffer(`measured ${name}.mean`, shape),
    variance: buffer(`measured ${name}.variance`, shape),
  };
}

function goalBuffers({ name, node }: WeightedTap): { goalMean: Node; goalDeviation: Node } {
  const shape = [node.shape[1] as number];
  return {
    goalMean: buffer(`goal ${name}.mean`, shape),
    goalDeviation: buffer(`goal ${name}.deviation`, shape),
  };
}

function checkOptions({ endpoints, correction, form, epsilon }: Required<RepairOptions>): void {
  if (!CORRECTIONS.includes(correction)) {
    throw new OptionError(`repair: correction must be one of ${CORRECTIONS.join(', ')}, got "${correction}"`);
  }
  if (!REPAIR_FORMS.includes(form)) {
    throw new OptionError(`repair: form must be one of ${REPAIR_FORMS.join(', ')}, got "${form}"`);
  }
  const least = form === 'closed' ? 2 : 1;
  if (endpoints.length < least) {
    throw new OptionError(
      `repair: the ${form} form needs the statistics of at least ${least === 1 ? '1 model' : '2 models'}, got ${endpoints.length}`,
    );
  }
  if (!(epsilon >= 0)) throw new OptionError(`repair: epsilon must be at least 0, got ${epsilon}`);
}

/**
 * The layers that a correction works on.
 * @throws UnsupportedError when the network has batch norm (RESET is its REPAIR), or a layer has no bias to take a shift.
 */
export function repairedLayers(model: Model, correction: Correction, which: CorrectedLayers): WeightedTap[] {
  if (hasBatchNorm(model)) {
    throw new UnsupportedError(
      `repair: ${model.name} has batch norm, whose own scale and shift already say what results should be; use reset`,
    );
  }
  const layers = correctedLayers(model, which);
  const bare = needsBias(correction) ? layers.find(({ bias }) => bias === undefined) : undefined;
  if (bare) {
    throw new UnsupportedError(
      `repair: layer "${bare.name}" of ${model.name} has no bias to take the shift of ${correction}; give the model biases (withBiases) or use rescale`,
    );
  }
  return layers;
}
