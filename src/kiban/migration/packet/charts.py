"""Charts of the packet as SVG that looks the same everywhere: letters are outlines, bytes depend on the figures only."""

from __future__ import annotations

import io
from functools import cache
from importlib.resources import files
from pathlib import Path

from fontTools.ttLib import TTFont

from kiban.migration.packet.model import Chart

_COLOURS = (
    "#8ba2d9",
    "#0017c1",
)  # pale for what was printed, dark for what is held: told apart without colour too
_HATCHES = ("//", None)
_BAR_INCHES = 0.34


def font_file() -> Path:
    """IPAexGothic, which comes with an installed package (IPA Font License): the letters of charts and paper."""
    return Path(str(files("matplotlib_fontja").joinpath("fonts/ipaexg.ttf")))


@cache
def known_letters() -> frozenset[int]:
    """The code points that IPAexGothic draws."""
    with TTFont(font_file(), lazy=True) as font:
        return frozenset(font.getBestCmap() or {})


def to_svg(chart: Chart) -> str:
    """The chart as an SVG document of about 640 points width, with a title for screen readers."""
    import matplotlib  # noqa: PLC0415  (half a second that only who draws should pay)
    from matplotlib.figure import Figure  # noqa: PLC0415
    from matplotlib.font_manager import FontProperties  # noqa: PLC0415
    from matplotlib.ticker import FuncFormatter  # noqa: PLC0415

    letters = FontProperties(fname=str(font_file()), size=9)
    with matplotlib.rc_context({"svg.hashsalt": "kiban", "svg.fonttype": "path", "hatch.linewidth": 0.6}):
        count = len(chart.series)
        figure = Figure(figsize=(8.2, max(1.4, 0.8 + _BAR_INCHES * len(chart.labels) * max(1, count * 0.75))))
        axes = figure.subplots()
        for number, (name, values) in enumerate(chart.series):
            places = [index + (number - (count - 1) / 2) * 0.38 for index in range(len(values))]
            bars = axes.barh(
                places,
                values,
                0.36,
                label=name,
                color=_COLOURS[number],
                hatch=_HATCHES[number],
                edgecolor="white",
            )
            axes.bar_label(bars, [f"{value:,}" for value in values], padding=3, fontproperties=letters)
        axes.set_yticks(range(len(chart.labels)), list(chart.labels), fontproperties=letters)
        axes.invert_yaxis()
        axes.margins(x=0.16)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        for label in axes.get_xticklabels():
            label.set_fontproperties(letters)
        axes.set_xlabel(chart.unit, fontproperties=letters)
        axes.spines[["top", "right"]].set_visible(False)
        if count > 1:
            axes.legend(prop=letters, frameon=False, ncols=count, loc="lower right", bbox_to_anchor=(1, 1))
        figure.tight_layout()
        written = io.StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None, "Title": chart.title})
    return written.getvalue()
