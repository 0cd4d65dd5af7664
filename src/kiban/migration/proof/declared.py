"""protection.yaml: which items and which legacy fields say that a person is protected, and how strongly.

The values of the legacy system are written here a second time, apart from the maps: a mistake in a map must not hide itself.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kiban.kernel import Problems
from kiban.migration.mapping.fields import Segment, segments
from kiban.migration.plan import Plan
from kiban.migration.plan_fields import condition, entries, part
from kiban.standard import Fields, Findings, Group, read_document, suggest

DECLARED = "protection.yaml"
PARTS: Mapping[str, Sequence[str]] = {
    "measure": ("number", "state", "provisional", "start", "end"),
    "subject": ("measure", "number", "person", "role"),
    "aggressor": ("measure", "person"),
    "flag": ("person", "flag"),
}
"""The parts of the declaration, and what each has to name."""
_PROTECTING = ("state", "flag")


@dataclass(frozen=True)
class Pair:
    """An item of the standard and the legacy field of the same meaning.

    Attributes:
        item: official romaji.
        field: of the segment, or SEGMENT.FIELD of the record that a table row belongs to.
        values: code of the standard by legacy code; empty where the legacy system writes those of the standard.
        on: codes of the standard that protect.
        digits: of a number, leading zeros included; 0 for what is no number.
    """

    item: str
    field: str
    values: Mapping[str, str] = dataclasses.field(default_factory=dict)
    on: tuple[str, ...] = ()
    digits: int = 0


@dataclass(frozen=True)
class Part:
    """A register that says something of protection, and where the legacy system says the same.

    Attributes:
        register: schema.table.
        segment: decoded.
        since, until: legacy fields of the days on which a record is true, as eight digits; the last one is not true any more.
        pairs: by what they are; see `PARTS`.
        scope: what is kept from others, each by itself; only of the measure.
        where: field and values of the records that count; None for all.
    """

    register: str
    segment: str
    since: str
    until: str
    pairs: Mapping[str, Pair]
    scope: tuple[Pair, ...] = ()
    where: tuple[str, tuple[str, ...]] | None = None

    @property
    def every(self) -> dict[str, Pair]:
        """All pairs: by what they are, those of the scope by their items."""
        return {**self.pairs, **{pair.item: pair for pair in self.scope}}

    @property
    def fields(self) -> list[tuple[str, str]]:
        """Every legacy field it reads, with its segment."""
        names = [*(pair.field for pair in self.every.values()), self.since, self.until]
        names += [self.where[0]] if self.where else []
        split = (name.rpartition(".") for name in names)
        return list(dict.fromkeys((segment or self.segment, inside) for segment, _, inside in split))


@dataclass(frozen=True)
class Declared:
    """What a project declares.

    Attributes:
        not_held: why there is nothing to compare; "" where there is something, and only then the parts are not None.
        measure, subject, aggressor, flag: see `PARTS`.
    """

    not_held: str = ""
    measure: Part | None = None
    subject: Part | None = None
    aggressor: Part | None = None
    flag: Part | None = None

    @property
    def confidential(self) -> frozenset[str]:
        """Registers whose small numbers would tell of people."""
        parts = (self.measure, self.subject, self.aggressor)
        return frozenset(one.register for one in parts if one is not None)


def declared(plan: Plan) -> Declared:
    """Read the declaration beside the plan.

    Raises:
        Problems: `file-missing` where nothing is declared; every other fault of the file's form (`field-missing`, `field-unknown`, …);
            `group-unknown`, `item-unknown` for names the editions of the plan do not have; `protection-segment`, `protection-field` for
            names its copybooks do not have.
    """
    findings = Findings()
    fix = "declare what protects people, or write one line not_held: with the reason; nothing is taken for granted here"
    document = read_document(plan.folder / DECLARED, DECLARED, findings, fix)
    if not document.lines:
        raise Problems(findings.faults)
    top = Fields(document, (), document.value, findings, "the declaration")
    not_held = top.text("not_held", needed=False)
    known, _ = segments(plan)  # whatever is wrong with a copybook has been told before it was decoded
    found = {} if not_held else {name: _part(top, name, plan, known) for name in PARTS}
    top.done()
    if findings.faults:
        raise Problems(findings.faults)
    return Declared(not_held, **found)


def _part(top: Fields, name: str, plan: Plan, known: Mapping[str, Segment]) -> Part | None:
    one = part(top, name)
    if one is None:
        top.findings.fault("field-missing", f"nothing is said of {name}", top.where(), f"add {name}:")
        return None
    register = one.text("register")
    group = _group(one, register, plan)
    pairs = {kind: _pair(one, kind, group) for kind in PARTS[name]}
    scope = tuple(_read(each, group) for each in entries(one, "scope", "scope")) if name == "measure" else ()
    period = part(one, "valid")
    if period is None:
        one.findings.fault(
            "field-missing", f"{one.called} has no valid", one.where(), "add valid: {since: …, until: …}"
        )
    made = Part(
        register=register,
        segment=one.text("segment"),
        since=period.text("since") if period else "",
        until=period.text("until") if period else "",
        pairs=pairs,
        scope=scope,
        where=condition(one, "where"),
    )
    for each in (period, one):
        if each is not None:
            each.done()
    _check(one, made, known)
    return made


def _check(one: Fields, made: Part, known: Mapping[str, Segment]) -> None:
    """A segment of no file would hold nobody, and so nobody would be missed."""
    for segment, inside in made.fields:
        if segment and segment not in known:
            fix = suggest(segment, known, "name a segment of the plan's files")
            one.findings.fault("protection-segment", f"there is no segment {segment}", one.where(), fix)
        elif segment and inside and (fields := known[segment].fields) is not None and inside not in fields:
            fix = suggest(inside, fields, "name a field of its copybook")
            one.findings.fault("protection-field", f"{segment} has no field {inside}", one.where(), fix)


def _group(one: Fields, register: str, plan: Plan) -> Group | None:
    schema = register.partition(".")[0]
    known = {f"{e.id}.{g.id}": g for e in plan.editions.values() for g in e.groups}
    if register and register not in known:
        near = [each for each in known if each.startswith(f"{schema}.")]
        one.findings.fault(
            "group-unknown",
            f"the plan fills no register {register}",
            one.where("register"),
            suggest(register, near, "name it schema.table"),
        )
    return known.get(register)


def _pair(one: Fields, kind: str, group: Group | None) -> Pair:
    each = part(one, kind)
    if each is None:
        fix = f"add {kind}: {{item: …, field: …}}"
        one.findings.fault("field-missing", f"{one.called} has no {kind}", one.where(), fix)
        return Pair("", "")
    made = _read(each, group)
    if kind in _PROTECTING and not made.on:
        fix = 'add on: ["1"]'
        each.findings.fault("field-missing", f"{each.called} names no value that protects", each.where(), fix)
    return made


def _read(each: Fields, group: Group | None) -> Pair:
    made = Pair(
        each.text("item"),
        each.text("field"),
        each.mapping("values"),
        tuple(each.texts("on")),
        _digits(each),
    )
    each.done()
    if group is not None and made.item and made.item not in group:
        known = [item.romaji for item in group.items]
        each.findings.fault(
            "item-unknown",
            f"{group.id} has no item {made.item}",
            each.where("item"),
            suggest(made.item, known, "use the official romaji"),
        )
    return made


def _digits(each: Fields) -> int:
    text = each.text("digits", needed=False)
    if text and not text.isdecimal():
        each.findings.fault(
            "field-form", f"digits {text} is not a number", each.where("digits"), "write digits: 15"
        )
        return 0
    return int(text or 0)
