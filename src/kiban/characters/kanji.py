"""Variant kanji (異体字): one representative for each class, from the MJ shrink map where it is installed.

The map (MJ縮退マップ, CC BY-SA 2.1 JP) comes with the package jntajis and is read once per process; nothing of
it is kept here. Three of its four schemes are used. The fourth, the notice for residence cards, replaces
characters by others of the same sound and would merge strangers. A character with several targets joins one class
and never merges two. 斎 and 斉 are two characters and stay two classes, found with 齋 and with 齊: those who do
not know the spelling search by the reading. What the map lacks, or joins too freely for names, stands in
`variants.csv` beside this file.
"""

from __future__ import annotations

import csv
import unicodedata
from collections import defaultdict
from functools import cache
from importlib import resources

from jntajis import MJShrinkSchemeCombo, mj_shrink_candidates

_SCHEMES = int(
    MJShrinkSchemeCombo.JIS_INCORPORATION_UCS_UNIFICATION_RULE
    | MJShrinkSchemeCombo.INFERENCE_BY_READING_AND_GLYPH
    | MJShrinkSchemeCombo.MOJ_FAMILY_REGISTER_ACT_RELATED_NOTICE
)

_BLOCKS = (
    range(0x3400, 0x4DC0),  # extension A
    range(0x4E00, 0xA000),  # the unified ideographs
    range(0xF900, 0xFB00),  # compatibility ideographs
    range(0x20000, 0x2FA20),  # extensions B to F and the compatibility supplement
    range(0x30000, 0x323B0),  # extensions G and H
)


@cache
def kanji_table() -> dict[int, str]:
    """For `str.translate`: code point of each kanji that is not its own representative -> representative.

    The representative is the member that JIS X 0208 puts first among those the map does not shrink further.
    """
    return {
        ord(member): members[0]
        for members in _classes().values()
        for member in members
        if member != members[0]
    }


def kanji_variants(character: str) -> tuple[str, ...]:
    """All kanji that are searched as one with the given one, representative first; itself if alone.

    >>> "邊" in kanji_variants("辺"), kanji_variants("齋")[0], kanji_variants("あ")
    (True, '斎', ('あ',))
    """
    return _classes().get(kanji_table().get(ord(character), character), (character,))


def is_kanji(character: str) -> bool:
    """Whether a character is an ideograph."""
    return any(ord(character) in block for block in _BLOCKS)


@cache
def _classes() -> dict[str, tuple[str, ...]]:
    targets = _targets()
    parents: dict[str, str] = {}

    def root(character: str) -> str:
        while (parent := parents.get(character, character)) != character:
            character = parent
        return character

    for source, found in targets.items():
        if len(found) == 1:
            parents[root(source)] = root(found[0])
    # Those with several targets come last: they follow the first target, and merge nothing by themselves.
    for source, found in targets.items():
        if len(found) > 1 and source not in parents:
            parents[source] = root(min(found, key=_jis_order))
    members = defaultdict(list)
    for character in {*targets, *(target for found in targets.values() for target in found)}:
        members[root(character)].append(character)
    ordered = [
        sorted(each, key=lambda c: (not _is_plain(c), c in targets, _jis_order(c)))
        for each in members.values()
    ]
    return {each[0]: tuple(each) for each in ordered if len(each) > 1}


def _targets() -> dict[str, list[str]]:
    """For each kanji that shrinks: what it shrinks to, by the map and by our own amendments."""
    joined, parted = _amendments()
    targets: dict[str, list[str]] = {}
    for code in (code for block in _BLOCKS for code in block):
        character = chr(code)
        if not _is_plain(character):
            targets[character] = [unicodedata.normalize("NFKC", character)]
            continue
        candidates = mj_shrink_candidates(character, _SCHEMES)
        if candidates == [character] and character not in joined:
            continue
        found = [c for c in candidates if len(c) == 1 and c != character and (character, c) not in parted]
        plain = list(
            dict.fromkeys(unicodedata.normalize("NFKC", c) for c in found + joined.get(character, []))
        )
        if plain := [c for c in plain if c != character]:
            targets[character] = plain
    return targets


def _amendments() -> tuple[dict[str, list[str]], set[tuple[str, str]]]:
    text = resources.files("kiban.characters").joinpath("variants.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    joined = {row["source"]: [row["target"]] for row in rows if row["rule"] == "join"}
    return joined, {(row["source"], row["target"]) for row in rows if row["rule"] == "part"}


def _is_plain(character: str) -> bool:
    return unicodedata.normalize("NFKC", character) == character


def _jis_order(character: str) -> tuple[int, int]:
    try:
        return int.from_bytes(character.encode("shift_jis"), "big"), 0
    except UnicodeEncodeError:
        return 0x10000, ord(character)
