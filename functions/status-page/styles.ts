/**
 * Styles of status pages, inline in each page and allowed by their hash. The colours are the dashboard's
 * (`functions/web/page/tokens.css`); a test compares them.
 */
const LIGHT = `--page:#ffffff;--card:#f5f7f9;--line:#d3d9df;--text:#1c2126;--dim:#59626c;--accent:#0a5dc2;--up:#1a7f37;--degraded:#8f5e00;--down:#c4162a;--unknown:#6b3db0;--no-data:#7d8790;--maintenance:#0a5dc2`;
const DARK = `--page:#0e1116;--card:#171b21;--line:#313840;--text:#e5eaf0;--dim:#98a1ab;--accent:#62adff;--up:#46b95a;--degraded:#d9a02c;--down:#ff7370;--unknown:#b798f2;--no-data:#77808a;--maintenance:#62adff`;

/** Of the browser's own frame: the colour of each status, light and dark. */
export const THEME_COLOURS = {
  up: ["#1a7f37", "#46b95a"],
  degraded: ["#8f5e00", "#d9a02c"],
  down: ["#c4162a", "#ff7370"],
  maintenance: ["#0a5dc2", "#62adff"],
  unknown: ["#59626c", "#98a1ab"],
} as const;

const STYLES = `
:root{color-scheme:light dark;${LIGHT}}
@media (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif;border-top:5px solid var(--brand,var(--line))}
a{color:var(--accent)}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
.wide{max-width:48rem;margin:0 auto;padding:0 1rem}
header .wide{display:flex;flex-wrap:wrap;align-items:center;gap:.5rem .9rem;padding-top:1.6rem;padding-bottom:1rem}
header img{max-height:3rem;max-width:100%}
h1{font-size:1.35rem;line-height:1.3;margin:0;overflow-wrap:anywhere}
h1 a{color:inherit;text-decoration:none}
h2{font-size:1.1rem;margin:2.4rem 0 .7rem;overflow-wrap:anywhere}
h3{font-size:1rem;margin:1.3rem 0 .3rem;overflow-wrap:anywhere}
p{margin:.3rem 0;overflow-wrap:anywhere}
.dim{color:var(--dim)}
.small{font-size:.875rem}
.lines{white-space:pre-line;margin:.6rem 0}
body>main:first-child{padding-top:1.6rem}
main section:first-of-type .entries{margin-top:.8rem}
svg{flex:none}
.mark{width:.9em;height:.9em;margin-right:.45em;vertical-align:-.06em}
.is-up{color:var(--up)}.is-degraded{color:var(--degraded)}.is-down{color:var(--down)}.is-maintenance{color:var(--maintenance)}.is-unknown{color:var(--dim)}
.overall{display:flex;align-items:center;gap:.8rem;margin:0;padding:1.1rem 1.2rem;border:1px solid var(--line);border-left:6px solid currentColor;border-radius:6px;background:var(--card);font-size:1.3rem;font-weight:650;line-height:1.3}
.overall .mark{width:1.4rem;height:1.4rem;margin:0}
.overall span{color:var(--text)}
ul{list-style:none;margin:0;padding:0}
.entries{border:1px solid var(--line);border-radius:6px}
.entries>li{padding:.8rem 1rem .7rem;border-top:1px solid var(--line)}
.entries>li:first-child{border-top:0}
.head{display:flex;align-items:baseline;gap:1rem}
.name{font-weight:600;overflow-wrap:anywhere;min-width:0}
.word{margin-left:auto;font-weight:600;white-space:nowrap;flex:none}
.bars{display:block;width:100%;height:26px;margin:.45rem 0 .15rem}
.bar-up{fill:var(--up)}.bar-degraded{fill:var(--degraded)}.bar-down{fill:var(--down)}.bar-maintenance{fill:var(--maintenance)}.bar-paused,.bar-unknown,.bar-no-data{fill:var(--no-data)}
.foot{display:flex;flex-wrap:wrap;justify-content:space-between;gap:0 1rem;color:var(--dim);font-size:.875rem}
/* Both ends of the bars share a line also where figures between them leave no room. */
@media (max-width:30rem){.foot>.long{order:1;flex-basis:100%}}
details{font-size:.875rem;margin-top:.2rem}
summary{color:var(--dim);cursor:pointer;min-height:24px;width:fit-content}
details ul{padding:.2rem 0 .2rem 1.1rem}
.box{border:1px solid var(--line);border-left:6px solid currentColor;border-radius:6px;padding:.7rem 1rem;margin:.6rem 0}
.box>*{color:var(--text)}
.box h3{margin:0}
.box .dim{color:var(--dim)}
.incident{border-top:1px solid var(--line);padding:.7rem 0}
.incident h4{margin:0;font-size:1rem;overflow-wrap:anywhere}
.updates{border-left:2px solid var(--line);margin:.5rem 0 .2rem .3rem;padding-left:.9rem}
.updates li{margin:.4rem 0}
.months{display:flex;justify-content:space-between;gap:1rem;margin:1rem 0}
input,button{font:inherit;padding:.5rem .7rem;border:1px solid var(--dim);border-radius:6px;background:var(--page);color:var(--text);max-width:100%}
button{background:var(--text);border-color:var(--text);color:var(--page);font-weight:600;cursor:pointer}
label{display:block;font-weight:600;margin:.6rem 0 .2rem}
form p{display:flex;flex-wrap:wrap;gap:.5rem}
input[type=search]{width:100%;margin-top:1.2rem}
[hidden]{display:none!important}
footer{margin-top:3rem;border-top:1px solid var(--line);padding:1.2rem 0 2.5rem;color:var(--dim);font-size:.875rem}
footer nav{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin-bottom:.6rem}
footer nav a{display:inline-block;min-height:24px}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
@media (forced-colors:active){.bars path{fill:CanvasText}.bar-up{opacity:.5}}
`.trim();

/** @param accent `#rrggbb`, checked when the page was stored */
export const stylesOf = (accent: string | null) => (accent ? `${STYLES}\n:root{--brand:${accent}}` : STYLES);
