"""The rule that makes half-width kana full-width."""

from __future__ import annotations

from typing import Final

from kiban.migration.mapping.pair import Pair, quoted

PLAIN: Final = dict(
    zip(
        "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾅﾆﾇﾈﾉﾊﾋﾌﾍﾎﾏﾐﾑﾒﾓﾔﾕﾖﾗﾘﾙﾚﾛﾜｦﾝｧｨｩｪｫｯｬｭｮｰ･ ",
        "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲンァィゥェォッャュョー・\u3000",
        strict=True,
    )
)
MARKED: Final = {
    **{
        base + "ﾞ": full
        for base, full in zip(
            "ｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎｳ", "ガギグゲゴザジズゼゾダヂヅデドバビブベボヴ", strict=True
        )
    },
    **{base + "ﾟ": full for base, full in zip("ﾊﾋﾌﾍﾎ", "パピプペポ", strict=True)},
}
_HALF: Final = "[\uff61-\uff9f]"


def full_width(text: Pair) -> tuple[Pair, Pair]:
    """Half-width kana as full-width ones, marks of voicing joined to their kana, spaces full-width; nothing else is touched.

    Returns:
        The text, and the fault: `kana-form` where a half-width mark has no kana before it.
    """
    expr, sql = text.expr, text.sql
    for old, new in MARKED.items():
        sql = f"replace({sql}, '{old}', '{new}')"
    # Polars takes the first of several needles that fits, so those of two characters stand first.
    expr = expr.str.replace_many([*MARKED, *PLAIN], [*MARKED.values(), *PLAIN.values()], leftmost=True)
    sql = f"translate({sql}, {quoted(''.join(PLAIN))}, {quoted(''.join(PLAIN.values()))})"
    value = Pair(expr, sql)
    return value, Pair.first_fault((value.matches(_HALF), "kana-form"))
