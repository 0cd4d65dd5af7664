"""A city's own characters (gaiji): its chart, and what two people decided on each code."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from kiban.characters.codepages.page import is_selector
from kiban.characters.decisions import verify_decisions
from kiban.kernel import Problem, Problems

CHART_COLUMNS = ("system", "code", "unicode", "mj", "note")
"""Columns of a chart. `code`: four hexadecimal digits; `unicode`: hexadecimal code points between blanks."""
DECISION_COLUMNS = (
    *("system", "code", "unicode", "class"),
    *("decided_by_1", "decided_on_1", "decided_by_2", "decided_on_2", "reason"),
)
"""Columns of a file of decisions. Days as YYYY-MM-DD; empty where the person has not decided yet."""
CLASSES = ("exact", "design", "substitute", "unresolved")
"""exact: the same character; design: the same, drawn otherwise; substitute: another, for want of it; unresolved."""

_HEX = re.compile(r"[0-9A-Fa-f]{4}")
_POINTS = re.compile(r"[0-9A-Fa-f]{4,6}( [0-9A-Fa-f]{4,6})*")
_MJ = re.compile(r"MJ\d{6}")


@dataclass(frozen=True)
class ChartRow:
    """One code of a chart and the decision on it.

    Attributes:
        system: the source system that owns the code; the same code of another system is another character.
        code: the double-byte code.
        unicode: base character and variation selector; empty where it is not known.
        mj: number of the MJ character such as MJ026190; empty where none is named.
        class_: one of `CLASSES`; None where nobody decided.
        decided_by: those who decided, in order; two different people make it count.
        decided_on: the days.
        reason, note: in words, empty where there are none.
        where: file and line of the decision, of the chart where there is none.
    """

    system: str
    code: int
    unicode: str
    mj: str = ""
    class_: str | None = None
    decided_by: tuple[str, ...] = ()
    decided_on: tuple[date, ...] = ()
    reason: str = ""
    note: str = ""
    where: str = ""

    @property
    def decided(self) -> bool:
        """Whether two people decided which character it is."""
        return len(self.decided_by) == 2 and self.class_ not in (None, "unresolved")


@dataclass(frozen=True)
class Chart:
    """The charts of a city with the decisions laid over them.

    Attributes:
        rows: every code that stands in a chart or in a decision, by system and code.
    """

    rows: tuple[ChartRow, ...]

    @classmethod
    def load(cls, *paths: Path, keys: Sequence[Path] = (), unsigned: bool = False) -> Chart:
        """Read charts and decisions; the heads of the columns tell which is which.

        Args:
            paths: CSV files in UTF-8, or folders of them.
            keys: public keys whose signature on decisions is trusted.
            unsigned: accept decisions that nobody signed.

        Raises:
            Problems: every fault of every file: `chart-missing`, `chart-unreadable`, `chart-columns`, `chart-system`,
                `chart-code`, `chart-unicode`, `chart-mj`, `chart-code-twice`, `decision-twice`, `decision-class`,
                `decision-person`, `decision-day`, `decision-character`, and those of `verify_decisions`.
        """
        reading = _Reading()
        for file in reading.files(paths):
            reading.read(file, keys, unsigned)
        if reading.problems:
            raise Problems(reading.problems)
        return cls(tuple(sorted(reading.merged(), key=lambda row: (row.system, row.code))))

    def gaiji(self, system: str) -> dict[int, str]:
        """Code to text of one system, only where two people decided: what `code_page` takes."""
        return {row.code: row.unicode for row in self.rows if row.system == system and row.decided}

    def undecided(self, system: str, used_codes: Iterable[int]) -> tuple[int, ...]:
        """The codes among those used that nobody, or only one person, decided on; in order."""
        return tuple(sorted(set(used_codes) - self.gaiji(system).keys()))

    def row(self, system: str, code: int) -> ChartRow | None:
        """What is known of a code; None where it stands nowhere."""
        return self._by_code.get((system, code))

    @property
    def systems(self) -> tuple[str, ...]:
        """The systems named, in order."""
        return tuple(dict.fromkeys(row.system for row in self.rows))

    @cached_property
    def classes(self) -> dict[tuple[str, int], str]:
        """System and code to class, of all codes that somebody judged, also of those that wait for the second."""
        return {(row.system, row.code): row.class_ for row in self.rows if row.class_}

    @cached_property
    def _by_code(self) -> dict[tuple[str, int], ChartRow]:
        return {(row.system, row.code): row for row in self.rows}


def check_decisions(path: Path) -> None:
    """Tell every fault of a file of decisions before it is signed, whatever signature it had.

    Raises:
        Problems: those of `Chart.load` but for the signature.
    """
    reading = _Reading()
    for file in reading.files([path]):
        reading.read(file, (), unsigned=None)
    if reading.problems:
        raise Problems(reading.problems)


class _Reading:
    """Reads files one after another and remembers everything that is wrong."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.chart: dict[tuple[str, int], ChartRow] = {}
        self.decisions: dict[tuple[str, int], ChartRow] = {}

    def files(self, paths: Iterable[Path]) -> Iterator[Path]:
        for path in paths:
            found = sorted(path.glob("*.csv")) if path.is_dir() else [path] if path.exists() else []
            if not found:
                self._fault(
                    "chart-missing", "there is no chart here", str(path), "name a CSV file or a folder"
                )
            yield from found

    def read(self, file: Path, keys: Sequence[Path], unsigned: bool | None) -> None:
        try:
            text = file.read_bytes().decode("utf-8-sig")
            reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
            heads = tuple(reader.fieldnames or ())
            if heads not in (CHART_COLUMNS, DECISION_COLUMNS):
                self._fault(
                    "chart-columns",
                    "the columns are neither those of a chart nor those of decisions",
                    f"{file}:1",
                    f"{','.join(CHART_COLUMNS)} or {','.join(DECISION_COLUMNS)}",
                )
                return
            decided = heads == DECISION_COLUMNS
            if decided and unsigned is not None:  # None: about to be signed anew
                verify_decisions(file, keys, unsigned=unsigned)
            for values in reader:
                where = f"{file}:{reader.line_num}"
                if None in values or None in values.values():
                    self._fault("chart-columns", "the line has not as many cells as heads", where)
                    continue
                self._take(values, where, decided)
        except Problem as problem:
            self.problems.append(problem)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            self._fault("chart-unreadable", f"the file is no CSV in UTF-8 ({error})", str(file))

    def merged(self) -> Iterator[ChartRow]:
        for key, row in self.chart.items():
            if key not in self.decisions:
                yield row
        for key, row in self.decisions.items():
            known = self.chart.get(key)
            mj = known.mj if known and known.unicode == row.unicode else ""
            yield ChartRow(**{**row.__dict__, "mj": mj, "note": known.note if known else ""})

    def _take(self, values: Mapping[str, str], where: str, decided: bool) -> None:
        cells = {name: cell.strip() for name, cell in values.items()}
        before = len(self.problems)
        self._check_code(cells, where)
        text = self._text(cells["unicode"], where)
        if not decided and cells["mj"] and not _MJ.fullmatch(cells["mj"]):
            self._fault("chart-mj", f"{cells['mj']!r} is no MJ number", where, "such as MJ026190, or empty")
        people = self._people(cells, where) if decided else ((), ())
        if decided and cells["class"] not in CLASSES:
            self._fault("decision-class", f"{cells['class']!r} is no class", where, ", ".join(CLASSES))
        elif decided and not text and cells["class"] != "unresolved" and not cells["unicode"]:
            self._fault(
                "decision-character",
                "a character was decided on, but none is named",
                where,
                "fill in unicode",
            )
        if len(self.problems) > before:
            return
        key = (cells["system"], int(cells["code"], 16))
        shelf = self.decisions if decided else self.chart
        if key in shelf:
            code = "decision-twice" if decided else "chart-code-twice"
            what = f"{key[0]} {key[1]:04X} stands already in {shelf[key].where}"
            self._fault(code, what, where, "keep one of the two lines")
            return
        shelf[key] = ChartRow(
            *key,
            text,
            mj=cells.get("mj", ""),
            class_=cells.get("class"),
            decided_by=people[0],
            decided_on=people[1],
            reason=cells.get("reason", ""),
            note=cells.get("note", ""),
            where=where,
        )

    def _check_code(self, cells: Mapping[str, str], where: str) -> None:
        if not cells["system"]:
            self._fault("chart-system", "the system is not named", where, "each system has its own gaiji")
        if not _HEX.fullmatch(cells["code"]):
            self._fault("chart-code", f"{cells['code']!r} is no code", where, "four hexadecimal digits")

    def _text(self, points: str, where: str) -> str:
        """One character, with its selector or combining mark; empty where none is named or it is at fault."""
        if not points:
            return ""
        numbers = [int(point, 16) for point in points.split(" ")] if _POINTS.fullmatch(points) else []
        if numbers and all(number <= 0x10FFFF for number in numbers):
            text = "".join(map(chr, numbers))
            if _is_character(text):
                return text
        self._fault(
            "chart-unicode",
            f"{points!r} is no character",
            where,
            "hexadecimal code points such as 8FBB E0102; no private-use one, which says nothing outside the city",
        )
        return ""

    def _people(self, cells: Mapping[str, str], where: str) -> tuple[tuple[str, ...], tuple[date, ...]]:
        names, days = [], []
        for number in ("1", "2"):
            name, day = cells[f"decided_by_{number}"], cells[f"decided_on_{number}"]
            try:
                if bool(name) != bool(day):
                    raise ValueError
                if name:
                    names.append(name)
                    days.append(date.fromisoformat(day))
            except ValueError:
                self._fault(
                    "decision-day",
                    f"person {number} and day {number} do not belong together",
                    where,
                    "YYYY-MM-DD",
                )
        if len(names) == 2 and _same(*names):
            self._fault("decision-person", "one person decided twice", where, "a second person decides")
        return tuple(names), tuple(days)

    def _fault(self, code: str, what: str, where: str, fix: str | None = None) -> None:
        self.problems.append(Problem(code, what, where, fix))


def _is_character(text: str) -> bool:
    """One base character that means the same everywhere, with at most one selector; young kanji may be unknown here."""
    kinds = [unicodedata.category(char) for char in text]
    return (
        kinds[0] not in ("Cc", "Cf", "Co", "Cs")
        and kinds[0][0] not in "MZ"
        and not any(char == "\ufffd" or ord(char) & 0xFFFE == 0xFFFE for char in text)
        and all(kind[0] == "M" for kind in kinds[1:])
        and sum(map(is_selector, text)) <= 1
    )


def _same(one: str, other: str) -> bool:
    """Whether two names are one, however they were typed."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())
