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


def full_width(text: Pair) -> tuple[Pair, list[tuple[Pair, str]]]:
    """Half-width kana as full-width ones, marks of voicing joined to their kana, spaces full-width; nothing else is touched.

    Refuses with `kana-form` a half-width mark that has no kana before it.
    """
    sql = text.sql
    for old, new in MARKED.items():
        sql = f"replace({sql}, '{old}', '{new}')"
    sql = f"translate({sql}, {quoted(''.join(PLAIN))}, {quoted(''.join(PLAIN.values()))})"
    # Polars takes the first of several needles that fits, so those of two characters stand first.
    needles, wide = [*MARKED, *PLAIN], [*MARKED.values(), *PLAIN.values()]
    whole = Pair(text.expr.str.replace_many(needles, wide, leftmost=True), sql)
    left = whole.matches(_HALF)
    return whole.where(left.no()), [(left, "kana-form")]
