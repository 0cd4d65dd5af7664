"""The names of the prefecture, the city and its wards, from the table of wards: what stands before the address that is searched."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from datetime import date
from weakref import WeakKeyDictionary

from kiban.kernel import Actor, AsOf
from kiban.store import Store
from kiban.web.counter.registers import Roll

_NAME = re.compile(r"[^ぁ-ゖァ-ヺー\s]{2,}")
_KEPT: WeakKeyDictionary[Store, dict[tuple[str, str, date], frozenset[str]]] = WeakKeyDictionary()


def names(
    store: Store, actor: Actor, roll: Roll, wards: Callable[[], Collection[str]], on: date
) -> frozenset[str]:
    """What the table to which the ward of a person refers calls some wards, and where they lie; read once a day.

    Such a table is the same for everybody. Empty where the register knows no wards, or the city names none.

    Args:
        store: the registers.
        actor: who looks.
        roll: where is searched.
        wards: tells the codes; asked where they are not read yet.
        on: the day whose names hold.
    """
    ward = roll.group.ward
    table = roll.group.references.get(ward.romaji) if ward else None
    if table is None:
        return frozenset()
    kept = _KEPT.setdefault(store, {})
    place = (f"{roll.edition.id}.{table}", roll.edition.edition, on)
    if place not in kept:
        group = roll.edition.group(table)
        texts = [item.romaji for item in group.items if item.type == "N" and not item.key]
        codes, rows = sorted(wards()), []
        if codes:
            with store.session(actor) as session:
                rows = session.read(place[0], AsOf(on), **{group.subject[0].romaji: codes})
        said = {str(row.get(name) or "") for row in rows for name in texts}
        kept.clear()
        kept[place] = frozenset(each for each in said if _NAME.fullmatch(each))
    return kept[place]


def split(text: str, known: Collection[str]) -> tuple[tuple[str, ...], str]:
    """The names at the beginning of a text, each once, and what stands behind them.

    >>> split("兵庫県神戸市中央区港島１－２", ["神戸市", "兵庫県", "中央区"])
    (('兵庫県', '神戸市', '中央区'), '港島１－２')
    """
    taken: list[str] = []
    rest = text.strip()
    while found := [each for each in known if each not in taken and rest.startswith(each)]:
        taken.append(max(found, key=len))
        rest = rest[len(taken[-1]) :].strip()
    return tuple(taken), rest
