/**
 * A recording: dispatches and copies collected once, and encoded as often as wanted into the command encoders or compute passes of a
 * host application, which submits them.
 *
 * A recording has a uniform buffer of its own, filled when it is made, so nothing has to reach the queue between encoding and the
 * host's submit; encoding makes no GPU object. The rules for hosts stand in docs/embedding.md.
 */
import { ShapeError, StateError } from '../base/errors.ts';
import type { Context } from './context.ts';
import { BufferUsage } from './gpu-constants.ts';
import type { Pipeline } from './pipeline-cache.ts';
import type { PreparedDispatch } from './recorder.ts';

/** What a recorder hands over instead of encoding it. `sizeBytes` counts for copies and clears. */
export type Captured =
  | { readonly type: 'dispatch'; readonly prepared: PreparedDispatch }
  | {
      readonly type: 'copy';
      readonly source: GPUBuffer;
      readonly sourceOffset: number;
      readonly target: GPUBuffer;
      readonly targetOffset: number;
      readonly sizeBytes: number;
    }
  | {
      readonly type: 'clear';
      readonly buffer: GPUBuffer;
      readonly offset: number;
      readonly sizeBytes: number;
    };

type Step =
  | Exclude<Captured, { type: 'dispatch' }>
  | {
      readonly type: 'dispatch';
      readonly pipeline: Pipeline;
      readonly bindGroup: GPUBindGroup;
      readonly offset: number;
      readonly workgroups: readonly [number, number, number];
    };

/** How a recording makes the bind group of a dispatch whose parameters lie in `uniforms`. */
type MakeBindGroup = (prepared: PreparedDispatch, uniforms: GPUBuffer) => GPUBindGroup;

/** Dispatches and copies, to be encoded into a host's command encoders or compute passes as often as wanted. */
export class Recording {
  /** The context that recorded it. */
  readonly context: Context;
  /** Dispatches in it. */
  readonly dispatches: number;
  /** Estimated multiply-adds. A GPU's watchdog kills submits that run for seconds: about 2e10 are milliseconds on a GPU. */
  readonly work: number;
  /** Whether it holds copies or clears, which a compute pass cannot take. Programs that store into what they read have copies. */
  readonly needsEncoder: boolean;
  readonly #steps: readonly Step[];
  readonly #uniforms: GPUBuffer | undefined;
  readonly #onDestroy: (recording: Recording) => void;
  #destroyed = false;

  /** Use `context.recording`. */
  constructor(
    context: Context,
    captured: readonly Captured[],
    makeBindGroup: MakeBindGroup,
    onDestroy: (recording: Recording) => void,
  ) {
    const prepared = captured.flatMap((step) => (step.type === 'dispatch' ? [step.prepared] : []));
    this.context = context;
    this.dispatches = prepared.length;
    this.work = prepared.reduce((sum, { work }) => sum + work, 0);
    this.needsEncoder = captured.length > prepared.length;
    this.#onDestroy = onDestroy;
    const uniforms = this.#upload(prepared);
    this.#uniforms = uniforms;
    const { slotBytes } = context.recorder;
    let slot = 0;
    this.#steps = captured.map((step) => {
      if (step.type !== 'dispatch') return step;
      const { pipeline, workgroups } = step.prepared;
      const bindGroup = makeBindGroup(step.prepared, uniforms!);
      return { type: 'dispatch', pipeline, bindGroup, offset: slotBytes * slot++, workgroups };
    });
  }

  /**
   * Encodes everything into the host's encoder, in the order of recording. Submits whatever the context had recorded before (in a
   * submit of its own), so that this runs after it; never submits what the host gave.
   * @param target a `GPUCommandEncoder`, into which compute passes and copies are put; or an open `GPUComputePassEncoder`, whose pipeline
   *   and bind group 0 are then others than before. Both stay the host's: to end, finish and submit.
   * @throws StateError when the recording or its context was destroyed, ShapeError when a pass is given and there are copies to encode.
   */
  encode(target: GPUCommandEncoder | GPUComputePassEncoder): void {
    if (this.#destroyed) throw new StateError('recording.encode: it was destroyed; make a new one');
    this.context.flush();
    if ('beginComputePass' in target) {
      this.#encodeInto(target);
      return;
    }
    if (this.needsEncoder) {
      throw new ShapeError(
        'recording.encode: it holds copies, which a compute pass cannot take; give the GPUCommandEncoder outside of any pass',
      );
    }
    for (const step of this.#steps) if (step.type === 'dispatch') encodeDispatch(target, step);
  }

  /**
   * Frees its uniform buffer, and tensors that were destroyed while it was recorded. The other tensors it uses stay what they are. What
   * was encoded must have been submitted by then.
   * Safe to call twice; destroying the context does the same.
   */
  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#uniforms?.destroy();
    this.#onDestroy(this);
  }

  #encodeInto(encoder: GPUCommandEncoder): void {
    let pass: GPUComputePassEncoder | undefined;
    for (const step of this.#steps) {
      if (step.type === 'dispatch') {
        pass ??= encoder.beginComputePass({ label: 'rebasin' });
        encodeDispatch(pass, step);
        continue;
      }
      pass?.end();
      pass = undefined;
      if (step.type === 'clear') encoder.clearBuffer(step.buffer, step.offset, step.sizeBytes);
      else {
        const { source, sourceOffset, target, targetOffset, sizeBytes } = step;
        encoder.copyBufferToBuffer(source, sourceOffset, target, targetOffset, sizeBytes);
      }
    }
    pass?.end();
  }

  /** One slot a dispatch, written while the buffer is mapped: no queue is involved. */
  #upload(prepared: readonly PreparedDispatch[]): GPUBuffer | undefined {
    if (prepared.length === 0) return undefined;
    const { device, recorder } = this.context;
    const { slotBytes } = recorder;
    const uniforms = device.createBuffer({
      label: 'uniforms of a recording',
      size: slotBytes * prepared.length,
      usage: BufferUsage.UNIFORM,
      mappedAtCreation: true,
    });
    const bytes = new Uint8Array(uniforms.getMappedRange());
    for (const [slot, { params }] of prepared.entries()) bytes.set(params, slot * slotBytes);
    uniforms.unmap();
    return uniforms;
  }
}

function encodeDispatch(pass: GPUComputePassEncoder, step: Step & { type: 'dispatch' }): void {
  pass.setPipeline(step.pipeline.pipeline);
  pass.setBindGroup(0, step.bindGroup, [step.offset]);
  pass.dispatchWorkgroups(step.workgroups[0], step.workgroups[1], step.workgroups[2]);
}
