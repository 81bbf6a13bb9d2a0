export function buildSite(folder: string, options?: { minify?: boolean }): Promise<void>;
