"""MJ characters (文字情報基盤): which one a text means, and what it may shrink to in JIS X 0213.

The tables (MJ文字情報一覧表 and MJ縮退マップ, CC BY-SA 2.1 JP) are read from the database of the package mojidata
where it lies as `moji.db` in the folder of character data; nothing of them is kept here. Without it the shrink map that comes with
jntajis answers, which knows no MJ numbers; every answer says which of the two gave it.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from jntajis import MJShrinkSchemeCombo, mj_shrink_candidates

from kiban.characters.codepages.page import is_selector
from kiban.characters.kanji import is_kanji, kanji_variants
from kiban.kernel import Problem

Identification = Literal["exact", "design", "substitute", "unresolved"]
Source = Literal["mojidata", "jntajis"]

MOJI_FILE = "moji.db"
"""Name of the database inside the folder of installed character data."""
COUNTS = {"mji": 58_862, "mjsm": 62_682}
"""Rows that the tables have at least: fewer are half a table."""

_SCHEMES = {
    MJShrinkSchemeCombo.JIS_INCORPORATION_UCS_UNIFICATION_RULE: "JIS包摂規準・UCS統合規則",
    MJShrinkSchemeCombo.MOJ_FAMILY_REGISTER_ACT_RELATED_NOTICE: "戸籍統一文字情報・民事局長通達",
    MJShrinkSchemeCombo.MOJ_NOTICE_582: "法務省告示582号",
    MJShrinkSchemeCombo.INFERENCE_BY_READING_AND_GLYPH: "読み字形・辞書類",
}


@dataclass(frozen=True)
class MjGlyph:
    """One MJ character: its number and how it is written; None where Unicode cannot write it."""

    mj: str
    text: str | None


@dataclass(frozen=True)
class Identity:
    """Which MJ character a character means.

    Attributes:
        text: the character with its selector.
        kind: exact: it is this one; design: the same character in a shape that MJ does not have, candidates are those it
            has; substitute: MJ lacks it, candidates are its variants; unresolved: nothing is known.
        mj: the number, only for exact; None also for what is no kanji, and where only jntajis is installed.
        candidates: what a person chooses from, in the order of the numbers; never chosen by itself.
        source: whose answer it is.
    """

    text: str
    kind: Identification
    mj: str | None
    candidates: tuple[MjGlyph, ...]
    source: Source


@dataclass(frozen=True)
class Shrunk:
    """What a character may become where only JIS X 0213 can be written.

    Attributes:
        candidates: every rule that has targets, and all of them: a person chooses. Empty where there are none.
        source: whose answer it is.
    """

    candidates: tuple[tuple[str, tuple[str, ...]], ...]
    source: Source

    @property
    def targets(self) -> frozenset[str]:
        """All targets of all rules."""
        return frozenset(target for _, targets in self.candidates for target in targets)


def identify(text: str, folder: Path | None = None) -> tuple[Identity, ...]:
    """The MJ character of each character of a text.

    Args:
        text: any text; a selector belongs to the character before it.
        folder: of the installed character data, `KIBAN_HOME/characters`; None to do without.

    Raises:
        Problem: `moji-unreadable` where the database is there and is not what it should be.
    """
    tables = moji_tables(folder)
    return tuple(_identity(unit, tables) for unit in _units(text))


def shrink(character: str, folder: Path | None = None) -> Shrunk:
    """All that one character may shrink to in JIS X 0213, by rule.

    Args:
        character: one, with or without its selector.
        folder: as for `identify`.

    Raises:
        Problem: `moji-unreadable`.
    """
    tables = moji_tables(folder)
    if tables is None:
        found = ((rule, _jnta(character, int(scheme))) for scheme, rule in _SCHEMES.items())
        return Shrunk(tuple((rule, targets) for rule, targets in found if targets), "jntajis")
    mj = tables.number.get(character)
    rules = tables.shrink.get(mj, {}) if mj else {}
    return Shrunk(tuple((rule, tuple(targets)) for rule, targets in rules.items()), "mojidata")


@dataclass(frozen=True)
class MojiTables:
    """The MJ tables in memory.

    Attributes:
        number: text to MJ number.
        text: MJ number to text; None where Unicode cannot write it.
        of_base: base character to the numbers of all its shapes.
        shrink: MJ number to rule to targets in JIS X 0213.
    """

    number: dict[str, str]
    text: dict[str, str | None]
    of_base: dict[str, list[str]]
    shrink: dict[str, dict[str, list[str]]]


def moji_tables(folder: Path | None) -> MojiTables | None:
    """The installed MJ tables; None where they are not installed.

    Raises:
        Problem: `moji-unreadable`.
    """
    path = folder / MOJI_FILE if folder else None
    if path is None or not path.exists():
        return None
    stat = path.stat()
    return _read(path, stat.st_mtime_ns, stat.st_size)


@cache
def _read(path: Path, _changed: int, _size: int) -> MojiTables:
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            glyphs = connection.execute(
                "select MJ文字図形名, 対応するUCS, 実装したUCS, 実装したMoji_JohoコレクションIVS, 実装したSVS from mji order by 1"
            ).fetchall()
            shrunk = connection.execute(
                "select MJ文字図形名, 縮退UCS, 表 from mjsm where 縮退X0213 is not null order by 1, 3, 順位, ホップ数, 2"
            ).fetchall()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _unreadable(path, str(error)) from error
    if len(glyphs) < COUNTS["mji"] or len(shrunk) < COUNTS["mjsm"]:
        raise _unreadable(path, f"{len(glyphs)} characters and {len(shrunk)} shrink rows are too few")
    tables = MojiTables({}, {}, defaultdict(list), defaultdict(dict))
    for mj, base, plain, sequence, standardized in glyphs:
        tables.text[mj] = sequence or plain
        for text in (plain, sequence, standardized):
            if text:
                tables.number.setdefault(text, mj)
        if base:
            tables.of_base[base].append(mj)
    for mj, target, rule in shrunk:
        targets = tables.shrink[mj].setdefault(rule, [])
        if target not in targets:
            targets.append(target)
    return tables


def _identity(unit: str, tables: MojiTables | None) -> Identity:
    source: Source = "mojidata" if tables else "jntajis"
    if not is_kanji(unit[0]) and (tables is None or unit not in tables.number):
        return Identity(unit, "exact" if len(unit) == 1 else "unresolved", None, (), source)
    if tables is None:
        return _without_tables(unit)
    if mj := tables.number.get(unit):
        return Identity(unit, "exact", mj, (), source)
    if same := tables.of_base.get(unit[0]):
        return Identity(unit, "design", None, _glyphs(same, tables), source)
    variants = [n for c in kanji_variants(unit[0]) if (n := tables.number.get(c))]
    return Identity(unit, "substitute" if variants else "unresolved", None, _glyphs(variants, tables), source)


def _without_tables(unit: str) -> Identity:
    """By the shrink map alone: what it knows is an MJ character, but not under which number or selector."""
    known = bool(_jnta(unit[0], sum(map(int, _SCHEMES))))
    if known and len(unit) == 1:
        return Identity(unit, "exact", None, (), "jntajis")
    others = [unit[0]] if known else [c for c in kanji_variants(unit[0]) if c != unit[0]]
    kind: Identification = "substitute" if others and not known else "unresolved"
    return Identity(unit, kind, None, tuple(MjGlyph("", other) for other in others), "jntajis")


def _glyphs(numbers: list[str], tables: MojiTables) -> tuple[MjGlyph, ...]:
    return tuple(MjGlyph(mj, tables.text[mj]) for mj in sorted(set(numbers)))


def _jnta(character: str, scheme: int) -> tuple[str, ...]:
    """Targets by jntajis that JIS X 0213 has; it also returns what it does not know, so that is tested here."""
    return tuple(dict.fromkeys(c for c in mj_shrink_candidates(character, scheme) if _in_jis(c)))


def _in_jis(character: str) -> bool:
    try:
        return bool(character.encode("euc_jis_2004"))
    except UnicodeEncodeError:
        return False


def _units(text: str) -> Iterator[str]:
    start = 0
    for place in range(1, len(text) + 1):
        if place == len(text) or not is_selector(text[place]):
            yield text[start:place]
            start = place


def _unreadable(path: Path, what: str) -> Problem:
    return Problem(
        "moji-unreadable",
        f"the MJ tables cannot be used ({what})",
        str(path),
        "fetch it with `kiban characters install`",
    )
