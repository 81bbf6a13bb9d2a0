/**
 * The suite in a page: `runBench` runs the cases that are named and hands over lines as they come. `run.ts` drives it in Chromium; opened
 * by hand, the page runs what its address names: `?families=matmul,conv&only=256&peers`.
 */
import { browserPlatform } from '../../src/runtime/platform-browser.ts';
import { chooseCases, portableFamilies } from '../families.ts';
import { peersWithout } from '../peers/sources.ts';
import type { ResultLine, Surroundings } from '../result-line.ts';
import { runSuite } from '../run.ts';
import { caseTable, headline } from '../table.ts';

/** What a page is told to run. */
export interface PageRun {
  readonly families: readonly string[];
  readonly only: string;
  readonly peers: boolean;
  /** Engines that are left out. */
  readonly without: readonly string[];
  readonly variants: readonly string[];
  readonly repeats: number;
  readonly roofs: boolean;
  readonly targetsOnly: boolean;
  readonly budget?: number | undefined;
  /** Of the peers' packages, as they were installed where the page was built. */
  readonly versions: Readonly<Record<string, string>>;
}

/** What is told while it runs. */
export type PageEvent =
  | { readonly start: Surroundings }
  | { readonly lines: readonly ResultLine[] }
  | { readonly missing: string; readonly reason: string };

declare global {
  /** Runs cases in this page. */
  var runBench: (run: PageRun) => Promise<void>;
  /** Where the page's events go, if anyone listens. */
  var tellBench: ((event: PageEvent) => unknown) | undefined;
}

globalThis.runBench = async (run) => {
  const { families, only, peers, without, versions, ...options } = run;
  const cases = await chooseCases(portableFamilies, families, only);
  const output = document.querySelector('pre')!;
  const tell = async (event: PageEvent, text: string) => {
    output.append(`${text}\n`);
    await globalThis.tellBench?.(event);
  };
  const host = {
    platform: browserPlatform,
    name: nameOfBrowser(),
    driver: '',
    sources: peers ? peersWithout(without) : [],
    peerHost: () => ({
      ...({ name: 'browser', gpu: navigator.gpu, onnxFiles: '/onnxruntime/' } as const),
      versions: (packages: readonly string[]) =>
        Object.fromEntries(packages.flatMap((name) => (versions[name] ? [[name, versions[name]]] : []))),
    }),
  };
  await runSuite(
    host,
    cases,
    { adapter: {}, ...options },
    {
      onStart: (start) => void tell({ start }, headline(start)),
      onLines: (lines) => tell({ lines }, caseTable(lines)),
      onMissingPeer: (missing, reason) => void tell({ missing, reason }, `${missing}: ${reason}`),
    },
  );
};

/** `chromium 147.0.0.0`, as far as browsers still say. */
function nameOfBrowser(): string {
  const [, name, version] = /(Firefox|Edg|Chrome|Version)\/([\d.]+)/.exec(navigator.userAgent) ?? [];
  const known = { Firefox: 'firefox', Edg: 'edge', Chrome: 'chromium', Version: 'safari' };
  return `${known[name as keyof typeof known] ?? 'browser'} ${version ?? ''}`.trim();
}

const asked = new URLSearchParams(location.search);
if (asked.size > 0) {
  await globalThis.runBench({
    families: asked.get('families')?.split(',') ?? [],
    only: asked.get('only') ?? '',
    peers: asked.has('peers'),
    without: asked.get('without')?.split(',') ?? [],
    variants: asked.get('variants')?.split(',') ?? ['default'],
    repeats: Number(asked.get('repeats') ?? 9),
    roofs: true,
    targetsOnly: false,
    versions: {},
  });
}
