"""How wide the legacy system writes numbers into fields of text: as wide as all of them came."""

from __future__ import annotations

from kiban.migration.back.desk import Desk
from kiban.migration.back.forms import Form, writers
from kiban.migration.mapping import named, quoted

_RULES = ("番号",)


def widths(at: Desk, form: Form) -> dict[str, int]:
    """The width of each field of text that holds a number with its leading zeros; fields whose values differ in width have none."""
    found: dict[str, int] = {}
    for made in form.maps:
        fields = [name for name, line in writers(made).items() if line.rule in _RULES]
        paths = sorted((at.decoded / made.target.source).glob("*.parquet"))
        if not fields or not paths:
            continue
        lengths = [
            f"{how}(length(cast({named(name)} as varchar)))" for name in fields for how in ("min", "max")
        ]
        read = ", ".join(quoted(str(path)) for path in paths)
        [row] = at.query.execute(f"SELECT {', '.join(lengths)} FROM read_parquet([{read}])").fetchall()
        for name, least, most in zip(fields, row[::2], row[1::2], strict=True):
            if least is not None and least == most:
                found[name] = int(most)
    return found
