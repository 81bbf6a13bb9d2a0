/** The bench page's view as one classic script. @param root the repository */
export function buildBenchView(root: string): Promise<string>;

/** Writes the suite for a browser, with its peers, as ES modules into a folder. @param root the repository */
export function buildBrowserBench(root: string, folder: string): Promise<void>;

/** Writes `dist/bench`: the suite as it is published. @param root the repository */
export function buildPublishedBench(root: string): Promise<void>;
