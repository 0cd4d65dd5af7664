"""Outlines of characters as inline SVG, from the IPAmj Mincho font where it is installed (IPA Font License).

The outlines stand in papers as pictures of single characters; no font is derived from them.
"""

from __future__ import annotations

import html
import io
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fontTools.pens.svgPathPen import SVGPathPen
from fontTools.ttLib import TTFont, TTLibError

from kiban.characters.codepages.page import is_selector
from kiban.kernel import Problem

FONT_FILE = "ipamjm.ttf"
"""Name of the font inside the folder of installed character data."""
FONT_GLYPHS = 61_179
"""Glyphs that the font has at least."""

_SYSTEM = Path("/usr/share/fonts/truetype/ipamj") / FONT_FILE
_MJ = re.compile(r"MJ\d{6}")


@dataclass(frozen=True)
class Glyph:
    """A picture, or the reason why there is none."""

    svg: str | None
    problem: Problem | None = None


def glyph_font(folder: Path | None = None) -> Path | None:
    """The IPAmj font: in the folder of installed character data, else of the operating system, else None."""
    places = [*([folder / FONT_FILE] if folder else []), _SYSTEM]
    return next((place for place in places if place.is_file()), None)


def glyph_svg(character: str, font: Path | None) -> Glyph:
    """The outline of a character as an `<svg>` element whose side is one em.

    Args:
        character: one, with or without its selector; or an MJ number such as MJ026190.
        font: what `glyph_font` finds.

    Returns:
        The picture; or None with the Problem `glyph-font-missing`, `glyph-font-unreadable`, or `glyph-missing` where the
        font has not this very shape: a shape that is only near is never drawn in its place.
    """
    if font is None:
        return Glyph(
            None,
            Problem(
                "glyph-font-missing",
                "no IPAmj font is installed",
                fix="fetch it with `kiban characters install`",
            ),
        )
    try:
        face = _face(font)
    except (OSError, TTLibError) as error:
        return Glyph(
            None,
            Problem(
                "glyph-font-unreadable",
                f"the font cannot be read ({error})",
                str(font),
                "fetch it with `kiban characters install`",
            ),
        )
    name = face.name(character)
    if name is None:
        what = "the font does not draw this character in this shape"
        return Glyph(
            None, Problem("glyph-missing", what, str(font), "name another MJ character, or give a scan")
        )
    return Glyph(face.draw(name, character))


class _Face:
    """One font, read once and drawn from often."""

    def __init__(self, path: Path) -> None:
        self._font: Any = TTFont(io.BytesIO(path.read_bytes()), lazy=True)
        self._glyphs = self._font.getGlyphSet()
        self._names = frozenset(self._font.getGlyphOrder())
        self._plain: dict[int, str] = self._font.getBestCmap() or {}
        self._shapes: dict[tuple[int, int], str | None] = {
            (base, selector): name
            for table in self._font["cmap"].tables
            if table.format == 14
            for selector, pairs in table.uvsDict.items()
            for base, name in pairs
        }
        self._em, self._ascent = self._font["head"].unitsPerEm, self._font["OS/2"].sTypoAscender

    def name(self, character: str) -> str | None:
        """Name of the glyph; None where the font has not the shape."""
        if _MJ.fullmatch(character):
            name = character.lower()
            return name if name in self._names else None
        if len(character) == 2 and is_selector(character[1]):
            key = (ord(character[0]), ord(character[1]))
            # None in the table means: the shape without a selector is the one.
            return (self._shapes[key] or self._plain.get(key[0])) if key in self._shapes else None
        return self._plain.get(ord(character)) if len(character) == 1 else None

    def draw(self, name: str, label: str) -> str:
        """The picture; upright in a square of one em, the baseline where the font has it."""
        pen = SVGPathPen(self._glyphs)
        self._glyphs[name].draw(pen)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self._em} {self._em}" role="img" '
            f'aria-label="{html.escape(label)}"><path transform="matrix(1 0 0 -1 0 {self._ascent})" '
            f'd="{pen.getCommands()}"/></svg>'
        )

    def count(self) -> int:
        """How many glyphs it has; 0 where none of them is an MJ character."""
        return len(self._names) if any(_MJ.fullmatch(name.upper()) for name in self._names) else 0


@cache
def _face(path: Path) -> _Face:
    return _Face(path)


def count_glyphs(path: Path) -> int:
    """How many glyphs an IPAmj font has; 0 for another font.

    Raises:
        OSError, TTLibError: where it is no font.
    """
    return _Face(path).count()
