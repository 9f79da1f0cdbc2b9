"""The page's one style sheet: light and dark, print, and no assets from anywhere."""

from __future__ import annotations

__all__ = ["CSS"]

CSS = """
:root{color-scheme:light dark;--paper:#fbfaf7;--card:#fff;--ink:#1d2430;--soft:#5a6472;
  --line:#dfe2e6;--accent:#1f5fa8;--natural:#8a6d1a;--ok:#19714f;--warn:#9a5b00;--bad:#b3261e;
  --band:#d7e6f5;--code:#f1f2f0}
@media(prefers-color-scheme:dark){
:root{--paper:#14181e;
--card:#1b2129;
--ink:#e7eaee;
--soft:#a6b0bd;
--line:#333c47;
--accent:#7db4ef;
--natural:#d9b44a;
--ok:#5cc79a;
--warn:#e5a54b;
--bad:#f2887f;
--band:#26405c;
--code:#10141a}
}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
  font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
a{color:var(--accent)}
.skip{position:absolute;left:-999px}
.skip:focus{left:1rem;top:1rem;background:var(--card);padding:.5rem 1rem}
header,main,footer{max-width:64rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.5rem}
h1{font-size:2rem;line-height:1.2;margin:.25rem 0 .5rem;letter-spacing:-.01em}
h2{font-size:1.3rem;margin:0 0 .75rem}
h3{font-size:1rem;margin:1.25rem 0 .25rem}
.lead{color:var(--soft);max-width:46rem;margin:.25rem 0 1rem}
.badge{display:inline-block;border:1px solid currentColor;border-radius:99px;padding:.05rem .7rem;
  font-size:.8rem;color:var(--accent);font-weight:600;margin-right:.4rem}
.badge.ok{color:var(--ok)}
.badge.error{color:var(--bad)}
.badge.warning{color:var(--warn)}
nav{margin:1rem 0 0}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;margin:0;padding:.6rem 0;
  border-block:1px solid var(--line);font-size:.92rem}
nav a{text-decoration:none}
nav a:hover{text-decoration:underline}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;
  padding:1.25rem 1.4rem;margin:1.25rem 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.75rem;margin:0;
  padding:0;list-style:none}
.tiles li{border-left:3px solid var(--accent);padding:.1rem .75rem}
.tiles strong{display:block;font-size:1.45rem;line-height:1.25;font-variant-numeric:tabular-nums}
.tiles span{color:var(--soft);font-size:.88rem}
.two{display:grid;grid-template-columns:repeat(auto-fit,minmax(18rem,1fr));gap:0 2rem}
.wide{overflow-x:auto;margin:.75rem 0}
.wide:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
table{border-collapse:collapse;width:100%;font-size:.9rem}
caption{text-align:left;color:var(--soft);font-size:.85rem;padding-bottom:.35rem}
th,td{text-align:left;vertical-align:top;padding:.38rem .8rem .38rem 0;
  border-bottom:1px solid var(--line);overflow-wrap:break-word}
th{font-weight:600}
tbody th{white-space:nowrap;font-weight:500}
thead th{white-space:nowrap;color:var(--soft);font-size:.82rem}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.ok{color:var(--ok)}
.warning{color:var(--warn)}
.error{color:var(--bad)}
.note,.soft{color:var(--soft)}
code,pre{font:.85rem/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
pre{background:var(--code);padding:.9rem;border-radius:8px;overflow-x:auto;margin:.5rem 0}
code{overflow-wrap:anywhere}
blockquote{margin:.5rem 0;padding:.15rem 0 .15rem .9rem;border-left:3px solid var(--line)}
details{margin:.75rem 0}
summary{cursor:pointer;color:var(--accent)}
.chart{width:100%;height:auto;max-width:46rem;display:block;margin:.5rem 0}
.mini{width:10rem;height:1.25rem;display:block}
svg text{fill:var(--ink);font-size:12.5px}
svg .tick{fill:var(--soft);font-size:11px;font-variant-numeric:tabular-nums}
svg .grid{stroke:var(--line)}
svg .planted{fill:var(--accent)}
svg .natural{fill:var(--natural)}
svg .band{fill:var(--band)}
svg .stem{stroke:var(--line);stroke-width:2}
svg .limit{stroke:var(--bad);stroke-dasharray:4 3}
svg .bound{stroke:var(--soft);stroke-width:2}
svg .strip{stroke:var(--accent);stroke-opacity:.55;stroke-width:1.4;fill:none}
svg .ok{fill:var(--ok)}
svg .warning{fill:var(--warn)}
svg .error{fill:var(--bad)}
svg .note{fill:var(--soft)}
.key{display:inline-block;width:.8rem;height:.8rem;border-radius:3px;vertical-align:-1px;
  margin-right:.35rem}
footer{color:var(--soft);font-size:.85rem;padding-bottom:3rem}
@media print{
body{background:#fff}
section{break-inside:avoid;border:0;padding:0}
nav,.skip{display:none}
details{display:block}
}
"""
