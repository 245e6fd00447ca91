/**
 * Style of the page. Colours are tokens that the scheme of the reader sets; contrast of text is at least
 * 4.5:1 in both. Phones first: tables become rows below 640 px. Source: WCAG 2.2, 1.4.3.
 */
export const PAGE_STYLE = `
:root { color-scheme: light dark;
  --paper: #f6f7f9; --card: #ffffff; --ink: #16202b; --soft: #526070; --line: #d8dee6; --code: #eef1f5;
  --high: #b3161b; --medium: #a04a00; --low: #0b6084; --info: #59636e; --good: #17683a; --open: #6b4fa0;
  --high-bg: #fde9e9; --medium-bg: #fdf0e0; --low-bg: #e3f2f9; --info-bg: #edeff2; --good-bg: #e4f4ea; --open-bg: #f0ebfa;
  --bar-open: #d0393e; --bar-allowed: #2f9e62; --bar-unknown: #9a86c4; --bar-inside: #8fa3b5; --wall: #16202b; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #10151b; --card: #182029; --ink: #e6ebf0; --soft: #9fadbb; --line: #2c3844; --code: #212b36;
  --high: #ff8f8f; --medium: #f5b06a; --low: #74c7ee; --info: #aab5c0; --good: #79d5a0; --open: #c3aef0;
  --high-bg: #3d1b1e; --medium-bg: #38270f; --low-bg: #10303f; --info-bg: #252e38; --good-bg: #12321f; --open-bg: #2a2140;
  --bar-open: #e5565b; --bar-allowed: #38a86d; --bar-unknown: #8a76b8; --bar-inside: #566b7e; --wall: #e6ebf0; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere; }
header, main { max-width: 64rem; margin: 0 auto; padding: 0 1rem; }
header { padding-top: 1.5rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; }
h2 { font-size: 1.25rem; margin: 2.25rem 0 .75rem; }
h3 { font-size: 1.0625rem; margin: 0; }
p { margin: .5rem 0; }
a { color: var(--low); }
code, pre, .id, .bound { font-family: ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .8125rem; }
pre { background: var(--code); padding: .5rem .75rem; border-radius: .375rem; overflow-x: auto; white-space: pre-wrap; margin: .5rem 0; }
ul { margin: .375rem 0; padding-left: 1.25rem; }
.brand { color: var(--soft); font-size: .875rem; letter-spacing: .02em; margin: 0 0 .25rem; }
.facts { color: var(--soft); font-size: .875rem; display: flex; flex-wrap: wrap; gap: .125rem 1rem; }
.headline { font-size: 1.0625rem; margin: .75rem 0; }
.tiles { list-style: none; margin: 1rem 0; padding: 0; display: grid; grid-template-columns: repeat(auto-fit, minmax(6rem, 1fr)); gap: .5rem; }
.tile { border-radius: .5rem; padding: .5rem .75rem; font-size: .875rem; }
.tile b { display: block; font-size: 1.625rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.tile.none { background: var(--card); color: var(--soft); box-shadow: inset 0 0 0 1px var(--line); }
.high { --tone: var(--high); --tone-bg: var(--high-bg); }
.medium { --tone: var(--medium); --tone-bg: var(--medium-bg); }
.low { --tone: var(--low); --tone-bg: var(--low-bg); }
.informational, .not-applicable { --tone: var(--info); --tone-bg: var(--info-bg); }
.healthy, .passed { --tone: var(--good); --tone-bg: var(--good-bg); }
.tile.open, .card.unknown, .badge.unknown, .error, .manual, .waived { --tone: var(--open); --tone-bg: var(--open-bg); }
.tile, .badge { background: var(--tone-bg); color: var(--tone); }
.badge { display: inline-block; border-radius: .25rem; padding: .0625rem .4375rem; font-size: .75rem; font-weight: 600; white-space: nowrap; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; font-size: .9375rem; border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); padding: .25rem 0; }
nav a { padding: .375rem 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .875rem 1rem; margin: .75rem 0; }
.card h3 .badge { vertical-align: .125rem; margin-right: .25rem; }
.count { color: var(--soft); font-weight: 400; }
.count::before { content: "\\00d7\\2009"; }
.type { margin: .125rem 0 .5rem; color: var(--soft); }
.remedy b, .missing b { display: block; font-size: .8125rem; color: var(--soft); }
.evidence > summary, .group > summary, .check > summary { cursor: pointer; }
.evidence { margin-top: .5rem; font-size: .9375rem; }
.evidence > summary { color: var(--low); padding: .25rem 0; }
.evidence li, .looks li { margin: .25rem 0; }
.rule { display: block; background: var(--code); border-radius: .25rem; padding: .125rem .375rem; margin-top: .125rem; color: var(--soft); }
.worst { list-style: none; padding: 0; }
.worst li { margin: .25rem 0; }
.looks { font-size: .875rem; }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 1rem; font-size: .8125rem; color: var(--soft); }
.swatch { display: inline-block; width: 1.5rem; height: .625rem; border-radius: .3125rem; margin-right: .375rem; }
.wall { display: inline-block; width: 0; height: .875rem; border-left: 2px dashed var(--wall); margin: 0 .5rem 0 .25rem; vertical-align: -.125rem; }
.swatch.open, .bar.open { background: var(--bar-open); }
.swatch.allowed, .bar.allowed { background: var(--bar-allowed); }
.swatch.unknown, .bar.unknown { background: repeating-linear-gradient(135deg, var(--bar-unknown) 0 6px, transparent 6px 10px); box-shadow: inset 0 0 0 1px var(--bar-unknown); }
.swatch.inside, .bar.inside { background: var(--bar-inside); }
.map { width: 100%; border-collapse: separate; table-layout: fixed; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; border-spacing: 0; }
.group .map { border: 0; margin-bottom: .5rem; }
.map thead th:first-child { width: 38%; }
.map th, .map td { text-align: left; vertical-align: top; padding: .5rem .75rem; font-weight: 400; border-top: 1px solid var(--line); }
.map thead th { font-size: .8125rem; color: var(--soft); border-top: 0; }
.scale { display: grid; grid-template-columns: repeat(4, 1fr); }
.port b { font-size: 1.0625rem; font-variant-numeric: tabular-nums; }
.port { white-space: nowrap; }
.process { margin-left: .5rem; }
.bound { display: block; color: var(--soft); }
.lane { display: block; position: relative; height: .875rem; margin: .3125rem 0; border-radius: .4375rem;
  background: linear-gradient(90deg, transparent calc(25% - 1px), var(--line) 0 25%, transparent 0), linear-gradient(90deg, transparent calc(75% - 1px), var(--line) 0 75%, transparent 0), var(--code); }
.lane::after { content: ""; position: absolute; left: 50%; top: -.25rem; bottom: -.25rem; border-left: 2px dashed var(--wall); }
.lane.stopped::after { border-left: 4px solid var(--wall); margin-left: -1px; }
.bar { display: block; height: 100%; border-radius: .4375rem; }
.bar.device { width: 25%; } .bar.containers { width: 50%; } .bar.networks { width: 75%; } .bar.internet { width: 100%; }
.bar.unknown { width: 100%; }
.reach { font-size: .875rem; }
.group { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0; padding: 0 1rem; }
.group > summary { padding: .625rem 0; display: grid; grid-template-columns: 1fr auto; gap: .25rem 1rem; list-style: none; align-items: baseline; }
.group > summary::-webkit-details-marker, .check > summary::-webkit-details-marker { display: none; }
.group > summary .name { font-weight: 600; }
.group > summary .name::before { content: "\\25b8"; display: inline-block; width: 1.125rem; color: var(--soft); }
.group[open] > summary .name::before { content: "\\25be"; }
.tally { color: var(--soft); font-size: .875rem; }
.meter { grid-column: 1 / -1; width: 100%; height: .25rem; display: block; border-radius: .125rem; }
.m-pass { fill: var(--bar-allowed); } .m-fail { fill: var(--bar-open); } .m-error { fill: var(--bar-unknown); }
.check { border-top: 1px solid var(--line); }
.check > summary { display: grid; grid-template-columns: 6.75rem 4.5rem 1fr; gap: .5rem; padding: .4375rem 0; align-items: baseline; list-style: none; }
.check > summary .badge { justify-self: start; }
.check .id { color: var(--soft); }
.check .body { padding: 0 0 .75rem; max-width: 48rem; font-size: .9375rem; }
.filter { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; font-size: .875rem; margin: .75rem 0; }
.filter[hidden] { display: none; }
.filter select, .filter input, .filter button { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: .375rem; padding: .375rem .5rem; min-height: 2.25rem; }
.filter button { cursor: pointer; }
:focus-visible { outline: 2px solid var(--low); outline-offset: 2px; }
.pairs { display: grid; grid-template-columns: minmax(7rem, max-content) 1fr; gap: .25rem 1rem; margin: .5rem 0 1rem; }
.pairs dt { color: var(--soft); } .pairs dd { margin: 0; }
.gaps { font-size: .9375rem; }
.scroll { overflow-x: auto; }
.list { overflow-wrap: normal; border-collapse: collapse; width: 100%; font-size: .9375rem; margin: .5rem 0 1rem; }
.list td:last-child { min-width: 8rem; }
.list th, .list td { text-align: left; vertical-align: top; padding: .3125rem .75rem .3125rem 0; border-top: 1px solid var(--line); font-weight: 400; }
.list thead th { color: var(--soft); font-size: .8125rem; border-top: 0; }
section:last-child { padding-bottom: 3rem; }
@media (max-width: 40rem) {
  .map, .map thead, .map tbody, .map tr, .map th, .map td { display: block; width: 100%; }
  .map thead { position: sticky; top: 0; background: var(--card); border-bottom: 1px solid var(--line); z-index: 1; }
  .map thead th:first-child { display: none; }
  .map thead th { width: 100%; padding: .375rem .75rem; font-size: .75rem; }
  .map td { border-top: 0; padding-top: 0; }
  .map th { padding-bottom: 0; }
  .check > summary { grid-template-columns: auto 1fr; }
  .check > summary .title { grid-column: 1 / -1; }
  .pairs { grid-template-columns: 1fr; gap: 0; }
  .pairs dd { margin-bottom: .5rem; }
}
@media print {
  :root { --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --code: #f2f2f2;
    --high: #a01015; --medium: #8a4000; --low: #0b5070; --info: #444; --good: #145a32; --open: #553d85;
    --high-bg: #fff; --medium-bg: #fff; --low-bg: #fff; --info-bg: #fff; --good-bg: #fff; --open-bg: #fff;
    --bar-open: #d0393e; --bar-allowed: #2f9e62; --bar-unknown: #9a86c4; --bar-inside: #8fa3b5; --wall: #000; }
  body { font-size: 10.5pt; }
  nav, .filter { display: none; }
  .badge, .tile { box-shadow: inset 0 0 0 1px currentColor; }
  .bar, .swatch, .meter, .lane { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .card, .check, .map tr { break-inside: avoid; }
  h2, summary { break-after: avoid; }
  details::details-content { content-visibility: visible; block-size: auto; }
}
`;
