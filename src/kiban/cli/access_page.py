"""The policy set as a page for an auditor, and its rows in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from html import escape

from kiban.access import Cell, Policies
from kiban.standard import frame

_MARKS = {
    "always": frame.chip("○ できる", "key"),
    "sometimes": frame.chip("△ 条件による", "maybe"),
    "never": "－",
}
_TEXTS = {"always": "○", "sometimes": "△", "never": "－"}


def rows(policies: Policies, cells: Iterable[Cell]) -> list[tuple[str, ...]]:
    """A row for each duty and each business and class, with a mark for each action; empty where the action is not about it."""
    marks: dict[tuple[str, str, str], dict[str, str]] = {}
    for each in cells:
        marks.setdefault((each.duty, each.business, each.item_class), {})[each.action] = _TEXTS[each.mark]
    return [
        (
            policies.duties[duty].title,
            _about(policies, business, kind),
            *(row.get(action, "") for action in policies.actions),
        )
        for (duty, business, kind), row in marks.items()
    ]


def words(policies: Policies, cell: Cell) -> str:
    """A cell in words."""
    duty, action = policies.duties.get(cell.duty), policies.actions.get(cell.action)
    parts = (
        duty.title if duty else cell.duty,
        _about(policies, cell.business, cell.item_class),
        action.title if action else cell.action,
    )
    return "・".join(parts)


def page(policies: Policies, cells: Sequence[Cell], on: date) -> str:
    """The whole set as one page: the table of each duty, then every policy with its reason and its place."""
    head = frame.facts(
        [
            ("時点", str(on)),
            ("方針のSHA-256", policies.digest),
            (
                "読み方",
                "○ いつもできる、△ 組織・区・事務による、－ できない。書かれていないことはできない",
            ),
        ]
    )
    shown = [name for name in policies.duties if any(each.duty == name for each in cells)]
    contents = frame.contents([(name, policies.duties[name].title, "") for name in shown])
    main = "".join(_duty(policies, name, [each for each in cells if each.duty == name]) for name in shown)
    return frame.document("職務と権限", head, contents, main + _policies(policies), "職務・操作")


def _duty(policies: Policies, name: str, cells: Sequence[Cell]) -> str:
    duty = policies.duties[name]
    businesslike = [action for action in policies.actions.values() if action.over == "business"]
    found = {(each.business, each.item_class, each.action): _MARKS[each.mark] for each in cells}
    keys = dict.fromkeys((each.business, each.item_class) for each in cells if each.business)
    body = "".join(
        f"<tr><td>{escape(_about(policies, *key))}</td>"
        + "".join(f"<td>{found[(*key, action.id)]}</td>" for action in businesslike)
        + "</tr>\n"
        for key in keys
    )
    table = frame.table(
        [("業務・項目区分", ""), *((each.title, "") for each in businesslike)], body, duty.title
    )
    whole = [
        (
            policies.actions[each.action].title,
            {"always": "できる", "sometimes": "条件による", "never": ""}[each.mark],
        )
        for each in cells
        if not each.business
    ]
    facts = frame.facts([("事務", "、".join(duty.purposes)), ("説明", duty.note), *whole])
    return (
        f'<section class="part" id="{escape(name)}"><h2>{escape(duty.title)}</h2>\n{facts}{table}</section>\n'
    )


def _policies(policies: Policies) -> str:
    body = "".join(
        f"<tr><td>{frame.romaji(each.id)}</td><td>{'許可' if each.effect == 'permit' else '禁止'}</td>"
        f"<td>{escape(each.reason)}</td><td>{frame.romaji(_place(each.where))}</td></tr>\n"
        for each in policies.policies.values()
    )
    table = frame.table([("方針", ""), ("効果", ""), ("理由", ""), ("場所", "")], body, "すべての方針")
    return f'<section class="part"><h2>方針</h2>\n{table}</section>\n'


def _place(where: str) -> str:
    return where.rpartition("/")[
        2
    ]  # the page goes to others: folders of this machine are no business of theirs


def _about(policies: Policies, business: str, item_class: str) -> str:
    if not business:
        return "市全体"
    title = policies.businesses.get(business, business)
    kind = policies.classes.get(item_class)
    return f"{title}・{kind.title if kind else item_class}" if item_class else title
