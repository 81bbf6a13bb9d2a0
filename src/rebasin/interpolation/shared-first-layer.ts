/**
 * The first layer of networks whose weights are mixed, computed once for all mixtures.
 *
 * A linear layer that reads the images alone is linear in its weight and bias: with weights c_0 W_0 + c_1 W_1 it gives
 * c_0 (W_0 x) + c_1 (W_1 x). So what it gives with each network's own weights is computed once for a data set and kept, and every point
 * of a sweep or a plane only adds it up: its sums are rounded before they are mixed in place of after, all else is the same. At a
 * network itself a point has the very bits that the network gives.
 *
 * Only linear layers: an output of a convolution is a sum of so few products that mixing would take as long. Only in the numerics class
 * f32: f16 rounds weights once they are mixed, which is not linear.
 */
import { elementwise } from '../../kernels/elementwise/elementwise.ts';
import { fittingBatchSize } from '../../nn/batch-size.ts';
import { type LeafAttributes, leavesOf, type Node, topologicalOrder } from '../../nn/graph.ts';
import { forwardGraph, type Model } from '../../nn/models/model.ts';
import { input } from '../../nn/ops/index.ts';
import { compile, type Program } from '../../nn/program.ts';
import { rewrite } from '../../nn/rewrite.ts';
import { EVALUATION_BATCH_SIZE, Evaluator, type LogitSource } from '../../nn/train/evaluate.ts';
import type { GpuDataset } from '../../nn/train/gpu-dataset.ts';
import type { Arena } from '../../runtime/arena.ts';
import type { Context } from '../../runtime/context.ts';
import type { Dispatch, Numerics, TensorView } from '../../runtime/kernel.ts';
import type { Scope } from '../../runtime/scope.ts';
import type { Tensor } from '../../runtime/tensor.ts';

/** Networks, and how they are mixed now: weights are the sum of each network's times its share. */
export interface Mixture {
  /** Two or three, of one layout, with every entry of the model. They do not change while the mixture is used. */
  readonly networks: readonly Arena[];
  /** One each; they add up to 1. Whoever mixes the weights says here how. */
  shares: readonly number[];
}

export interface MixedEvaluatorOptions {
  readonly model: Model;
  /** Holds the weights that are evaluated. It stays the caller's. */
  readonly arena: Arena;
  /** What the arena holds whenever the evaluator runs. Default: anything. */
  readonly mixture?: Mixture | undefined;
  /** It stays the caller's. */
  readonly dataset: GpuDataset;
  /** Default: 500. Does not change the result. */
  readonly batchSize?: number | undefined;
}

/** An evaluator of mixed weights, which shares the first layer where there is one to share. @param scope owns it. */
export function mixedEvaluator(context: Context, scope: Scope, options: MixedEvaluatorOptions): Evaluator {
  const { model, arena, mixture, dataset, batchSize } = options;
  const { numerics } = context;
  const split =
    mixture &&
    splitFirstLayer(model, { samples: dataset.count, networks: mixture.networks.length, numerics });
  if (!mixture || !split) return scope.own(new Evaluator(context, model, [arena], dataset, batchSize));
  const first = new SharedFirstLayer(context, scope, { split, mixture, dataset, batchSize });
  return scope.own(new Evaluator(context, model, [arena], dataset, first.batchSize, first));
}

/** A network in two parts. */
export interface SplitNetwork {
  /** The first layer, of the images: [N, width]. */
  readonly first: Node;
  /** Whether a ReLU follows that belongs to neither part: it is applied to what is handed on. */
  readonly relu: boolean;
  /** [N, classes], of an input in place of the first layer: [N, width]. */
  readonly logits: Node;
}

/** What the choice depends on beside the model: never on a device's limits, since it shows in the bits of results. */
export interface SplitChoice {
  /** Of the data set. */
  readonly samples: number;
  /** How many are mixed. */
  readonly networks: number;
  readonly numerics: Numerics;
}

const HANDED_ON = 'first layer';

/** What the first layer gives for all samples of a data set, with the weights of all networks, may take this many bytes. */
const MOST_BYTES = 2 ** 28;

/**
 * Splits a model behind its first layer.
 * @returns undefined where no linear layer with weights of its own stands between the images and everything else, where it is not
 * linear in numerics class f16, and where what it gives takes too much memory.
 */
