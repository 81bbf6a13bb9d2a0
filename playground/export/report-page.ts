/** The page that the command line writes beside a result, as one file that stands alone. */
import { reportHtml } from '../../src/report/page.ts';
import type { ReportResult } from '../../src/report/results.ts';
import { download } from './download.ts';

/** Saves a result as a report page. The view that it embeds lies beside this page. @throws Error where it cannot be had. */
export async function downloadReport(name: string, result: ReportResult): Promise<void> {
  const response = await fetch(new URL('./report-view.js', import.meta.url));
  if (!response.ok) {
    throw new Error(
      `the file report-view.js, which lies beside the page, could not be read (${response.status}); try again, or save result.json`,
    );
  }
  const bundle = await response.text();
  download(name, reportHtml(result, bundle), 'text/html');
}
