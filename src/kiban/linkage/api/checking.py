"""A request to the numbering API held against its specification: every error at once, with the official codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from kiban.kernel import Problem, UncertainDate
from kiban.linkage.api.spec import NumberingSpec
from kiban.standard import Item, check_value

E_MISSING, E_CHARACTERS, E_DIGITS, E_RELATED = "E0001", "E0002", "E0003", "E0004"

Values = dict[str, str]
"""Parameters that have a value, by the names of the API, in their written form."""


@dataclass(frozen=True, order=True)
class Fault:
    """One error of a request, as the document lists it.

    Attributes:
        code: E0001 to E0004.
        message: in Japanese; names the item, never its value.
    """

    code: str
    message: str


def check(spec: NumberingSpec, body: object) -> tuple[Values, list[Fault]]:
    """The values of a request, and all that is wrong with it.

    Args:
        spec: the specification.
        body: the request as read from JSON. A parameter that is null or empty has no value.
    """
    if not isinstance(body, Mapping):
        form = spec.kiban["forms"]["body"]
        return {}, [Fault(E_CHARACTERS, _official(spec, E_CHARACTERS, item="リクエスト", form=form))]
    values, faults = _named(spec, body)
    faults += [fault for name, value in values.items() for fault in _value(spec, name, value)]
    given = {name: value for name, value in values.items() if isinstance(value, str)}
    faults += [
        Fault(E_MISSING, _official(spec, E_MISSING, item=spec.name(name)))
        for name in spec.official["required"]
        if name not in values
    ]
    return given, [*faults, *_related(spec, values)]


def _named(spec: NumberingSpec, body: Mapping[str, object]) -> tuple[dict[str, object], list[Fault]]:
    """What has a value, by the names of the API; a name of the item definition is one of them under another name."""
    values: dict[str, object] = {}
    faults: list[Fault] = []
    for given, value in body.items():
        name = spec.aliases.get(given, given)
        if name not in spec.parameters:
            shown = given if given.isascii() and given.isidentifier() and len(given) <= 64 else "不明な名前"
            faults.append(Fault(E_RELATED, spec.kiban["messages"]["unknown"].format(item=shown)))
        elif value is not None and value != "" and values.setdefault(name, value) != value:
            faults.append(Fault(E_RELATED, spec.kiban["messages"]["twice"].format(item=spec.name(name))))
    return values, faults


def _value(spec: NumberingSpec, name: str, value: object) -> Iterator[Fault]:
    item, called = spec.parameters[name], spec.name(name)
    if item is None:
        if value not in spec.steps:
            form = spec.kiban["forms"]["code"].format(codes="、".join(spec.steps))
            yield Fault(E_CHARACTERS, _official(spec, E_CHARACTERS, item=called, form=form))
        return
    codes = spec.edition.code_list(item)
    problem = (check_value(item, value, codes) or _no_day(item, value)) if isinstance(value, str) else None
    fixed = name in spec.kiban["fixed"] and isinstance(value, str) and len(value) != item.digits
    if not isinstance(value, str) or (problem is not None and problem.code not in _LENGTHS and not fixed):
        yield Fault(E_CHARACTERS, _official(spec, E_CHARACTERS, item=called, form=form_of(spec, item)))
    elif fixed:
        yield Fault(E_DIGITS, _official(spec, E_DIGITS, item=called, digits=item.digits))
    elif problem is not None:
        longer = spec.kiban["messages"]["longer"]
        yield Fault(E_DIGITS, longer.format(item=called, digits=item.digits))


def _no_day(item: Item, value: str) -> Problem | None:
    """Why a date is none that a register can keep: 0000 and 9999 are bounds of ranges, not days of a request."""
    if item.type == "DATE":
        try:
            UncertainDate.parse(value, None, None) if item.allows_unknown_date else date.fromisoformat(value)
        except (Problem, ValueError):
            return Problem("value-not-a-day", "the value is not a day", item.romaji)
    return None


_LENGTHS = ("value-too-long",)


def form_of(spec: NumberingSpec, item: Item) -> str:
    """【指定文字】: how the value of an item is written."""
    codes = spec.edition.code_list(item)
    forms = spec.kiban["forms"]
    if codes is not None and not codes.free:
        return str(forms["code"].format(codes="、".join(codes.values)))
    return str(forms[item.type])


def _related(spec: NumberingSpec, given: Mapping[str, object]) -> Iterator[Fault]:
    for each in spec.conditions:
        holds = each.item in given and (not each.values or given[each.item] in each.values)
        if holds and each.needs not in given:
            needed = spec.name(each.needs)
            if each.code == E_MISSING:
                yield Fault(each.code, _official(spec, each.code, item=needed))
            else:
                yield Fault(each.code, _official(spec, each.code, item=spec.name(each.item), needed=needed))
    if given.get(spec.step) == spec.steps[0] and "atenabango" in given:
        yield Fault(E_RELATED, spec.kiban["messages"]["superfluous"])


def _official(spec: NumberingSpec, code: str, **parts: object) -> str:
    return str(spec.official["messages"][code].format(**parts))