export function splitFirstLayer(
  model: Model,
  { samples, networks, numerics }: SplitChoice,
): SplitNetwork | undefined {
  if (numerics !== 'f32') return undefined;
  const whole = forwardGraph(model).logits;
  const order = topologicalOrder([whole]);
  const first = order.find(isFirstLayer);
  if (!first || 4 * samples * (first.shape[1] as number) * networks > MOST_BYTES) return undefined;
  const users = order.filter(({ inputs }) => inputs.includes(first));
  // It stays with the layer: one pass mixes and applies it.
  const relu = users.length === 1 && users[0]!.operation.name === 'relu';
  const replaced = relu ? users[0]! : first;
  const handedOn = input(HANDED_ON, first.shape);
  const [logits] = rewrite([whole], (node, original) => (original === replaced ? handedOn : node));
  const reads = leavesOf([logits!], 'input').map(({ attributes }) => (attributes as LeafAttributes).name);
  return reads.some((name) => name !== HANDED_ON) ? undefined : { first, relu, logits: logits! };
}

/** Whether it is linear in its parameters, and reads nothing else that differs between networks. */
function isFirstLayer({ operation, inputs: [x, ...parameters] }: Node): boolean {
  if (operation.name !== 'linear') return false;
  const isParameter = ({ inputs, attributes }: Node) =>
    inputs.length === 0 && (attributes as LeafAttributes).kind === 'parameter';
  const ofNetwork = (['parameter', 'buffer'] as const).flatMap((kind) => leavesOf([x!], kind));
  return parameters.every(isParameter) && ofNetwork.length === 0;
}

interface SharedFirstLayerOptions extends Pick<MixedEvaluatorOptions, 'dataset' | 'batchSize'> {
  readonly split: SplitNetwork;
  readonly mixture: Mixture;
}

/** What the first layer gives with each network's own weights, kept, and mixed for the rest of the network. */
class SharedFirstLayer implements LogitSource {
  readonly logits: Node;
  readonly batchSize: number;
  readonly #context: Context;
  readonly #mixture: Mixture;
  readonly #dataset: GpuDataset;
  readonly #relu: boolean;
  readonly #scope: Scope;
  /** The first layer, of each network. */
  readonly #programs: readonly Program[];
  /** By its first sample the first layer of a batch, of each network: [rows, width]. */
  readonly #batches = new Map<number, readonly Tensor[]>();

  /** @param scope owns what it makes. */
  constructor(context: Context, scope: Scope, options: SharedFirstLayerOptions) {
    const { split, mixture, dataset, batchSize = EVALUATION_BATCH_SIZE } = options;
    const { first, relu, logits } = split;
    this.logits = logits;
    this.batchSize = fittingBatchSize(context, [first, logits], Math.min(batchSize, dataset.count));
    this.#context = context;
    this.#scope = scope;
    this.#mixture = mixture;
    this.#dataset = dataset;
    this.#relu = relu;
    this.#programs = mixture.networks.map((arena) =>
      scope.own(compile(context, { outputs: { first }, arenas: [arena], batchSize: this.batchSize })),
    );
  }

  fill(program: Program, start: number, batchSize: number): void {
    const { shares } = this.#mixture;
    const batch = this.#batches.get(start) ?? this.#compute(start);
    const rows = (view: TensorView): TensorView => {
      const { buffer, offset, dtype } = view;
      return { buffer, offset, dtype, shape: [batchSize, view.shape[1]!] };
    };
    const output = rows(program.input(HANDED_ON));
    this.#context.record(...mix(this.#context, batch.map(rows), shares, this.#relu, output));
  }

  /** The batch that begins with sample `start`, as long as batches get. */
  #compute(start: number): readonly Tensor[] {
    const context = this.#context;
    const dataset = this.#dataset;
    const rows = Math.min(this.batchSize, dataset.count - start);
    const batch = this.#programs.map((program) => {
      dataset.fillImages(program, dataset.inOrder, start, rows);
      program.run(rows);
      const { buffer, offset, shape } = program.output('first', rows);
      const kept = this.#scope.own(context.tensor(shape, 'f32', { label: HANDED_ON }));
      context.recorder.copy(buffer, offset, kept.buffer, kept.offset, 4 * rows * shape[1]!);
      return kept;
    });
    this.#batches.set(start, batch);
    return batch;
  }
}

/**
 * The sum of values times shares, rounded as that of weights is (`interpolate`, `combine`). What has no share is left out, whatever
 * it holds, so that at a network the values are its own.
 */
function mix(
  context: Context,
  values: readonly TensorView[],
  shares: readonly number[],
  relu: boolean,
  output: TensorView,
): Dispatch[] {
  const taken = shares.flatMap((share, i) => (Math.fround(share) === 0 ? [] : [{ share, view: values[i]! }]));
  const [, ...others] = taken;
  const first = others.length === 0 ? 'a' : 's0 * a';
  const sum = others.reduce((text, _, i) => `fma(T(s${i + 1}), ${'bc'[i]}, ${text})`, first);
  return elementwise(context, {
    expression: relu ? `rectified(${sum})` : sum,
    inputs: taken.map(({ view }) => ({ view })),
    scalars: taken.map(({ share }) => share),
    output,
  });
}
