/**
 * `rebasin/report`: results (JSON) as pages that stand alone, and as text. Needs no GPU. The view itself, with its plots, is
 * `rebasin/report/view`; the script that `reportHtml` embeds is the package's file `rebasin/report-view.js`.
 * @module rebasin/report
 */
export type * from './report/age-path-result.ts';
export type * from './report/analyse-result.ts';
export { reportHtml } from './report/page.ts';
export type * from './report/prune-result.ts';
export { type ReportWords, wordsOf } from './report/report-words.ts';
export type * from './report/results.ts';
export type * from './report/study-result.ts';
