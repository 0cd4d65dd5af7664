"""The colours of cells, as far as item lists mean something by them."""

from __future__ import annotations

import colorsys
import re
from typing import Any

from openpyxl.workbook.workbook import Workbook


def theme_colours(book: Workbook) -> list[str]:
    """The theme's colours in the order in which cells number them: lt1 dk1 lt2 dk2 accent1 …."""
    raw: Any = book.loaded_theme
    xml = raw.decode("utf-8", errors="replace") if isinstance(raw, bytes) else ""
    found = dict(
        re.findall(r'<a:(lt1|dk1|lt2|dk2|accent[1-6])>.*?(?:val|lastClr)="([0-9A-Fa-f]{6})"', xml, re.DOTALL)
    )
    order = ["lt1", "dk1", "lt2", "dk2", *(f"accent{i}" for i in range(1, 7))]
    usual = [
        "FFFFFF",
        "000000",
        "E7E6E6",
        "44546A",
        "5B9BD5",
        "ED7D31",
        "A5A5A5",
        "FFC000",
        "4472C4",
        "70AD47",
    ]
    return [found.get(name, default) for name, default in zip(order, usual, strict=True)]


def _hls(colour: Any, theme: list[str]) -> tuple[float, float, float] | None:
    """Hue, lightness, saturation (0 to 1) of a colour; None where it is automatic."""
    if colour is None:
        return None
    if colour.type == "theme" and isinstance(colour.theme, int) and colour.theme < len(theme):
        code, tint = theme[colour.theme], float(colour.tint or 0)
    elif colour.type == "rgb" and isinstance(colour.rgb, str) and len(colour.rgb) == 8:
        code, tint = colour.rgb[2:], 0.0
    else:
        return None
    red, green, blue = (int(code[i : i + 2], 16) / 255 for i in (0, 2, 4))
    hue, light, saturation = colorsys.rgb_to_hls(red, green, blue)
    light = light * (1 + tint) if tint < 0 else light + (1 - light) * tint
    return hue, light, saturation


def is_light_blue(colour: Any, theme: list[str]) -> bool:
    """Whether a fill is 水色, which marks keys."""
    hls = _hls(colour, theme)
    return hls is not None and 0.44 <= hls[0] <= 0.69 and 0.55 <= hls[1] <= 0.97 and hls[2] >= 0.2


def is_red(colour: Any, theme: list[str]) -> bool:
    """Whether a font is red, which marks changes."""
    hls = _hls(colour, theme)
    return hls is not None and (hls[0] <= 0.04 or hls[0] >= 0.95) and 0.2 <= hls[1] <= 0.75 and hls[2] >= 0.6
