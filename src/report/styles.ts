/**
 * Styles of the view, all under `.rebasin-report`, so that a page can embed it. The two lines are vermilion and blue of the Okabe-Ito
 * palette (lighter in the dark): they stay apart for colour-blind eyes, and every curve is named besides. The levels of a contour picture
 * are ColorBrewer's YlGnBu, whose lightness runs one way: away from the background for what is good.
 */
export const reportStyles = `
.rebasin-report {
  --rebasin-background: #fff;
  --rebasin-ink: #1b1f24;
  --rebasin-muted: #667079;
  --rebasin-rule: #dde1e5;
  --rebasin-naive: #c4500a;
  --rebasin-aligned: #0068a8;
  --rebasin-second: #8a4a86;
  --rebasin-calibrated: #8a4a86;
  --rebasin-corrected: #8a4a86;
  --rebasin-ensemble: #00734f;
  --rebasin-level-0: #081d58;
  --rebasin-level-1: #253494;
  --rebasin-level-2: #225ea8;
  --rebasin-level-3: #1d91c0;
  --rebasin-level-4: #41b6c4;
  --rebasin-level-5: #7fcdbb;
  --rebasin-level-6: #c7e9b4;
  --rebasin-level-7: #edf8b1;
  --rebasin-level-8: #ffffd9;
  color-scheme: light dark;
  box-sizing: border-box;
  max-width: 1040px;
  margin: 0 auto;
  padding: 40px 24px 64px;
  background: var(--rebasin-background);
  color: var(--rebasin-ink);
  font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif;
}
@media (prefers-color-scheme: dark) {
  .rebasin-report {
    --rebasin-background: #14171b;
    --rebasin-ink: #e8eaed;
    --rebasin-muted: #98a2ad;
    --rebasin-rule: #30363d;
    --rebasin-naive: #f58b4c;
    --rebasin-aligned: #5cb3ec;
    --rebasin-second: #d59ad1;
    --rebasin-calibrated: #d59ad1;
    --rebasin-corrected: #d59ad1;
    --rebasin-ensemble: #4cc9a0;
    --rebasin-level-0: #ffffd9;
    --rebasin-level-1: #edf8b1;
    --rebasin-level-2: #c7e9b4;
    --rebasin-level-3: #7fcdbb;
    --rebasin-level-4: #41b6c4;
    --rebasin-level-5: #1d91c0;
    --rebasin-level-6: #225ea8;
    --rebasin-level-7: #253494;
    --rebasin-level-8: #141f52;
  }
}
.rebasin-report * { box-sizing: border-box; }
.rebasin-report .drawing > svg { --plot-background: var(--rebasin-background); }
.rebasin-report h1 { margin: 0; max-width: 34em; font-size: clamp(1.25rem, 1rem + 1.3vw, 1.75rem); line-height: 1.32; font-weight: 600; letter-spacing: -0.01em; text-wrap: pretty; }
.rebasin-report h2 { margin: 0 0 12px; font-size: 1.125rem; font-weight: 600; }
.rebasin-report section, .rebasin-report details { margin-top: 44px; }
.rebasin-report details + details { margin-top: 14px; }
.rebasin-report .kicker { margin: 0 0 8px; color: var(--rebasin-muted); font-size: .875rem; }
.rebasin-report .note { margin: 12px 0 0; max-width: 46em; color: var(--rebasin-muted); font-size: .875rem; }
.rebasin-report section > p { max-width: 46em; overflow-wrap: anywhere; }
.rebasin-report dl { margin: 0; }
.rebasin-report dd { margin: 0; }
.rebasin-report .facts { display: flex; flex-wrap: wrap; gap: 16px 48px; margin-top: 24px; }
.rebasin-report .facts dt { color: var(--rebasin-muted); font-size: .875rem; }
.rebasin-report .facts dd { font-size: 1.75rem; line-height: 1.25; font-weight: 600; font-variant-numeric: tabular-nums; letter-spacing: -0.01em; }
.rebasin-report .naive { color: var(--rebasin-naive); }
.rebasin-report .aligned { color: var(--rebasin-aligned); }
.rebasin-report .corrected { color: var(--rebasin-corrected); }
.rebasin-report .calibrated { color: var(--rebasin-calibrated); }
.rebasin-report .ensemble { color: var(--rebasin-ensemble); }
.rebasin-report .arrow { margin: 0 .35em; color: var(--rebasin-muted); font-weight: 400; }
.rebasin-report .pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 28px 40px; }
.rebasin-report .pair + .pair { margin-top: 28px; }
.rebasin-report .pair:empty { display: none; }
.rebasin-report .triple { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 24px 32px; align-items: end; }
.rebasin-report .compared :is(th, td):nth-child(2) { text-align: left; }
.rebasin-report .compared thead th { white-space: normal; }
.rebasin-report .compared tbody :is(th, td) { padding-block: 2px; }
.rebasin-report .compared tr:has(> th:empty) { border-top: 0; }
.rebasin-report .scroller + .compared, .rebasin-report .pair + .scroller { margin-top: 28px; }
.rebasin-report .note + :is(.scroller, .compared, .layers, .pair, .triple) { margin-top: 24px; }
.rebasin-report figure { margin: 0; min-width: 0; }
.rebasin-report figcaption { font-size: .875rem; line-height: 1.4; overflow-wrap: anywhere; }
.rebasin-report figcaption strong { font-weight: 600; }
.rebasin-report figcaption .key { margin-left: .6em; white-space: nowrap; }
.rebasin-report figcaption span { color: var(--rebasin-muted); }
.rebasin-report .drawing > svg, .rebasin-report .matrix > svg { display: block; max-width: 100%; }
.rebasin-report .plane { display: grid; gap: 10px; margin-top: 8px; }
.rebasin-report .matrices { display: flex; flex-wrap: wrap; gap: 16px 20px; }
.rebasin-report .matrices figure { width: 144px; }
.rebasin-report .matrices figcaption span { display: block; }
.rebasin-report .matrix { margin-top: 8px; }
.rebasin-report .scroller { overflow-x: auto; }
.rebasin-report .scroller:focus-visible { outline: 2px solid var(--rebasin-aligned); outline-offset: 2px; }
.rebasin-report table { width: 100%; border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; }
.rebasin-report caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.rebasin-report th, .rebasin-report td { padding: 5px 0 5px 20px; text-align: right; white-space: nowrap; font-weight: 400; }
.rebasin-report th:first-child { padding-left: 0; text-align: left; }
.rebasin-report :is(.barriers, .layers) :is(th, td):nth-child(2) { text-align: left; }
.rebasin-report thead th { color: var(--rebasin-muted); vertical-align: bottom; }
.rebasin-report tbody tr { border-top: 1px solid var(--rebasin-rule); }
.rebasin-report summary { cursor: pointer; font-weight: 600; }
.rebasin-report summary + .scroller { margin-top: 12px; }
.rebasin-report .run > div { display: grid; grid-template-columns: 7.5em minmax(0, 1fr); padding: 5px 0; border-top: 1px solid var(--rebasin-rule); font-size: .875rem; }
.rebasin-report .run dt { color: var(--rebasin-muted); }
.rebasin-report .run dd { overflow-wrap: anywhere; }
.rebasin-report .download { display: inline-block; padding: 8px 14px; border: 1px solid var(--rebasin-rule); border-radius: 6px; color: var(--rebasin-aligned); font-size: .9375rem; text-decoration: none; }
.rebasin-report .download:hover { border-color: currentColor; }
.rebasin-report .verdict { display: inline-flex; align-items: center; gap: .45em; font-weight: 600; white-space: nowrap; }
.rebasin-report .verdict.held { color: var(--rebasin-ensemble); }
.rebasin-report .verdict.not-held { color: var(--rebasin-naive); }
.rebasin-report .verdict.not-decided { color: var(--rebasin-muted); }
.rebasin-report .verdict svg { flex: none; }
.rebasin-report .verdict .area { fill: currentColor; }
.rebasin-report .verdict.not-decided .area { fill: none; stroke: currentColor; stroke-width: 1.75; stroke-dasharray: 3.6 2; }
.rebasin-report .verdict .sign { fill: none; stroke: var(--rebasin-background); stroke-width: 1.75; stroke-linecap: round; stroke-linejoin: round; }
.rebasin-report .claims-table :is(th, td) { white-space: normal; text-align: left; vertical-align: top; }
.rebasin-report .claims-table td:last-child { min-width: 9em; }
.rebasin-report :is(.claims-table a, .claims-table a:visited) { color: inherit; text-decoration-color: var(--rebasin-muted); text-decoration-thickness: 1px; text-underline-offset: .2em; }
.rebasin-report .claims-table a:hover { text-decoration-color: currentColor; }
.rebasin-report :is(a, summary):focus-visible { outline: 2px solid var(--rebasin-aligned); outline-offset: 2px; border-radius: 2px; }
.rebasin-report .claims { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; margin: 20px 0 0; padding: 0; list-style: none; }
.rebasin-report .claim { padding: 14px 18px 16px; border: 1px solid var(--rebasin-rule); border-radius: 8px; scroll-margin-top: 16px; }
.rebasin-report .claim:target { border-color: var(--rebasin-aligned); }
.rebasin-report .claim h3 { margin: 8px 0 2px; font-size: 1rem; line-height: 1.4; font-weight: 600; text-wrap: pretty; }
.rebasin-report .claim p { margin: 0; font-size: .875rem; overflow-wrap: anywhere; }
.rebasin-report .claim :is(.source, .comparison span:not(.verdict)) { color: var(--rebasin-muted); }
.rebasin-report .comparison { margin-top: 12px; font-variant-numeric: tabular-nums; }
.rebasin-report .comparison .drawing { margin: 2px 0; }
.rebasin-report .comparison .verdict { gap: .35em; vertical-align: bottom; }
.rebasin-report .figures { margin-top: 28px; align-items: end; }
.rebasin-report .keys { display: flex; flex-wrap: wrap; gap: 0 1em; }
.rebasin-report figcaption .keys .key { display: inline-flex; align-items: center; gap: .3em; margin-left: 0; }
.rebasin-report .keys .mark { flex: none; }
.rebasin-report .pair + .numbers { margin-top: 24px; }
.rebasin-report .numbers + .numbers { margin-top: 8px; }
.rebasin-report .numbers summary { font-size: .875rem; }
.rebasin-report .numbers :is(th, td):nth-child(2) { text-align: left; }
.rebasin-report .numbers thead th:first-child { white-space: normal; }
.rebasin-report .work-table :is(th, td):nth-child(n + 5) { text-align: left; }
@media (max-width: 760px) {
  .rebasin-report .claims { grid-template-columns: minmax(0, 1fr); }
  .rebasin-report { padding: 24px 16px 48px; }
  .rebasin-report .pair { grid-template-columns: minmax(0, 1fr); }
  .rebasin-report .triple { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 20px; }
  .rebasin-report .facts dd { font-size: 1.375rem; }
  .rebasin-report table { font-size: .8125rem; }
  .rebasin-report th, .rebasin-report td { padding-left: 10px; }
  .rebasin-report th { white-space: normal; }
  .rebasin-report .barriers th:first-child { min-width: 7.2em; }
}
`;
