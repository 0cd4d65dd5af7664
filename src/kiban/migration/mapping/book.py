"""Reads the maps of a plan, as officers wrote them: whole, or every fault in every one of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from kiban.kernel import Problem, Problems
from kiban.migration.mapping.codes import CodeTables
from kiban.migration.mapping.days import STYLES
from kiban.migration.mapping.fields import Segment, segments
from kiban.migration.mapping.map import Map
from kiban.migration.mapping.model import MADE, MOVED, NOT_HELD, Line, Lookup
from kiban.migration.mapping.rules import PERIOD, RULES, Rule, Source, compile_rule, nothing
from kiban.migration.plan import Plan, Target
from kiban.standard import Edition, Findings, Group, Item, check_value, read_rows, suggest

HEADS: Final = ("項目", "項目名", "扱い", "元フィールド", "規則", "引数", "備考")
"""The columns of a map, in order."""
_HOW: Final = (MOVED, MADE, NOT_HELD)
_DAY: Final = Item("", "有効期間", "", "", False, False, ("", "", ""), "DATE", 10, None, None, None, "任意")
_PERIOD_NAMES: Final = dict(zip(PERIOD, ("有効開始日", "有効終了日"), strict=True))


def load_maps(plan: Plan) -> tuple[Map, ...]:
    """The maps of all targets of a plan, in its order.

    Args:
        plan: read with a library, so that it knows its editions.

    Raises:
        Problems: every fault of every map, with file and line: `map-edition` where the plan knows no edition, `map-segment`,
            `map-item-unknown`, `map-item-missing`, `map-item-twice`, `map-item-name` where the name is not the edition's,
            `map-how`, `map-mandatory` for a mandatory item that is declared not held, `map-note-missing`, `map-field-missing`,
            `map-field-unknown`, `map-rule-missing`, `map-rule-unknown`, `map-rule-type` for a rule that cannot fill the item,
            `map-argument`, `map-constant` for one that breaks the item, `map-codes-missing`, `map-codes-twice`, `map-code-empty`,
            `map-code-unknown` for a code the standard does not have; those of copybooks, and of CSV files (`standard.read_rows`).
            What the fields of CSV files are is not known before they are decoded; `Map.sql` looks then.
    """
    known, faults = segments(plan)
    findings = Findings()
    for problem in faults:
        findings.fault(problem.code, problem.what, problem.where, problem.fix)
    tables = CodeTables(plan.folder, findings)
    maps = []
    for target in plan.targets:
        edition = plan.editions.get(target.edition)
        if edition is None:
            findings.fault(
                "map-edition",
                f"the edition {target.edition} of group {target.group} is not at hand",
                "plan.yaml",
                "read the plan with a library of editions",
            )
            continue
        maps.append(_Reader(plan, target, edition, known, tables, findings).map())
    if findings.faults:
        raise Problems(findings.faults)
    return tuple(maps)


@dataclass(frozen=True)
class _Reader:
    """Reads one map."""

    plan: Plan
    target: Target
    edition: Edition
    known: Mapping[str, Segment]
    tables: CodeTables
    findings: Findings
    seen: dict[str, str] = field(default_factory=dict)

    @property
    def group(self) -> Group:
        return self.edition.group(self.target.group)

    @property
    def file(self) -> str:
        return self.target.map.relative_to(self.plan.folder).as_posix()

    @property
    def names(self) -> dict[str, str]:
        """Every column the map has to fill: official romaji and Japanese name."""
        items = {item.romaji: item.name for item in self.group.items}
        return items | (_PERIOD_NAMES if self.group.kind == "register" else {})

    def map(self) -> Map:
        self._segment(self.target.source, f"{self.file}:1")
        if self.target.where is not None:
            self._field_of(self.target.source, self.target.where[0], f"{self.file}:1")
        rows = read_rows(self.target.map, self.file, HEADS, self.findings)
        found = {line.item: line for row in rows if (line := self._line(row.values, row.line)) is not None}
        for item in (name for name in self.names if rows and name not in self.seen):
            self.findings.fault(
                "map-item-missing",
                f"nothing is said of {item} ({self.names[item]})",
                self.file,
                f"add a line: {item},{self.names[item]},{'|'.join(_HOW)},…",
            )
        lines = tuple(found[item] for item in self.names if item in found)
        return Map(self.target, self.edition, self.group, lines)

    def fault(self, code: str, what: str, place: str, fix: str) -> None:
        self.findings.fault(code, what, place, fix)

    def _line(self, cells: Mapping[str, str], number: int) -> Line | None:
        place = f"{self.file}:{number}"
        item, name, how, source, rule, argument, note = (cells[head] for head in HEADS)
        if not self._named(item, name, place):
            return None
        target = self.group.item(item) if item in self.group else None
        if how not in _HOW:
            self.fault(
                "map-how", f"扱い {how or '(empty)'} is not known", place, suggest(how, _HOW, f"write one of {'、'.join(_HOW)}")
            )  # fmt: skip
            return None
        if how != MOVED and not note:
            self.fault("map-note-missing", f"{item} is {how} and 備考 says nothing", place, "say why in 備考")
        if how == NOT_HELD:
            return self._not_held(item, name, target, (source, rule, argument), note, place)
        known = RULES.get(rule)
        if known is None:
            code, what = (
                ("map-rule-unknown", f"there is no rule {rule}")
                if rule
                else ("map-rule-missing", f"{item} has no rule")
            )
            self.fault(code, what, place, suggest(rule, RULES, f"write one of {'、'.join(RULES)}"))
            return None
        if not self._suits(known, item, target, how, source, place):
            return None
        return self._compiled(known, item, name, target, how, source, argument, note, place)

    def _named(self, item: str, name: str, place: str) -> bool:
        if item not in self.names:
            fix = suggest(item, self.names, f"see: kiban standard show {self.edition.id}")
            self.fault("map-item-unknown", f"{self.group.id} has no item {item or '(empty)'}", place, fix)
            return False
        if item in self.seen:
            self.fault(
                "map-item-twice", f"{item} stands twice, first in {self.seen[item]}", place, "keep one of the lines"
            )  # fmt: skip
            return False
        self.seen[item] = place
        if name != self.names[item]:
            self.fault(
                "map-item-name", f"{item} is called {name or '(nothing)'}", place, f"its name in the edition is {self.names[item]}"
            )  # fmt: skip
        return True

    def _not_held(
        self, item: str, name: str, target: Item | None, others: Iterable[str], note: str, place: str
    ) -> Line:
        if any(others):
            self.fault(
                "map-how", f"{item} is {NOT_HELD} and yet has a field, rule or argument", place, f"remove them, or write {MOVED}"
            )  # fmt: skip
        if target is None or target.required:
            self.fault(
                "map-mandatory",
                f"{item} ({name}) is mandatory and cannot be {NOT_HELD}",
                place,
                f"say where it comes from, or how it is made ({MADE})",
            )
        return Line(item, name, NOT_HELD, "", "", "", note, place, nothing())

    def _suits(self, rule: Rule, item: str, target: Item | None, how: str, source: str, place: str) -> bool:
        """Whether a rule can fill an item at all, and has the field it reads."""
        kind = target.type if target else "period"
        listed = target is not None and target.repeats
        good = kind in rule.types or (rule.name == "定数" and kind == "period")
        if not good or listed != (rule.name == "区切り"):
            fitting = [
                one.name for one in RULES.values() if kind in one.types and (one.name == "区切り") == listed
            ]
            what = f"rule {rule.name} cannot fill {item}, which is {kind}{' and repeats' if listed else ''}"
            self.fault("map-rule-type", what, place, f"rules for it: {'、'.join(fitting) or 'none'}")
            return False
        if rule.reads != bool(source):
            what = f"rule {rule.name} {'reads a field and none is named' if rule.reads else 'reads no field'}"
            self.fault("map-field-missing", what, place, "correct 元フィールド")
            return False
        if not rule.reads and how == MOVED:
            self.fault("map-how", f"{item} is {MOVED} and has no field", place, f"write {MADE} and say why")
        return True

    def _compiled(
        self, rule: Rule, item: str, name: str, target: Item | None, how: str, source: str, argument: str, note: str, place: str
    ) -> Line | None:  # fmt: skip
        parent = self._field(source, place) if rule.reads else ""
        codes = self.edition.code_list(target) if target else None
        bare = Line(item, name, how, source, rule.name, argument, note, place, nothing(), None, parent or "")
        words: Mapping[str, str] | None = None
        lookup: Lookup | None = None
        if rule.argument == "codes" and target is not None:
            words = self.tables.read(argument, target, codes, place)
        elif rule.argument == "reference":
            lookup = self._lookup(argument, place)
        elif not self._argument(rule, item, target, argument, place):
            return bare
        if parent is None or (rule.argument == "codes" and words is None):
            return bare
        made = compile_rule(rule.name, Source(source, argument, words, bare.found, bare.ways), target, codes)
        return Line(item, name, how, source, rule.name, argument, note, place, made, lookup, parent, words)

    def _argument(self, rule: Rule, item: str, target: Item | None, argument: str, place: str) -> bool:
        """Whether the argument is what the rule needs."""
        most = (target.digits if target else None) or 18
        wanted = {
            "": "",
            "digits": f"how many digits it has, up to {most}",
            "mark": "the mark, such as /",
            "style": " or ".join(STYLES),
            "text": "the text",
        }[rule.argument]
        good = bool(argument) == bool(wanted) and (rule.argument != "style" or argument in STYLES)
        if rule.argument == "digits":
            good = argument.isascii() and argument.isdigit() and 1 <= int(argument) <= most
        if not good:
            what = f"rule {rule.name} {'needs an argument' if wanted else 'takes no argument'}"
            self.fault("map-argument", what, place, f"write {wanted} into 引数" if wanted else "empty 引数")
            return False
        if rule.argument == "text":
            return self._constant(item, target, argument, place)
        return True

    def _constant(self, item: str, target: Item | None, text: str, place: str) -> bool:
        problem = check_value(target or _DAY, text, self.edition.code_list(target) if target else None)
        if target is None and text.startswith("0000"):
            problem = Problem(
                "map-constant", "no calendar has a year 0", fix="write a day, such as 1900-01-01"
            )
        if problem is not None:
            self.fault("map-constant", f"the constant of {item}: {problem.what}", place, problem.fix or "")
        return problem is None

    def _field(self, name: str, place: str) -> str | None:
        """The segment of a field that is not the map's own, "" for its own, None where there is none."""
        own = self.known.get(self.target.source)
        if own is None or (own.fields is not None and name in own.fields):
            return ""
        segment, dot, inside = name.partition(".")
        if not dot or (own.fields is None and segment not in self.known):
            return self._field_of(self.target.source, name, place)
        other = self._segment(segment, place)
        if other is not None and other.kind != own.kind:
            self.fault(
                "map-field-unknown",
                f"{segment} comes from the file {other.kind}, the rows from {own.kind}",
                place,
                "look it up with the rule 参照",
            )
            return None
        return segment if other is not None and self._field_of(segment, inside, place) is not None else None

    def _segment(self, name: str, place: str) -> Segment | None:
        if name not in self.known:
            fix = suggest(name, self.known, "name a segment of one of the plan's files")
            self.fault("map-segment", f"no file of the plan has a segment {name or '(empty)'}", place, fix)
        return self.known.get(name)

    def _field_of(self, segment: str, name: str, place: str) -> str | None:
        found = self.known.get(segment)
        if found is not None and found.fields is not None and name not in found.fields:
            fix = suggest(name, sorted(found.fields), "see the copybook")
            self.fault("map-field-unknown", f"{segment} has no field {name or '(empty)'}", place, fix)
            return None
        return ""

    def _lookup(self, argument: str, place: str) -> Lookup | None:
        parts = argument.split("/")
        if len(parts) != 3 or not all(parts):
            self.fault(
                "map-argument", "rule 参照 needs to know where to look", place, "write データ/キー項目/項目 (or 項目+項目) into 引数"
            )  # fmt: skip
            return None
        segment, key, fields = parts[0], parts[1], tuple(parts[2].split("+"))
        if self._segment(segment, place) is not None:
            for name in (key, *fields):
                self._field_of(segment, name, place)
        return Lookup(segment, key, fields)
