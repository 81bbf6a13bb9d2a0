/** The page that the command line writes beside a result, as one file that stands alone. */
import { reportHtml } from '../../src/report/page.ts';
import type { ReportResult } from '../../src/report/results.ts';
import { download } from './download.ts';

/** Saves a result as a report page. The view that it embeds lies beside this page. */
export async function downloadReport(name: string, result: ReportResult): Promise<void> {
  const bundle = await (await fetch(new URL('./report-view.js', import.meta.url))).text();
  download(name, reportHtml(result, bundle), 'text/html');
}
