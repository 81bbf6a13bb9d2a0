/**
 * A program: a graph compiled for one context. Kernels are chosen, memory is planned by lifetime, bind groups are made once; `run`
 * then only records.
 *
 * The batch size N is the one thing that varies. Memory is planned for the largest; what depends on N (uniforms and grids) is made
 * at the first run with that N and kept, so a tail batch needs no new program and a steady state makes no GPU object.
 */
import { ShapeError } from '../base/errors.ts';
import { elementwise } from '../kernels/elementwise/elementwise.ts';
import type { Arena } from '../runtime/arena.ts';
import type { Context } from '../runtime/context.ts';
import { type Dispatch, type DType, elementCount, type TensorView } from '../runtime/kernel.ts';
import type { PreparedDispatch } from '../runtime/recorder.ts';
import type { Tensor } from '../runtime/tensor.ts';
import { leavesOf, type Node } from './graph.ts';
import { isLeaf, lower, type Step } from './lowering.ts';
import { type Lifetime, planMemory } from './memory-plan.ts';
import type { Epilogue, EpilogueViews } from './operation.ts';
import { concreteShape, formatShape } from './shape.ts';

/** What to compute, from what, and for how many samples at once. */
export interface ProgramOptions {
  /** Values to keep: read them with `program.output(name)` after a run. */
  readonly outputs: Readonly<Record<string, Node>>;
  /**
   * Values to store elsewhere at each run, such as gradients or new running statistics into an arena. A target may lie in an arena that
   * the program reads: it then gets its value after everything was read.
   */
  readonly stores?: Iterable<readonly [node: Node, target: TensorView]>;
  /** Where parameters and buffers are found by name; the first arena that has a name gives it. */
  readonly arenas: readonly Arena[];
  /** Largest batch size. */
  readonly batchSize: number;
  /** Views to read inputs from. Inputs not named here get a tensor of the program's own. */
  readonly inputs?: Readonly<Record<string, TensorView>>;
}

/** Compiles a graph. The caller destroys the program; arenas and given views stay the caller's. */
export function compile(context: Context, options: ProgramOptions): Program {
  return new Program(context, options);
}

/** All that a run with one batch size records, looked up once: a run makes no object, on the GPU or off it. */
interface PreparedRun {
  readonly dispatches: readonly PreparedDispatch[];
  readonly copies: readonly {
    readonly source: TensorView;
    readonly target: TensorView;
    readonly sizeBytes: number;
  }[];
}

/** A graph compiled for one context: kernels chosen, memory planned, bind groups made. `run` only records. */
export class Program {
  /** Where it runs. */
  readonly context: Context;
  /** The largest, for which memory is planned. */
  readonly batchSize: number;
  /** Bytes of memory slots after sharing, outputs and inputs not counted. */
  readonly plannedBytes: number;
  readonly #steps: readonly Step[];
  readonly #buffers = new Map<Node, TensorView>();
  readonly #inputs = new Map<string, TensorView>();
  readonly #outputs = new Map<string, Node>();
  readonly #owned: Tensor[] = [];
  readonly #scratch: Tensor[] = [];
  /** Stored values that cannot be computed in place: copied at the end of a run. */
  readonly #copies: { readonly node: Node; readonly target: TensorView }[] = [];
  readonly #runs = new Map<number, PreparedRun>();
  #destroyed = false;

