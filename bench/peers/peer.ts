/** Engines of others: what the suite asks of each, whatever its own ways are. */
import type { Contestant } from '../case.ts';
import type { Problem } from '../problem.ts';

/** Thrown by a peer that has no way to compute a problem, with the reason. */
export class PeerCannot extends Error {
  override name = 'PeerCannot';
}

export interface Peer {
  readonly engine: string;
  /** Of its packages. */
  readonly versions: Readonly<Record<string, string>>;
  /** Of the device that it computes on. Default: it computes on the host. */
  readonly adapterInfo?: GPUAdapterInfo;
  /** Whether the problem is of the kind that the engine is made for; of others it is not asked. */
  concerns(problem: Problem): boolean;
  /**
   * Uploads a problem and makes ready to compute it.
   * @throws PeerCannot
   */
  contestant(problem: Problem): Promise<Contestant>;
}

/** What a peer needs to know of where it runs. */
export interface PeerHost {
  readonly name: 'node' | 'browser';
  /** Where it gets its adapter; in Node the one that the suite's own adapter came from. */
  readonly gpu: GPU;
  /** Versions of installed packages by name. */
  versions(packages: readonly string[]): Readonly<Record<string, string>>;
  /** Runs a file of a package that is an ES module without saying so, where `import` does not. Default: `import` does. */
  runModule?(specifier: string): Promise<void>;
  /** How WebAssembly runs here, to be told beside versions. Default: as it does anywhere. */
  readonly webAssembly?: string;
  /** Where ONNX Runtime's WebAssembly lies, for browsers. Default: in its package. */
  readonly onnxFiles?: string;
}

/** A peer that may be asked for, by the name of its engine. */
export interface PeerSource {
  readonly engine: string;
  /** npm packages that it needs. */
  readonly packages: readonly string[];
  load(host: PeerHost): Promise<Peer>;
}
