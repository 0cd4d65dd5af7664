"""The frame of every page for people: one self-contained file that reads, filters and prints without a network.

Type, colours and spacing take the published token values of デジタル庁デザインシステム, the Digital Agency's design
system: system fonts with Noto Sans JP in front, a grid of 8 px, text of at least 14 px, contrasts of WCAG AA and more.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape

from kiban.standard.exporting.frame_script import SCRIPT
from kiban.standard.exporting.frame_style import STYLE


def document(title: str, head: str, contents: str, main: str, what: str) -> str:
    """A whole page.

    Args:
        title: of the page, as text.
        head: HTML below the title: what the page is about.
        contents: HTML of the table of contents: list items with links.
        main: HTML of the sections.
        what: what the filter box searches, as text, such as 項目・コード.

    Returns:
        HTML. The page may load nothing and send nothing; only its own style and script run.
    """
    return f"""<!DOCTYPE html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
<a class="skip" href="#main">本文へ移動</a>
<header>
<h1>{escape(title)}</h1>
{head}</header>
<div class="bar" id="bar" role="search" hidden>
<label for="filter">{escape(what)}を絞り込む</label>
<input id="filter" type="search" autocomplete="off" spellcheck="false">
<output id="found" for="filter"></output>
</div>
<div class="body">
<nav aria-label="目次">
<h2>目次</h2>
<ul>
{contents}</ul>
</nav>
<main id="main" tabindex="-1">
{main}</main>
</div>
<footer>
<p>このページは一つのファイルで、通信をしない。<span lang="en">Kiban</span>（基盤）が標準のデータから作成した。</p>
</footer>
<script>{SCRIPT}</script>
</body>
</html>
"""


def _hash(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii") + "'"


_POLICY = (
    f"default-src 'none'; style-src {_hash(STYLE)}; script-src {_hash(SCRIPT)}; "
    "base-uri 'none'; form-action 'none'"
)


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """A list of names and texts; those without a text are left out."""
    lines = (f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>\n" for name, text in pairs if text)
    return f'<dl class="facts">\n{"".join(lines)}</dl>\n'


def chip(text: str, kind: str = "") -> str:
    """A short mark in a box; it says in words what its colour says."""
    return f'<span class="chip{" " + kind if kind else ""}">{escape(text)}</span>'


def romaji(text: str) -> str:
    """A romaji name, as programs write it."""
    return f'<code lang="ja-Latn">{escape(text)}</code>'


def table(heads: Iterable[tuple[str, str]], body: str, caption: str, kind: str = "items") -> str:
    """A table whose head stays in sight.

    Args:
        heads: name and CSS class of each column.
        body: HTML of the rows.
        caption: what the table is of, for those who do not see the heading above it.
        kind: CSS class.
    """
    columns = "".join(f'<th scope="col" class="{kind}">{escape(name)}</th>' for name, kind in heads)
    return (
        f'<div class="wide"><table class="{kind}">\n<caption>{escape(caption)}</caption>\n'
        f"<thead><tr>{columns}</tr></thead>\n<tbody>\n{body}</tbody>\n</table></div>\n"
    )


def contents(links: list[tuple[str, str, str]]) -> str:
    """A table of contents: target, name and count of each section."""
    return "".join(
        f'<li><a href="#{escape(target)}">{escape(name)}</a> <span class="count">{escape(count)}</span></li>\n'
        for target, name, count in links
    )