  /** Use `compile`. */
  constructor(context: Context, options: ProgramOptions) {
    this.context = context;
    this.batchSize = options.batchSize;
    if (!Number.isInteger(options.batchSize) || options.batchSize < 1) {
      throw new ShapeError(`compile: batchSize must be a positive integer, got ${options.batchSize}`);
    }
    const stores = [...(options.stores ?? [])];
    const stored = new Set(stores.map(([node]) => node));
    const wanted = [...Object.values(options.outputs), ...stored];
    this.#steps = lower(wanted);
    try {
      this.#bindLeaves(wanted, options);
      for (const [name, node] of Object.entries(options.outputs)) {
        this.#outputs.set(name, node);
        if (!this.#buffers.has(node) && !stored.has(node)) this.#own(node);
      }
      for (const [node, view] of stores) this.#store(node, view);
      this.plannedBytes = this.#planSlots();
      this.#runs.set(this.batchSize, this.#prepare(this.batchSize));
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  /** The view to write an input to before a run: the rows of the first N count. */
  input(name: string): TensorView {
    const view = this.#inputs.get(name);
    if (!view)
      throw new ShapeError(
        `program: no input "${name}"; it has ${[...this.#inputs.keys()].join(', ') || 'none'}`,
      );
    return view;
  }

  /** An output's value after a run with batch size N. The view stays the program's and is overwritten by the next run. */
  output(name: string, batchSize = this.batchSize): TensorView {
    const node = this.#outputs.get(name);
    if (!node)
      throw new ShapeError(`program: no output "${name}"; it has ${[...this.#outputs.keys()].join(', ')}`);
    return this.#view(node, batchSize);
  }

  /** Records one run over the first `batchSize` rows of the inputs. */
  run(batchSize = this.batchSize): void {
    let prepared = this.#runs.get(batchSize);
    if (!prepared) {
      if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > this.batchSize) {
        throw new ShapeError(
          `program.run: batch size must be 1 to ${this.batchSize} (what it was compiled for), got ${batchSize}`,
        );
      }
      prepared = this.#prepare(batchSize);
      this.#runs.set(batchSize, prepared);
    }
    const { recorder } = this.context;
    for (const dispatch of prepared.dispatches) recorder.dispatch(dispatch);
    for (const { source, target, sizeBytes } of prepared.copies)
      recorder.copy(source.buffer, source.offset, target.buffer, target.offset, sizeBytes);
  }

  /** Frees what the program made. Safe to call twice. */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    for (const tensor of [...this.#owned, ...this.#scratch]) tensor.destroy();
    this.#runs.clear();
  }

  // ---- planning ------------------------------------------------------------------------------------------------------------

  #bindLeaves(wanted: readonly Node[], options: ProgramOptions): void {
    const leaves = {
      input: leavesOf(wanted, 'input'),
      parameter: leavesOf(wanted, 'parameter'),
      buffer: leavesOf(wanted, 'buffer'),
    };
    const views = new Map<string, TensorView>();
    for (const node of leaves.input) {
      const { name } = node.attributes;
      const shape = concreteShape(node.shape, this.batchSize);
      const given = options.inputs?.[name];
      if (given && (given.dtype !== node.dtype || elementCount(given.shape) < elementCount(shape))) {
        throw new ShapeError(
          `compile: input "${name}" needs ${node.dtype} ${formatShape(shape)}, got ${given.dtype} ${formatShape(given.shape)}`,
        );
      }
      const view = given ?? this.#tensor(shape, node.dtype, name);
      views.set(`input ${name}`, view);
      this.#inputs.set(name, view);
    }
    for (const node of [...leaves.parameter, ...leaves.buffer]) {
      const { kind, name } = node.attributes;
      const arena = options.arenas.find((candidate) => candidate.layout.has(name));
      const view = arena?.view(name);
      if (!view || view.shape.join() !== node.shape.join()) {
        throw new ShapeError(
          `compile: ${kind} "${name}" ${formatShape(node.shape)} is ${view ? `${formatShape(view.shape)} in its arena` : 'in none of the arenas'}`,
        );
      }
      views.set(`${kind} ${name}`, view);
    }
    // Two leaf nodes of one name are one value.
    for (const step of this.#steps) for (const node of step.inputs) this.#bindLeaf(node, views);
    for (const node of wanted) this.#bindLeaf(node, views);
  }

  #bindLeaf(node: Node, views: ReadonlyMap<string, TensorView>): void {
    if (isLeaf(node)) this.#buffers.set(node, views.get(`${node.attributes.kind} ${node.attributes.name}`)!);
  }

  #store(node: Node, target: TensorView): void {
    const shape = concreteShape(node.shape, this.batchSize);
    if (elementCount(target.shape) !== elementCount(shape)) {
      throw new ShapeError(
        `compile: a value of shape ${formatShape(shape)} cannot be stored in ${formatShape(target.shape)}`,
      );
    }
    // Straight into the target where no dispatch would read and write one buffer, and nobody else needs the value.
    const step = this.#steps.find((candidate) => candidate.node === node);
    const readsTarget = step?.inputs.some((input) => this.#buffers.get(input)?.buffer === target.buffer);
    const isRead = this.#steps.some((candidate) => candidate.inputs.includes(node));
    if (step && !readsTarget && !isRead && !this.#buffers.has(node)) this.#buffers.set(node, target);
    else this.#copies.push({ node, target });
  }

  #tensor(shape: readonly number[], dtype: DType, label: string): Tensor {
    const tensor = this.context.tensor(shape, dtype, { label });
    this.#owned.push(tensor);
    return tensor;
  }

  #own(node: Node): void {
    this.#buffers.set(
      node,
      this.#tensor(concreteShape(node.shape, this.batchSize), node.dtype, node.operation.name),
    );
  }

