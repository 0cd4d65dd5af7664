"""Reading plan.yaml: whole, or every fault in it with its line."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from kiban.kernel import Problems, is_valid_local_government_code
from kiban.migration.plan import Consumer, Delta, NotHeld, Plan, System, Target
from kiban.migration.plan_editions import read_editions
from kiban.migration.plan_fields import beside, code_page, condition, entries, form, no_twins, part
from kiban.migration.plan_files import read_files
from kiban.standard import Fields, Findings, Library, read_document

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")


def load_plan(path: Path, unload: Path | None = None, library: Library | None = None) -> Plan:
    """Read a plan.

    Args:
        path: plan.yaml, or the folder that holds it.
        unload: where the files arrive; without it, what the plan says (relative to the plan), or `unload` beside the project folder.
        library: where the editions are that the plan names; without it, nothing can be converted, and groups are not checked.

    Raises:
        Problems: every fault: of the file (`file-missing`, `yaml-broken` and others of its form), of a field (`field-missing`,
            `field-unknown`, `field-form`), of a name (`plan-twice`, `plan-unknown-name`, `plan-code-page`), of a file the plan
            names (`plan-file-missing`), of an edition or a group (`business-unknown`, `edition-unknown`, `group-unknown`,
            `plan-group-open`), of what is missing altogether (`plan-empty`).
    """
    path = path / "plan.yaml" if path.is_dir() else path
    findings = Findings()
    document = read_document(
        path, path.name, findings, "name the plan.yaml of a migration, or the folder that holds it"
    )
    if not document.lines:
        raise Problems(findings.faults)
    folder = path.absolute().parent
    top = Fields(document, (), document.value, findings, "the plan")
    systems = _systems(top, folder)
    files = read_files(top, folder, systems)
    plan = Plan(
        id=form(top, "id", _ID, "letters, digits and _"),
        title=top.text("title"),
        city=_city(top),
        cut_date=_day(top, "cut_date"),
        return_until=_day(top, "return_until") if top.raw("return_until") is not None else None,
        window_hours=_hours(top),
        folder=folder,
        unload=unload.absolute() if unload else folder / (top.text("unload", needed=False) or "../unload"),
        systems=systems,
        files=files,
        targets=_targets(top, folder),
        not_held=_not_held(top),
        consumers=_consumers(top),
        totals=top.text("totals", needed=False) or None,
        signers=tuple(top.texts("signers")),
        delta=_delta(top),
        keys=beside(top, "keys", folder, top.texts("keys")),
    )
    if unload is not None:
        top.text("unload", needed=False)
    top.done()
    _check_groups(plan, top)
    if library is not None:
        plan = replace(plan, editions=read_editions(plan, top, library))
    if findings.faults:
        raise Problems(findings.faults)
    return plan


def _systems(top: Fields, folder: Path) -> tuple[System, ...]:
    found: list[tuple[str, Fields]] = []
    systems = []
    for one in entries(top, "systems", "system"):
        system = System(
            id=form(one, "id", _ID, "letters, digits and _"),
            title=one.text("title"),
            vendor=one.text("vendor"),
            owner=one.text("owner"),
            code_page=code_page(one, one.text("code_page")),
            tables=beside(one, "tables", folder, one.texts("tables")),
            charts=beside(one, "charts", folder, one.texts("charts")),
            decisions=beside(one, "decisions", folder, one.texts("decisions")),
        )
        one.done()
        found.append((system.id, one))
        systems.append(system)
    no_twins(found, "system")
    return tuple(systems)


def _targets(top: Fields, folder: Path) -> tuple[Target, ...]:
    targets = []
    for one in entries(top, "targets", "target", needed=False):
        name = one.text("map")
        maps = beside(one, "map", folder, [name] if name else [])
        targets.append(
            Target(
                edition=one.text("edition"),
                group=one.text("group"),
                map=maps[0] if maps else folder,
                source=one.text("from"),
                where=condition(one, "where"),
            )
        )
        one.done()
    return tuple(targets)


def _not_held(top: Fields) -> tuple[NotHeld, ...]:
    found = []
    for one in entries(top, "not_held", "group", needed=False):
        found.append(NotHeld(one.text("edition"), one.text("group"), one.text("reason")))
        one.done()
    return tuple(found)


def _consumers(top: Fields) -> tuple[Consumer, ...]:
    found = []
    ones = entries(top, "consumers", "consumer")
    for one in ones:
        accepted = form(one, "accepted", _DAY, "a day such as 2026-09-30") if one.raw("accepted") else ""
        found.append(Consumer(one.text("id"), one.text("title"), one.text("owner"), accepted))
        one.done()
    no_twins([(consumer.id, one) for consumer, one in zip(found, ones, strict=True)], "consumer")
    return tuple(found)


def _delta(top: Fields) -> Delta:
    each = part(top, "delta")
    if each is None:
        return Delta()
    share = each.text("vanish_most", needed=False) or str(Delta.vanish_most)
    count = each.text("vanish_count", needed=False) or str(Delta.vanish_count)
    each.done()
    for key, text, pattern, words in (
        ("vanish_most", share, r"0|1|0\.[0-9]{1,6}", "a share, such as 0.001 for one in a thousand"),
        ("vanish_count", count, r"[0-9]{1,6}", "a number of subjects, such as 3"),
    ):
        if not re.fullmatch(pattern, text):
            each.findings.fault(
                "field-form", f"{key} {text} has not the right form", each.where(key), f"write {words}"
            )
            return Delta()
    return Delta(Decimal(share), int(count))


def _check_groups(plan: Plan, top: Fields) -> None:
    filled = {(one.edition, one.group) for one in plan.targets}
    seen: set[tuple[str, str]] = set()
    named = {
        "targets": [(one.edition, one.group) for one in plan.targets],
        "not_held": [(one.edition, one.group) for one in plan.not_held],
    }
    for key, names in named.items():
        for at, name in enumerate(names):
            if name in seen:
                both = " as target and as not held" if key == "not_held" and name in filled else ""
                top.findings.fault(
                    "plan-twice",
                    f"the group {'.'.join(name)} stands twice{both}",
                    top.where(key, at),
                    "keep one of them",
                )
            seen.add(name)


def _city(top: Fields) -> str:
    text = top.text("city")
    if text and not is_valid_local_government_code(text):
        top.findings.fault(
            "field-form",
            f"city {text} is not the code of a local government",
            top.where("city"),
            'write all six digits with the check digit, in quotes: "281000"',
        )
    return text


def _day(top: Fields, key: str) -> date:
    text = top.text(key)
    try:
        return date.fromisoformat(text)
    except ValueError:
        if text:
            top.findings.fault(
                "field-form", f"{key} {text} is not a day", top.where(key), "write it as 2026-10-01"
            )
        return date.min


def _hours(top: Fields) -> int:
    text = top.text("window_hours")
    if text and not re.fullmatch(r"[1-9][0-9]{0,3}", text):
        top.findings.fault(
            "field-form",
            f"window_hours {text} is not a number of hours",
            top.where("window_hours"),
            "write it as 48",
        )
        return 0
    return int(text or 0)
