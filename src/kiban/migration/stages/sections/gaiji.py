"""The city's own characters: what became of them, and whom it concerns."""

from __future__ import annotations

import csv

import pyarrow.compute as pc
import pyarrow.parquet as pq

from kiban import characters
from kiban.migration.packet import Glyph, Section
from kiban.migration.stage import Context
from kiban.migration.stages.characters import CHANGED

_GLYPHS = 30
_CLASSES = {"exact": "同じ字形", "design": "設計差", "substitute": "代替", "unresolved": "未決定"}


def gaiji(context: Context) -> Section:
    """Every used character with its glyph, those that print in another form first, and how many people see a change."""
    path = context.inputs["characters"] / "characters.csv"
    with path.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    waiting = [row for row in rows if not row["text"]]
    changed = [row for row in rows if row["class"] in {"design", "substitute"}]
    sentences = [
        f"市が独自に作った文字（外字）は{len(rows)}字が使われています。"
        + (
            "すべて2人の職員が行き先を決めました。"
            if not waiting
            else f"うち{len(waiting)}字は、2人による決定がまだありません。"
        ),
    ]
    if changed:
        people = pc.count_distinct(pq.read_table(context.inputs["characters"] / CHANGED)["person"]).as_py()
        sentences.append(
            f"印字の形が変わる文字は{len(changed)}字で、{people:,}人に関わります。一人ずつの一覧は{CHANGED}にあります。"
            "登録されている字はそのまま残ります。"
        )
    else:
        sentences.append("印字の形が変わる文字はありません。")
    font = characters.glyph_font()
    glyphs = []
    for row in sorted(rows, key=lambda row: (bool(row["text"]), row not in changed))[:_GLYPHS]:
        svg = characters.glyph_svg(row["text"], font).svg if font and row["text"] else None
        note = f"{_CLASSES.get(row['class'], '未決定')}　{int(row['people']):,}人"
        glyphs.append(Glyph(f"{row['system']} {row['code']}", row["text"] or "？", svg, note))
    if len(rows) > _GLYPHS:
        sentences.append(
            f"下に{_GLYPHS}字を、決まっていないもの、形が変わるものから順に示します。全部は文字台帳（characters.csv）にあります。"
        )
    return Section("文字", "open" if waiting else "good", sentences, glyphs=glyphs)
