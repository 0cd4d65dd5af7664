"""The files of a plan: what is expected in the unload, and what their copybooks leave open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast, get_args

from kiban.characters import Mode
from kiban.migration import plan_fields as reading
from kiban.migration.plan import Checks, Form, SourceFile, System
from kiban.standard import Fields, suggest

_PART = "{part}"
_UNSET = ("low-values", "spaces")
_FILE_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")


def read_files(top: Fields, folder: Path, systems: Sequence[System]) -> tuple[SourceFile, ...]:
    """The expected files; a file in several parts becomes one for each part.

    Finds `plan-unknown-name` for a system nobody declares, `plan-part` where parts and path do not fit together, `plan-twice`,
    `plan-form`, `field-form`.
    """
    files: list[SourceFile] = []
    found: list[tuple[str, Fields]] = []
    for one in reading.entries(top, "files", "file"):
        file = _file(one, folder, systems)
        parts = one.texts("parts")
        one.done()
        found.append((file.kind, one))
        files += _in_parts(file, parts, one)
    reading.no_twins(found, "file")
    paths: dict[str, str] = {}
    for file in files:
        if file.path in paths and paths[file.path] != file.kind:
            top.findings.fault(
                "plan-twice",
                f"the path {file.path} belongs to {paths[file.path]} and to {file.kind}",
                top.where("files"),
                "give each file its own path",
            )
        paths.setdefault(file.path, file.kind)
    return tuple(files)


def _in_parts(file: SourceFile, parts: Sequence[str], one: Fields) -> list[SourceFile]:
    if bool(parts) != (_PART in file.path):
        one.findings.fault(
            "plan-part",
            f"{one.called} has {'parts, but no' if parts else 'no parts, but a'} {_PART} in its path",
            one.where("path"),
            f'write path: NAME.{_PART} and parts: ["01", "02"], or neither',
        )
    if len(set(parts)) < len(parts):
        one.findings.fault(
            "plan-twice", f"{one.called} names a part twice", one.where("parts"), "keep one of them"
        )
    if not parts:
        return [file]
    return [
        replace(file, id=f"{file.kind}-{part}", part=part, path=file.path.replace(_PART, part))
        for part in dict.fromkeys(parts)
    ]


def _file(one: Fields, folder: Path, systems: Sequence[System]) -> SourceFile:
    system = _known_system(one, systems)
    shape = _choice(one, "records", get_args(Form))
    csv = shape == "csv"
    page = reading.code_page(one, one.text("code_page", needed=False)) or (system.code_page if system else "")
    copybook = one.text("copybook", needed=not csv)
    books = reading.beside(one, "copybook", folder, [copybook] if copybook else [])
    name = reading.form(one, "id", _FILE_ID, "letters, digits and _, beginning with a letter")
    return SourceFile(
        id=name,
        kind=name,
        part="",
        system=system.id if system else "",
        path=_inside(one),
        title=one.text("title"),
        owner=one.text("owner", needed=False) or (system.owner if system else ""),
        form=cast(Form, shape),
        code_page=page,
        segment=one.text("segment", needed=csv),
        copybook=books[0] if books else None,
        modes=cast(dict[str, Mode], _modes(one)),
        when=_when(one),
        unset=_unset(one),
        checks=_checks(one),
        key=tuple(one.texts("key")),
        coded=tuple(one.texts("coded")),
        person=tuple(one.texts("person")),
        wards=tuple(one.texts("wards")),
        may_be_empty=_may_be_empty(one, csv),
    )


def _known_system(one: Fields, systems: Sequence[System]) -> System | None:
    name = one.text("system")
    found = next((each for each in systems if each.id == name), None)
    if name and found is None:
        one.findings.fault(
            "plan-unknown-name",
            f"{one.called} belongs to system {name}, which the plan does not declare",
            one.where("system"),
            suggest(name, [each.id for each in systems], "declare it below systems:"),
        )
    return found


def _inside(one: Fields) -> str:
    path = one.text("path")
    if path.startswith("/") or ".." in Path(path).parts:
        one.findings.fault(
            "field-form",
            f"path {path} of {one.called} leaves the unload folder",
            one.where("path"),
            "write it relative to that folder",
        )
    return path


def _choice(one: Fields, key: str, known: Sequence[str]) -> str:
    text = one.text(key)
    if text and text not in known:
        one.findings.fault(
            "field-choice",
            f"{key} {text} of {one.called} is not known",
            one.where(key),
            suggest(text, known, f"write one of {', '.join(known)}"),
        )
    return text if text in known else known[0]


def _modes(one: Fields) -> dict[str, str]:
    modes = one.mapping("modes")
    known = get_args(Mode)
    for name, mode in modes.items():
        if mode not in known:
            one.findings.fault(
                "field-choice",
                f"mode {mode} of {name} is not known",
                one.where("modes", name),
                suggest(mode, known, f"write one of {', '.join(known)}"),
            )
    return modes


def _when(one: Fields) -> dict[str, tuple[str, tuple[str, ...]]]:
    every = reading.part(one, "when")
    if every is None:
        return {}
    found = {name: reading.condition(every, name) for name in list(every.value)}
    return {name: each for name, each in found.items() if each is not None}


def _unset(one: Fields) -> dict[str, tuple[str, ...]]:
    every = reading.part(one, "unset")
    found: dict[str, tuple[str, ...]] = {}
    for name in list(every.value) if every else []:
        values: list[Any] = every.texts(name) if every else []
        for value in values:
            if value not in _UNSET:
                one.findings.fault(
                    "field-choice",
                    f"unset {value} of {name} is not known",
                    one.where("unset", name),
                    suggest(value, _UNSET, f"write one of {', '.join(_UNSET)}"),
                )
        found[name] = tuple(values)
    return found


def _checks(one: Fields) -> Checks:
    each = reading.part(one, "checks")
    if each is None:
        return Checks()
    file_id, cut_date, count = (
        each.text(name, needed=False) or None for name in ("file_id", "cut_date", "count")
    )
    found = Checks(file_id, cut_date, count, each.mapping("sums"))
    each.done()
    return found


def _may_be_empty(one: Fields, csv: bool) -> bool:
    told = one.text("may_be_empty", needed=False)
    if told not in ("", "true", "false"):
        one.findings.fault(
            "field-form",
            f"may_be_empty {told} of {one.called} is neither true nor false",
            one.where("may_be_empty"),
            "write true, or leave it out",
        )
    if told == "true" and csv:
        one.findings.fault(
            "field-form",
            f"{one.called} is CSV, which has at least its line of names",
            one.where("may_be_empty"),
            "leave may_be_empty out",
        )
    return told == "true"
