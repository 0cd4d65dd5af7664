"""The look of a page, on screen and on paper."""

STYLE = """
:root {
  --ink: #1a1a1a; --quiet: #4d4d4d; --line: #cccccc; --edge: #767676; --soft: #f2f2f2;
  --blue: #0017c1; --deep: #00118f; --pale: #e8f1fe; --red: #a90000; --rose: #fdeeee;
  --orange: #8b3200; --peach: #ffeee2; --focus: #ffd43d; --bar: 0px; color-scheme: light;
}
:root:has(.bar:not([hidden])) { --bar: 64px; }
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { scroll-padding-top: calc(var(--bar) + 48px); }
body { margin: 0; color: var(--ink); background: #fff; letter-spacing: .02em; overflow-wrap: anywhere;
  font: 400 1rem/1.7 "Noto Sans JP", "Noto Sans CJK JP", -apple-system, BlinkMacSystemFont, "Hiragino Sans",
    "Yu Gothic", Meiryo, sans-serif; }
a { color: var(--deep); text-underline-offset: 3px; }
a:hover { color: var(--blue); text-decoration-thickness: 3px; }
:focus-visible { outline: 4px solid #000; outline-offset: 2px; box-shadow: 0 0 0 2px var(--focus); }
main:focus { outline: none; box-shadow: none; }
.skip { position: absolute; left: -999px; padding: 8px 16px; background: var(--focus); z-index: 3; }
.skip:focus { left: 16px; top: 16px; }
header, .bar, .body, footer { padding: 0 24px; }
header { padding-top: 32px; padding-bottom: 24px; }
h1 { margin: 0 0 16px; font-size: 1.75rem; line-height: 1.5; }
h2 { margin: 0 0 8px; font-size: 1.5rem; line-height: 1.5; }
h3 { margin: 32px 0 8px; font-size: 1.125rem; line-height: 1.6; }
p { margin: 0 0 16px; }
code { font-family: ui-monospace, SFMono-Regular, Consolas, "Noto Sans Mono CJK JP", monospace; letter-spacing: 0; }
h2 code { font-size: 1rem; font-weight: 400; color: var(--quiet); }
.notice { display: inline-block; margin: 0 0 16px; padding: 8px 16px; border: 2px solid var(--orange);
  border-radius: 8px; background: var(--peach); font-weight: 700; }
.facts { margin: 0; max-width: 72rem; }
.facts div { display: grid; grid-template-columns: 8rem 1fr; padding: 8px 0; border-bottom: 1px solid var(--line); }
.facts dt { font-weight: 700; } .facts dd { margin: 0; }
.bar { position: sticky; top: 0; z-index: 2; display: flex; align-items: center; gap: 16px; min-height: var(--bar);
  background: #fff; border-top: 1px solid var(--line); border-bottom: 1px solid var(--edge); }
.bar label { font-weight: 700; }
.bar input { flex: 0 1 24rem; min-width: 8rem; height: 48px; padding: 0 16px; font: inherit;
  border: 1px solid var(--edge); border-radius: 8px; }
.bar output { color: var(--quiet); }
.body { padding-top: 24px; }
nav ul { margin: 0 0 32px; padding: 0; list-style: none; columns: 16rem; column-gap: 32px; }
nav h2 { font-size: 1.125rem; }
nav li { padding: 4px 0; break-inside: avoid; }
nav .count { color: var(--quiet); font-size: .875rem; }
.part { padding: 16px 0 40px; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: separate; border-spacing: 0; font-size: .875rem; line-height: 1.6; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
th, td { padding: 8px 12px 8px 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { padding-left: 12px; }
thead th { background: var(--soft); border-bottom: 1px solid var(--ink); font-weight: 700; white-space: nowrap; }
tbody th { font-weight: 400; }
tbody th strong { display: block; font-size: 1rem; line-height: 1.5; }
tr.key > :first-child { box-shadow: inset 4px 0 0 var(--blue); }
tr.key > * { background: var(--pale); }
tr:target > * { background: #fffbe6; }
.text { white-space: pre-line; }
.id, .type, .who { white-space: nowrap; }
.code { min-width: 3.5rem; }
.id { color: var(--quiet); }
.name { min-width: 14rem; } .long { min-width: 18rem; } .short { min-width: 9.5rem; }
.changes { table-layout: fixed; min-width: 56rem; }
.changes .name { width: 20rem; } .changes .type { width: 9rem; } .changes .who { width: 7rem; }
.once { display: block; }
.rows { max-width: 64rem; } .rows .value { width: 8rem; } .rows .day { width: 10rem; white-space: nowrap; }
.chip { display: inline-block; margin: 2px 8px 2px 0; padding: 0 8px; border: 1px solid var(--edge);
  border-radius: 4px; background: #fff; white-space: nowrap; }
.chip.key { border-color: var(--blue); background: var(--blue); color: #fff; font-weight: 700; }
.chip.must { border-color: var(--red); background: var(--rose); color: var(--red); font-weight: 700; }
.chip.maybe { border-color: var(--orange); color: var(--orange); }
.none { color: var(--quiet); }
del { color: var(--red); background: var(--rose); text-decoration-thickness: 1px; }
ins { color: var(--deep); background: var(--pale); text-decoration-thickness: 1px; }
footer { padding-top: 24px; padding-bottom: 24px; border-top: 1px solid var(--line); color: var(--quiet); }
footer p { margin: 0; font-size: .875rem; }
@media (min-width: 1240px) {
  .wide { overflow-x: visible; }
  thead th { position: sticky; top: var(--bar); z-index: 1; }
}
@media (min-width: 1440px) {
  .body { display: grid; grid-template-columns: 15rem minmax(0, 1fr); gap: 32px; }
  nav { position: sticky; top: calc(var(--bar) + 16px); align-self: start; max-height: calc(100vh - var(--bar) - 32px);
    overflow-y: auto; }
  nav ul { columns: auto; }
}
@media (max-width: 640px) {
  :root:has(.bar) { --bar: 0px; }
  header, .bar, .body, footer { padding-left: 16px; padding-right: 16px; }
  .bar { position: static; flex-wrap: wrap; padding-top: 8px; padding-bottom: 8px; }
  .facts div { grid-template-columns: 1fr; }
}
@media (forced-colors: active) { .chip.key, .chip.must { border-width: 2px; } }
@media print {
  @page { size: A4 landscape; margin: 14mm 12mm 16mm; @bottom-right { content: counter(page) " / " counter(pages);
    font-size: 8pt; } }
  body { font-size: 9pt; line-height: 1.5; letter-spacing: 0; }
  header, .body, footer { padding-left: 0; padding-right: 0; }
  header { padding-top: 0; }
  .bar, .skip, footer { display: none; }
  .filtered .bar { display: flex; position: static; min-height: 0; }
  .filtered .bar input { border: 0; height: auto; font-weight: 700; }
  .body { display: block; }
  nav { position: static; max-height: none; overflow: visible; }
  nav a { color: inherit; text-decoration: none; }
  .part { padding: 0; break-before: page; }
  .part .part { break-before: auto; }
  h1 { font-size: 16pt; } h2 { font-size: 13pt; } h3 { font-size: 10.5pt; margin-top: 12pt; }
  h2, h3 { break-after: avoid; } h2 + p { break-after: avoid; }
  .wide { overflow: visible; }
  table { font-size: 8pt; line-height: 1.45; }
  thead { display: table-header-group; } thead th { position: static; }
  tbody th strong { font-size: 9pt; }
  tr { break-inside: avoid; }
  th, td { padding: 3pt 6pt 3pt 0; }
  .name { min-width: 36mm; } .long { min-width: 60mm; } .short { min-width: 22mm; }
  .changes { min-width: 0; } .changes .name { width: 60mm; }
  .changes .type { width: 24mm; } .changes .who { width: 20mm; }
  .chip { padding: 0 3pt; margin: 0 3pt 0 0; }
  .chip, tr.key > *, thead th, .notice, del, ins { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  a { color: inherit; }
}
"""
"""CSS; the colours are tokens of the Digital Agency's design system or darker, each at least 4.5 : 1 on its ground."""