  /** Gives a slot to every value that has no place yet. @returns the bytes of all slots. */
  #planSlots(): number {
    const lastStep = new Map<Node, number>();
    this.#steps.forEach((step, index) => {
      for (const node of step.inputs) lastStep.set(node, index);
    });
    for (const { node } of this.#copies) lastStep.set(node, this.#steps.length);
    const nodes: Node[] = [];
    const lifetimes: Lifetime[] = [];
    this.#steps.forEach(({ node }, index) => {
      if (this.#buffers.has(node)) return;
      const size = elementCount(concreteShape(node.shape, this.batchSize));
      nodes.push(node);
      lifetimes.push({ size, firstStep: index, lastStep: lastStep.get(node) ?? index });
    });
    const plan = planMemory(lifetimes);
    const slots = plan.slotSizes.map((size) => this.#tensor([size], 'f32', 'slot'));
    nodes.forEach((node, i) => {
      const { buffer, offset } = slots[plan.slotOf[i]!]!;
      this.#buffers.set(node, { buffer, offset, shape: node.shape as number[], dtype: node.dtype });
    });
    return plan.slotSizes.reduce((sum, size) => sum + 4 * size, 0);
  }

  // ---- one batch size ------------------------------------------------------------------------------------------------------

  #view(node: Node, batchSize: number): TensorView {
    const { buffer, offset } = this.#buffers.get(node)!;
    return { buffer, offset, shape: concreteShape(node.shape, batchSize), dtype: node.dtype };
  }

  #prepare(batchSize: number): PreparedRun {
    const dispatches = this.#steps.flatMap((step) =>
      this.#dispatches(step, batchSize).map((dispatch) => this.context.prepare(dispatch)),
    );
    const copies = this.#copies.map(({ node, target }) => {
      const source = this.#view(node, batchSize);
      return { source, target, sizeBytes: 4 * elementCount(source.shape) };
    });
    return { dispatches, copies };
  }

  #dispatches(step: Step, batchSize: number): Dispatch[] {
    const { context } = this;
    const inputs = step.inputs.map((node) => this.#view(node, batchSize));
    const output = this.#view(step.node, batchSize);
    const { kind } = step;
    if (kind.type === 'operation') {
      const { operation, attributes, inputs: own } = kind.operationNode;
      let used = 0;
      return operation.kernels!({
        context,
        inputs: inputs.slice(0, own.length),
        output,
        attributes,
        epilogue: epilogueViews(kind.epilogue, inputs.slice(own.length)),
        scratch: (shape, dtype = 'f32') => this.#scratchView(used++, shape, dtype),
      });
    }
    const { text, broadcasts, scalarNodes } = kind.expression;
    const scalars = scalarNodes.flatMap((node) => [
      ...(node.operation.expression!(node.attributes, batchSize).scalars ?? []),
    ]);
    return elementwise(context, {
      expression: text,
      inputs: inputs.map((view, i) => {
        const broadcast = broadcasts[i];
        if (!broadcast) return { view };
        const target = concreteShape(broadcast.shape, batchSize);
        return {
          view,
          broadcast: broadcast.operation.broadcastPattern!(view.shape, target, broadcast.attributes),
        };
      }),
      output,
      scalars,
    });
  }

  /** Scratch number `index` of a step. Steps run one after another, so all share the same few tensors. */
  #scratchView(index: number, shape: readonly number[], dtype: DType): TensorView {
    let tensor = this.#scratch[index];
    if (!tensor || elementCount(tensor.shape) < elementCount(shape)) {
      // Steps prepared earlier keep the smaller tensor in their bind groups; it goes when the program goes.
      if (tensor) this.#owned.push(tensor);
      tensor = this.context.tensor(shape, dtype, { label: 'scratch' });
      this.#scratch[index] = tensor;
    }
    return { buffer: tensor.buffer, offset: 0, shape, dtype };
  }
}

function epilogueViews(parts: readonly Epilogue[], views: readonly TensorView[]): EpilogueViews {
  const left = views.values();
  const next = () => left.next().value!;
  return {
    ...(parts.includes('norm') ? { norm: { mean: next(), factor: next(), shift: next() } } : {}),
    ...(parts.includes('addend') ? { addend: next() } : {}),
    ...(parts.includes('relu') ? { activation: 'relu' } : {}),
  };
}
