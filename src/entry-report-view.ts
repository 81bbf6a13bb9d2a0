/**
 * `rebasin/report/view`: shows a result in a page. Needs a document; holds its plotting library.
 * @module rebasin/report/view
 */
export { renderReport } from './report/render-report.ts';
export { reportStyles } from './report/styles.ts';
