"""An edition folder becomes an Edition, or everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from kiban.kernel import Problem, Problems
from kiban.standard.assemble import build_groups, check_codes, check_items
from kiban.standard.code_list import CodeList
from kiban.standard.codes import read_code_lists
from kiban.standard.declaration import SCOPE_UNDECIDED, Declaration, read_declaration
from kiban.standard.findings import Finding, Findings, suggest
from kiban.standard.items import normalise_list_id, place, read_item
from kiban.standard.model import Edition, Group
from kiban.standard.protected import Protected
from kiban.standard.protecting import read_protection
from kiban.standard.samples import check_samples
from kiban.standard.shelf import Library
from kiban.standard.tables import ITEM_COLUMNS, read_rows
from kiban.standard.yamlfile import read_document


@dataclass(frozen=True)
class Reading:
    """What reading an edition folder gave.

    Attributes:
        edition: the edition; None where a fault leaves none. One whose only faults are scopes that nobody has
            decided (`scope-undecided`) is there to be looked at; `load` refuses it.
        findings: faults and notes, in the order business.yaml, codes, items, and what joins them.
    """

    edition: Edition | None
    findings: tuple[Finding, ...]

    @property
    def faults(self) -> tuple[Problem, ...]:
        """The problems of all faults; empty where the edition can be used."""
        return tuple(f.problem for f in self.findings if f.severity == "fault")

    def to_look_at(self) -> Edition:
        """The edition to be shown, compared and exported, though maybe not to be used.

        Raises:
            Problems: every fault, where they leave no edition.
        """
        if self.edition is None:
            raise Problems(self.faults)
        return self.edition


def read(folder: Path) -> Reading:
    """Read an edition folder to the end, whatever is wrong with it.

    Args:
        folder: holds business.yaml, items.csv and codes/*.csv.

    Returns:
        The edition, where its faults leave one, and all findings. Nothing is raised for bad content.
    """
    findings = Findings()
    if not folder.is_dir():
        findings.fault(
            "edition-missing",
            "there is no such folder",
            str(folder),
            "name a folder that holds business.yaml, items.csv and codes/",
        )
        return Reading(None, tuple(findings.found))
    declaration = read_declaration(
        read_document(folder / "business.yaml", "business.yaml", findings), findings
    )
    codes = read_code_lists(folder, findings)
    rows = read_rows(folder / "items.csv", "items.csv", ITEM_COLUMNS, findings, extra=True)
    items = [read_item(row, declaration.business, "items.csv", findings) for row in rows]
    placed = [(item, place("items.csv", row)) for item, row in zip(items, rows, strict=True)]
    check_items(placed, findings)
    check_codes(placed, codes, findings)
    groups = build_groups(declaration, rows, items, codes, findings)
    broken = {problem.where for problem in findings.faults}
    check_samples([pair for pair in placed if pair[1] not in broken], codes, findings)
    protection = read_protection(declaration.document, groups, codes, findings)
    edition = _edition(folder, declaration, groups, codes, protection)
    _check_moves(declaration, edition, findings)
    readable = all(problem.code == SCOPE_UNDECIDED for problem in findings.faults)
    return Reading(edition if readable else None, tuple(findings.found))


def _edition(
    folder: Path,
    declaration: Declaration,
    groups: tuple[Group, ...],
    codes: Mapping[str, CodeList],
    protection: Protected | None,
) -> Edition:
    return Edition(
        business_id=declaration.business,
        id=declaration.id,
        title=declaration.title,
        edition=declaration.edition,
        status=declaration.status,
        basis=declaration.basis,
        effective=declaration.effective,
        replaces=declaration.replaces,
        renames=declaration.renames,
        recodes={normalise_list_id(key): value for key, value in declaration.recodes.items()},
        groups=groups,
        codes=codes,
        folder=folder,
        law=declaration.law,
        publishes=declaration.publishes,
        consumes=declaration.consumes,
        source=declaration.source,
        protection=protection,
    )


def _check_moves(declaration: Declaration, edition: Edition, findings: Findings) -> None:
    """Find renames and recodes that lead to nothing: `rename-target-unknown`, `recode-target-unknown`."""
    known = [item.romaji for item in edition.items]
    for old, new in declaration.renames.items():
        if new not in known:
            findings.fault(
                "rename-target-unknown",
                f"{old} is renamed to {new}, which no group has",
                declaration.document.where("renames", old),
                suggest(new, known, "name an item of this edition"),
            )
    for key, values in declaration.recodes.items():
        code_list = edition.codes.get(normalise_list_id(key))
        if code_list is None:
            findings.fault(
                "recode-list-unknown",
                f"recodes names the code list {key}, which is not there",
                declaration.document.where("recodes", key),
                suggest(normalise_list_id(key), edition.codes, "name a list under codes/"),
            )
            continue
        for old, new in values.items():
            if new not in code_list.values:
                findings.fault(
                    "recode-target-unknown",
                    f"value {old} of list {key} is recoded to {new}, which it has not",
                    declaration.document.where("recodes", key, old),
                    suggest(new, code_list.values, "name a value of the list"),
                )


def check(folder: Path) -> tuple[Finding, ...]:
    """Every fault and every note of an edition folder."""
    return read(folder).findings


def load(folder: Path) -> Edition:
    """The edition in a folder.

    Args:
        folder: holds business.yaml, items.csv and codes/*.csv.

    Raises:
        Problems: every fault of the folder, each with file, line and what to do.
    """
    reading = read(folder)
    if reading.faults:
        raise Problems(reading.faults)
    return reading.to_look_at()


def edition_folders(folders: Iterable[Path]) -> tuple[Path, ...]:
    """The edition folders at or below some folders, each business before its further editions.

    Symbolic links are not followed below a folder, and hidden folders are left out.
    """
    found: dict[Path, None] = {}
    for folder in folders:
        files = [folder / "business.yaml"] if (folder / "business.yaml").is_file() else []
        files += sorted(folder.rglob("business.yaml"), key=lambda p: (len(p.parts), p))
        for file in files:
            parts = file.relative_to(folder).parts
            if not any(part.startswith(".") for part in parts):
                found.setdefault(file.parent.resolve())
    return tuple(found)


def library(folders: Iterable[Path], *, undecided: bool = False) -> Library:
    """All editions at or below some folders, side by side.

    Args:
        folders: edition folders, or folders that hold such; the first edition of a business is its default.
        undecided: whether editions with a scope that nobody has decided are taken too, to be looked at.

    Raises:
        Problems: every fault of every edition, and `edition-twice`, `root-missing`.
    """
    roots = list(folders)
    problems = [
        Problem("root-missing", "there is no such folder", where=str(root), fix="check the path after --root")
        for root in roots
        if not root.is_dir()
    ]
    editions: dict[tuple[str, str], Edition] = {}
    for folder in edition_folders(root for root in roots if root.is_dir()):
        reading = read(folder)
        if reading.edition is None or (reading.faults and not undecided):
            problems += [replace(p, where=f"{folder}/{p.where or ''}") for p in reading.faults]
            continue
        key = (reading.edition.called, reading.edition.edition)
        if key in editions:
            problems.append(
                Problem(
                    "edition-twice",
                    f"business {key[0]} edition {key[1]} stands in two folders",
                    where=str(folder),
                    fix=f"the other is {editions[key].folder}; keep one",
                )
            )
            continue
        editions[key] = reading.edition
    if problems:
        raise Problems(problems)
    return Library(tuple(editions.values()))
