/**
 * What differs between Node and a browser, and nothing else: how to get a GPU adapter, how to wait for it, how to read bytes.
 * `platform-node.ts` and `platform-browser.ts` implement this; no other file may ask where it runs.
 */

/** What the user asked for when requesting an adapter. Every field is optional; none means "the best there is". */
export interface AdapterOptions {
  /** Dawn's backend: `vulkan`, `metal`, `d3d12`, `d3d11`, `opengl`, `opengles`. Node only. */
  backend?: string;
  /** A part of the adapter's name (Node), matched by Dawn; in Node also the path of a Vulkan ICD `.json` file. */
  adapter?: string;
  /** WebGPU's own hint. Default: `high-performance`. */
  powerPreference?: GPUPowerPreference;
  /** Further Dawn toggles, Node only, such as `enable-dawn-features=disable_robustness`. */
  dawnFlags?: readonly string[];
}

/** An adapter and how it was come by. */
export interface FoundAdapter {
  adapter: GPUAdapter;
  /** Where it came from and why it was chosen, one line for `rebasin info`. */
  source: string;
  /** Other places that were tried before and what each said, one line each. */
  tried: readonly string[];
  /** True for SwiftShader, lavapipe and other adapters that compute on the CPU. */
  software: boolean;
  /** Objects that must outlive the device (Dawn's `GPU` in Node: losing it ends the process with a segfault). */
  keepAlive: unknown;
}

/** Small texts by name that outlive the process or the page. Either function may reject: what is kept is only ever a help. */
export interface TextCache {
  /** What was written under a name; undefined when nothing was. */
  read(name: string): Promise<string | undefined>;
  /** Keeps a text under a name, in place of what was there. */
  write(name: string, text: string): Promise<void>;
}

/** What is waited for. The wait for the same again may sleep through most of it. */
export interface Pending {
  /** Equal for what takes equally long. */
  readonly what: string;
  /** When the adapter was given the first of it: milliseconds of `performance.now()`. */
  readonly since: number;
}

/** What differs between Node and a browser. */
export interface Platform {
  /** Which of the two it is. */
  readonly name: 'node' | 'browser';
  /** @throws UnsupportedError that says what was tried and what to install. */
  findAdapter(options: AdapterOptions): Promise<FoundAdapter>;
  /**
   * Awaits `promise` (a mapping or queue-completion promise). In Node with a software adapter it sleeps in between,
   * because Dawn's event loop otherwise spins on a core that the adapter needs.
   */
  wait<T>(promise: Promise<T>, software: boolean, pending?: Pending): Promise<T>;
  /** Where to keep small texts. Undefined where there is no place for them (a browser's workers). */
  readonly cache?: TextCache | undefined;
  /** A monotonic clock in milliseconds. Never feeds a result. */
  now(): number;
}
