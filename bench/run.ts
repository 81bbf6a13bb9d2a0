/** A whole run, wherever it is: adapter, peers, roofs, cases one after another. */

import { TILED_FAMILIES } from '../src/kernels/variant.ts';
import { type Context, type ContextOptions, requestContextOn } from '../src/runtime/context.ts';
import type { AdapterOptions, Platform } from '../src/runtime/platform.ts';
import { VERSION } from '../src/version.ts';
import type { Case } from './case.ts';
import type { Peer, PeerHost, PeerSource } from './peers/peer.ts';
import type { ResultLine, Surroundings } from './result-line.ts';
import { type MeasuredRoofs, measureRoofs } from './roofs.ts';
import { type OwnEngine, runCase } from './suite.ts';
import { targetCases } from './targets.ts';
import { summarise } from './timing.ts';

/** What the user may choose of a run. */
export interface RunOptions {
  readonly adapter: AdapterOptions;
  /** Names of variants that are forced on all tiled kernels, `default` for none. Default: `['default']`. */
  readonly variants?: readonly string[];
  readonly repeats: number;
  /** Whether the roofs are measured. Default: true. */
  readonly roofs?: boolean;
  /** Only cases that targets of these surroundings are about. Default: false. */
  readonly targetsOnly?: boolean;
  /** Seconds that an engine may use in a case: see `Bench.budgetMs`. Default: what it takes. */
  readonly budget?: number | undefined;
  readonly signal?: AbortSignal;
}

export interface RunEvents {
  /** Before the first case. */
  onStart?(surroundings: Surroundings): void;
  /** All lines of a case, as soon as it is done. */
  onLines(lines: readonly ResultLine[]): void | Promise<void>;
  /** A peer that was asked for and is not there, with the reason. */
  onMissingPeer?(engine: string, reason: string): void;
}

/** What a run needs to know of where it is. */
export interface RunHost {
  readonly platform: Platform;
  /** `node 20.20.0`. */
  readonly name: string;
  /** What drives the adapter here besides its own driver: `Dawn (webgpu 0.6.2)`. */
  readonly driver: string;
  /** Peers that were asked for, and where they run. */
  readonly sources: readonly PeerSource[];
  peerHost(context: Context): PeerHost;
}

/** Runs cases. The adapter's context is destroyed at the end; peers keep their devices. */
export async function runSuite(
  host: RunHost,
  cases: readonly Case[],
  options: RunOptions,
  events: RunEvents,
): Promise<void> {
  const { platform } = host;
  const home = await requestContextOn(platform, options.adapter);
  try {
    const peers = await loadPeers(host, home, events);
    const surroundings = surroundingsOf(host, home, peers);
    events.onStart?.(surroundings);
    let roofs: MeasuredRoofs | undefined;
    if (options.roofs ?? true) {
      roofs = await measureRoofs(home, Math.min(options.repeats, 5));
      await events.onLines(roofLines(surroundings, roofs));
    }
    const own = ownEngines(options);
    const { repeats, signal } = options;
    const budgetMs = options.budget === undefined ? undefined : 1000 * options.budget;
    const bench = {
      platform,
      home,
      own,
      peers,
      surroundings,
      repeats,
      roofs,
      signal,
      budgetMs,
      rates: new Map(),
    };
    const wanted = options.targetsOnly ? targetCases(surroundings) : undefined;
    for (const one of cases) {
      signal?.throwIfAborted();
      if (wanted && !wanted.has(one.name)) continue;
      const lines = await runCase(bench, one);
      if (lines.length > 0) await events.onLines(lines);
    }
  } finally {
    home.destroy();
  }
}

async function loadPeers(host: RunHost, home: Context, events: RunEvents): Promise<Peer[]> {
  if (host.sources.length === 0) return [];
  const peerHost = host.peerHost(home);
  const peers: Peer[] = [];
  for (const source of host.sources) {
    try {
      const peer = await source.load(peerHost);
      const elsewhere = otherAdapter(home, peer);
      if (elsewhere === undefined) peers.push(peer);
      else events.onMissingPeer?.(source.engine, elsewhere);
    } catch (error) {
      const missing = (error as { code?: string }).code === 'ERR_MODULE_NOT_FOUND';
      const reason = missing
        ? `it is not installed: npm install --save-dev ${source.packages.join(' ')}`
        : String(error);
      events.onMissingPeer?.(source.engine, reason);
    }
  }
  return peers;
}

/** Why times of a peer cannot be compared: its device is on another adapter than this library's; undefined where it is not. */
export function otherAdapter(home: Context, { adapterInfo }: Peer): string | undefined {
  if (adapterInfo === undefined) return undefined;
  const tell = ({ vendor, architecture, device, description }: GPUAdapterInfo) =>
    [vendor, architecture, device, description].filter((part) => part !== '').join(' ') ||
    'an unnamed adapter';
  const [theirs, ours] = [tell(adapterInfo), tell(home.device.adapterInfo ?? home.origin.adapterInfo)];
  return theirs === ours ? undefined : `it computes on ${theirs}, not on ${ours}`;
}

function surroundingsOf(host: RunHost, home: Context, peers: readonly Peer[]): Surroundings {
  const { vendor, architecture, device, description } = home.origin.adapterInfo;
  const repeated = architecture !== '' && device.includes(architecture); // swiftshader, swiftshader-device-subzero-
  const named = [vendor, architecture, repeated ? '' : device].filter((part) => part !== '').join(' ');
  return {
    adapter: named || home.adapterName,
    driver: [description, host.driver].filter((part) => part !== '').join('; '),
    software: home.software,
    platform: host.name,
    versions: Object.assign({ rebasin: VERSION }, ...peers.map(({ versions }) => versions)),
  };
}

function ownEngines({ adapter, variants = ['default'] }: RunOptions): OwnEngine[] {
  return variants.map((variant) => {
    if (variant === 'default') return { engine: 'rebasin', options: adapter };
    const forced = Object.fromEntries(TILED_FAMILIES.map((family) => [family, variant]));
    const options: ContextOptions = { ...adapter, variants: forced };
    return { engine: `rebasin ${variant}`, options };
  });
}

function roofLines(surroundings: Surroundings, roofs: MeasuredRoofs): ResultLine[] {
  const common = { ...surroundings, engine: 'adapter', wait: 'own', roofShare: 1 } as const;
  const { copyMs, multiplyAddMs, gigabytesPerSecond, gflops } = roofs;
  return [
    { ...common, case: 'roof/copy', ...summarise(copyMs), gigabytesPerSecond },
    { ...common, case: 'roof/multiply-add', ...summarise(multiplyAddMs), gflops },
  ];
}
