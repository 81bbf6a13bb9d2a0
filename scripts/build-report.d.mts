/** Bundles the report's view as one classic script; writes it too where `outfile` is given (relative to the repository). */
export function buildReportBundle(outfile?: string): Promise<string>;
