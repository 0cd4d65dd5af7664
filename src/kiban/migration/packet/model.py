"""What a sign-off packet says, apart from how it looks. The same model makes the page and the paper."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

Verdict = Literal["good", "open", "bad", "none"]
"""Whether a section agrees, waits for somebody, disagrees, or only informs."""

VERDICTS: dict[Verdict, str] = {"good": "一致", "open": "要判断", "bad": "不一致", "none": "参考"}

CONCLUSIONS: dict[Verdict, str] = {
    "good": "旧システムと新システムの突合結果はすべて一致しています。",
    "open": "人の判断を待つ項目があります。判断が済むまで承認できません。",
    "bad": "一致しない項目があります。このままでは承認できません。",
    "none": "突合はまだ行われていません。",
}
"""What the whole packet comes to, on the page and on paper."""


@dataclass(frozen=True)
class Table:
    """Figures in rows.

    Attributes:
        title: what the table shows.
        columns: headings.
        rows: as many cells each as there are columns; an int is shown with separators at the right, a text at the left,
            None as a dash.
        most: how many rows the packet shows; the others are counted in a line below and stand in the ledgers.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str | int | None]]
    most: int = 24


@dataclass(frozen=True)
class Chart:
    """Bars beside each other, two series at most: what the legacy system printed and what is held now.

    Attributes:
        title: what the chart shows.
        unit: 人, 円, 件.
        labels: one for each group of bars.
        series: name of a series and its values, as many as there are labels.
    """

    title: str
    unit: str
    labels: Sequence[str]
    series: Sequence[tuple[str, Sequence[int]]]


@dataclass(frozen=True)
class Glyph:
    """One character that prints differently from now on, or may.

    Attributes:
        code: system and code in the legacy system, such as JUKI 80A1.
        text: what is held now; drawn from the outline where the font of the reader lacks it.
        svg: outline of the character; None where the font was not installed.
        note: class of the identification and how many people it concerns.
    """

    code: str
    text: str
    svg: str | None
    note: str


@dataclass(frozen=True)
class Section:
    """A numbered part of the packet.

    Attributes:
        title: heading.
        verdict: see `Verdict`.
        sentences: what it means, in words that need no system knowledge.
        tables, charts, glyphs: in the order they are shown.
    """

    title: str
    verdict: Verdict
    sentences: Sequence[str]
    tables: Sequence[Table] = ()
    charts: Sequence[Chart] = ()
    glyphs: Sequence[Glyph] = ()


@dataclass(frozen=True)
class Packet:
    """The whole packet.

    Attributes:
        title: of the migration.
        facts: name and value of what identifies it: city, cut date, editions, digests.
        sections: in order; numbered from 1.
        signers: who is asked to sign, by role.
        time: the last section, how long everything took; None where nobody measured. It is no part of the content: a run on
            another machine takes another time and must give the same digest.
    """

    title: str
    facts: Sequence[tuple[str, str]]
    sections: Sequence[Section]
    signers: Sequence[str]
    time: Section | None = None

    @property
    def shown(self) -> Sequence[Section]:
        """All sections as they are printed."""
        return [*self.sections, *([self.time] if self.time else [])]

    @property
    def verdict(self) -> Verdict:
        """The worst of all sections."""
        found = {section.verdict for section in self.sections}
        worst: tuple[Verdict, ...] = ("bad", "open", "good")
        return next((verdict for verdict in worst if verdict in found), "none")

    def as_json(self) -> str:
        """The content as JSON, the same bytes for the same content."""
        content = {name: value for name, value in asdict(self).items() if name != "time"}
        return json.dumps(content, ensure_ascii=False, indent=1) + "\n"

    @staticmethod
    def from_json(text: str) -> Packet:
        """The packet that `as_json` wrote."""
        told = json.loads(text)
        sections = [
            Section(
                **{
                    **one,
                    "tables": [Table(**each) for each in one["tables"]],
                    "charts": [Chart(**each) for each in one["charts"]],
                    "glyphs": [Glyph(**each) for each in one["glyphs"]],
                }
            )
            for one in told["sections"]
        ]
        facts = [(name, value) for name, value in told["facts"]]
        return Packet(told["title"], facts, sections, told["signers"])

    @property
    def digest(self) -> str:
        """SHA-256 of the content, in hex; printed on every page, so that paper and file can be held together.

        Outlines are left out: whether the font was installed changes a picture, not what is said.
        """
        bare = [
            replace(one, glyphs=[replace(glyph, svg=None) for glyph in one.glyphs]) for one in self.sections
        ]
        return hashlib.sha256(replace(self, sections=bare).as_json().encode()).hexdigest()


def shown(cell: str | int | None) -> str:
    """A cell as it is printed.

    >>> shown(1234567), shown(None), shown("中央区")
    ('1,234,567', '－', '中央区')
    """
    if cell is None:
        return "－"
    return f"{cell:,}" if isinstance(cell, int) else cell
