"""The characters of a name, one by one: enlarged, with MJ number and code."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from kiban import characters
from kiban.characters import Identity


@dataclass(frozen=True)
class Letter:
    """One character with its selector.

    Attributes:
        text: the character and, where it has one, its variation selector: always together.
        codes: such as U+8FBB U+E0100.
        mj: MJ number; empty where none is known.
        told: what is known of the character, in Japanese.
        svg: its shape from the MJ font; empty where the font has not this very shape, or is not installed.
        missing: why there is no shape; empty where there is one.
        others: MJ characters from which a person would choose, with their numbers.
    """

    text: str
    codes: str
    mj: str
    told: str
    svg: str
    missing: str
    others: tuple[tuple[str, str], ...] = ()


_TOLD = {
    "exact": "文字情報基盤（MJ）の文字です",
    "design": "文字情報基盤にない字形（同じ文字の別の字形があります）",
    "substitute": "文字情報基盤にない文字（異体字があります）",
    "unresolved": "文字情報基盤で確認できない文字です",
}
_MISSING = {
    "glyph-font-missing": "IPAmj明朝フォントがこのサーバーにないため、字形を描けません。コードで確認してください。",
    "glyph-font-unreadable": "IPAmj明朝フォントを読めないため、字形を描けません。コードで確認してください。",
    "glyph-missing": "IPAmj明朝にこの字形はありません。コードで確認してください。",
}


def letters(text: str, folder: Path | None) -> list[Letter]:
    """The characters of a text, without spaces.

    Args:
        text: a name.
        folder: of the installed character data; None to do without the MJ tables.
    """
    font = characters.glyph_font(folder)
    return [_letter(each, font) for each in characters.identify(text, folder) if each.text.strip()]


def _letter(identity: Identity, font: Path | None) -> Letter:
    glyph = characters.glyph_svg(identity.text, font)
    others = tuple((each.text or "", each.mj) for each in identity.candidates)
    told = _TOLD[identity.kind]
    if identity.mj is None and identity.kind == "exact":
        told = (
            ""
            if not _kanji(identity.text)
            else "MJ文字図形名の表がこのサーバーにないため、番号は分かりません"
        )
    missing = _MISSING.get(glyph.problem.code, "") if glyph.problem else ""
    return Letter(
        identity.text, codes(identity.text), identity.mj or "", told, glyph.svg or "", missing, others
    )


def codes(text: str) -> str:
    """The code points of a character and its selector."""
    return " ".join(f"U+{ord(one):04X}" for one in text)


def _kanji(text: str) -> bool:
    return unicodedata.name(text[0], "").startswith("CJK")


_UNIT = re.compile("[^\ufe00-\ufe0f\U000e0100-\U000e01ef][\ufe00-\ufe0f\U000e0100-\U000e01ef]?", re.DOTALL)


def drawn(text: str, folder: Path | None) -> list[tuple[str, str]]:
    """The characters of a name, each with its shape where a browser's fonts may lack it or show another one.

    Args:
        text: a name.
        folder: of the installed character data; None to do without.

    Returns:
        Each character with its selector, and its picture; empty where the browser draws it, or the MJ font has not this shape.
    """
    units = _UNIT.findall(text)
    if not any(map(_rare, units)):
        return [(text, "")]
    font = characters.glyph_font(folder)
    return [(unit, characters.glyph_svg(unit, font).svg or "" if _rare(unit) else "") for unit in units]


def _rare(unit: str) -> bool:
    code = ord(unit[0])
    return len(unit) > 1 or code > 0xFFFF or 0xE000 <= code <= 0xF8FF or 0x3400 <= code < 0x4E00
