"""The packet as one self-contained page: reads, prints and needs no network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib.resources import files

from kiban.migration.packet import charts
from kiban.migration.packet.model import CONCLUSIONS, VERDICTS, Chart, Glyph, Packet, Section, Table, shown


def to_html(packet: Packet) -> str:
    """The packet in HTML. Every text in it is escaped; nothing is loaded from anywhere and nothing runs.

    Colours, sizes and contrasts take the published token values of デジタル庁デザインシステム.
    """
    contents = "".join(
        f'<li><a href="#part-{number}">{number}　{escape(part.title)}</a> {_mark(part)}</li>'
        for number, part in enumerate(packet.shown, 1)
    )
    signers = "".join(
        f"<tr><th scope=row>{escape(who)}</th><td>承認　・　差戻し</td><td></td><td></td></tr>"
        for who in packet.signers
    )
    title = f"{packet.title}　移行結果確認書"
    facts = [*packet.facts, ("内容のSHA-256", packet.digest)]
    head = (
        f'<p class="verdict {packet.verdict}">{CONCLUSIONS[packet.verdict]}</p>{_facts(facts)}'
        f'<nav aria-label="目次"><ol>{contents}</ol></nav>'
    )
    foot = f"""<section><h2>確認</h2>
<p>承認しないことも、正式な結論です。差し戻すときは理由を書いてください。</p>
<table class="sign">
<thead><tr><th scope=col>役割</th><th scope=col>結論</th><th scope=col>署名・日付</th><th scope=col>理由</th></tr></thead>
<tbody>{signers}</tbody></table></section>"""
    return _whole(title, head, packet.shown, foot)


def to_sheet(title: str, notice: str, facts: Sequence[tuple[str, str]], sections: Sequence[Section]) -> str:
    """Another page of the same look, such as one person side by side; nobody signs it.

    Args:
        title: heading.
        notice: one sentence that everybody should read first.
        facts: name and value of what it shows.
        sections: its parts.
    """
    return _whole(title, f'<p class="verdict open">{escape(notice)}</p>{_facts(facts)}', sections, "")


def _facts(facts: Iterable[tuple[str, str]]) -> str:
    told = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in facts)
    return f"<dl>{told}</dl>"


def _whole(title: str, head: str, sections: Sequence[Section], foot: str) -> str:
    style = files("kiban.migration.packet").joinpath("packet.css").read_text("utf-8")
    body = "".join(_section(number, part) for number, part in enumerate(sections, 1))
    return f"""<!DOCTYPE html>
<html lang="ja">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#part-1">本文へ移動</a>
<header>
<h1>{escape(title)}</h1>
{head}
</header>
<main>
{body}
{foot}
</main>
</body>
</html>
"""


def _mark(section: Section) -> str:
    return f'<span class="mark {section.verdict}">{VERDICTS[section.verdict]}</span>'


def _section(number: int, section: Section) -> str:
    parts: Iterable[str] = (
        *(f"<p>{escape(sentence)}</p>" for sentence in section.sentences),
        *map(_chart, section.charts),
        *map(_table, section.tables),
        _glyphs(section.glyphs),
    )
    return f'<section id="part-{number}"><h2>{number}　{escape(section.title)} {_mark(section)}</h2>{"".join(parts)}</section>'


def _chart(chart: Chart) -> str:
    svg = charts.to_svg(chart)
    svg = svg[svg.index("<svg") :]
    told = "、".join(
        f"{label} " + " ".join(f"{name}{values[place]:,}{chart.unit}" for name, values in chart.series)
        for place, label in enumerate(chart.labels)
    )
    return (
        f'<figure role="img" aria-label="{escape(chart.title)}。{escape(told)}"><figcaption>{escape(chart.title)}</figcaption>'
        f'<div aria-hidden="true">{svg}</div></figure>'
    )


def _table(table: Table) -> str:
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in table.columns)
    rows = "".join("<tr>" + "".join(_cells(row)) + "</tr>" for row in table.rows[: table.most])
    rest = len(table.rows) - table.most
    more = f'<p class="more">ほか{rest:,}行は台帳にあります。</p>' if rest > 0 else ""
    return (
        f'<div class="wide"><table><caption>{escape(table.title)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{more}"
    )


def _cells(row: Iterable[str | int | None]) -> Iterator[str]:
    for cell in row:
        kind = ' class="number"' if isinstance(cell, int) else ""
        yield f"<td{kind}>{escape(shown(cell))}</td>"


def _glyphs(glyphs: Iterable[Glyph]) -> str:
    shown_glyphs = "".join(
        f'<li><span class="drawn">{glyph.svg or escape(glyph.text)}</span><b>{escape(glyph.code)}</b><span>{escape(glyph.note)}</span></li>'
        for glyph in glyphs
    )
    return f'<ul class="glyphs">{shown_glyphs}</ul>' if shown_glyphs else ""
