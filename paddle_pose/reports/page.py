"""A self-contained HTML page: one file, no script, nothing from outside.

Every text that goes in is escaped here. What is called `*_html` is markup that this module or `plots` made.
"""

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from string import Template
from typing import Any

import cv2
import numpy as np

_QUALITY = 85  # of a JPEG
_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>$title</title>
<style>
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #ffffff; --soft: #59636e; --line: #d1d9e0; --tint: #f4f6f8;
  --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --paper: #14171a; --soft: #9aa4ae; --line: #363d44;
  --tint: #1e2327; --bad: #ff8a80; } }
@media print { :root { --ink: #000; --paper: #fff; --soft: #444; --line: #bbb; --tint: #f4f4f4; --bad: #900; }
  nav { display: none; } section, figure, tr { break-inside: avoid; } }
body { background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 62rem; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.55rem; line-height: 1.25; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { border-top: 1px solid var(--line); font-size: 1.15rem; margin: 2.2rem 0 .4rem; padding-top: 1.1rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p, li { max-width: 48rem; overflow-wrap: anywhere; } .soft, figcaption, .note { color: var(--soft); font-size: .87rem; }
.warning { color: var(--bad); } nav { font-size: .9rem; margin: .8rem 0; } nav a { color: inherit; margin-right: 1rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .88rem; margin: .6rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .22rem .7rem; text-align: right; vertical-align: top;
  font-variant-numeric: tabular-nums; } th { color: var(--soft); font-weight: 600; }
th:first-child, td:first-child { padding-left: 0; text-align: left; }
td.text { overflow-wrap: anywhere; text-align: left; }
figure { margin: .6rem 0; } figure svg { height: auto; max-width: 100%; }
.tiles { display: flex; flex-wrap: wrap; gap: .6rem; margin: .8rem 0; }
.tile { background: var(--tint); border-radius: 6px; padding: .45rem .8rem; }
.tile b { display: block; font-size: 1.25rem; }
.cases { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); }
.cases figure { background: var(--tint); border-radius: 6px; margin: 0; padding: .5rem; }
.cases img { display: block; height: 15rem; object-fit: contain; width: 100%; }
.cases figcaption { overflow-wrap: anywhere; }
</style>
</head>
<body>
<h1>$title</h1>
<p class="soft">$subtitle</p>
<nav>$links</nav>
$sections
</body>
</html>
""")


@dataclass(frozen=True)
class Section:
    """A part of the page; `body_html` is what the functions below made."""

    title: str
    body_html: str


def page(title: str, subtitle: str, sections: Sequence[Section]) -> str:
    """The whole page."""
    links = " ".join(f'<a href="#s{n}">{escape(each.title)}</a>' for n, each in enumerate(sections))
    bodies = "\n".join(
        f'<section><h2 id="s{n}">{escape(each.title)}</h2>\n{each.body_html}\n</section>'
        for n, each in enumerate(sections)
    )
    return _PAGE.substitute(title=escape(title), subtitle=escape(subtitle), links=links, sections=bodies)


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph; `kind` is '', 'note' or 'warning'."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def bullets(texts: Sequence[str]) -> str:
    """A list."""
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"


def heading(text: str) -> str:
    """A title inside a section."""
    return f"<h3>{escape(text)}</h3>"


def tiles(values: dict[str, float]) -> str:
    """A few numbers, large."""
    each = (f'<div class="tile">{escape(name)}<b>{cell(value)}</b></div>' for name, value in values.items())
    return f'<div class="tiles">{"".join(each)}</div>'


def table(head: Sequence[str], rows: Sequence[Sequence[Any]], decimals: int = 2) -> str:
    """Numbers to the right, words to the left."""
    top = "".join(f"<th>{escape(word)}</th>" for word in head)
    lines = "".join(f"<tr>{''.join(_cell(value, n, decimals) for n, value in enumerate(row))}</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></div>'


def _cell(value: Any, column: int, decimals: int) -> str:
    kind = ' class="text"' if isinstance(value, str) and column else ""
    return f"<td{kind}>{cell(value, decimals)}</td>"


def cell(value: Any, decimals: int = 2) -> str:
    """A number as text, `-` where there is none; words escaped."""
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{round(value, decimals) + 0.0:.{decimals}f}"  # + 0.0: no -0.00
    return "-" if value is None else escape(str(value))


def plot(svg: str, caption: str) -> str:
    """A plot of `plots`, with words below it."""
    return f"<figure>{svg}<figcaption>{escape(caption)}</figcaption></figure>"


def pictures(drawn: Sequence[tuple[np.ndarray, str]]) -> str:
    """Pictures, (H, W, 3) uint8 RGB, each with words below it."""
    each = (
        f'<figure><img alt="" src="{_jpeg(image)}"><figcaption>{escape(words)}</figcaption></figure>'
        for image, words in drawn
    )
    return f'<div class="cases">{"".join(each)}</div>'


def _jpeg(image: np.ndarray) -> str:
    content = cv2.imencode(".jpg", np.ascontiguousarray(image[:, :, ::-1]), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    return f"data:image/jpeg;base64,{base64.b64encode(content.tobytes()).decode()}"
