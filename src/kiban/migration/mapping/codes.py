"""Code tables of a project: codes/NAME.csv, legacy code to code of the standard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kiban.standard import CodeList, Findings, Item, check_value, read_rows, suggest

FOLDER: Final = "codes"
CODE_HEADS: Final = ("旧コード", "標準コード", "名称")
"""The columns of a code table, in order."""


def code_tables(folder: Path) -> list[Path]:
    """The code tables of a project folder, in order."""
    return sorted((folder / FOLDER).glob("*.csv"))


@dataclass(frozen=True)
class CodeTables:
    """The code tables of a project, each read once.

    Attributes:
        folder: of the project.
        findings: where their faults go.
        seen: what was read: legacy code to code of the standard and the place where it stands; None for a table that is not there.
    """

    folder: Path
    findings: Findings
    seen: dict[str, dict[str, tuple[str, str]] | None] = field(default_factory=dict)

    def read(self, name: str, item: Item, codes: CodeList | None, place: str) -> Mapping[str, str] | None:
        """A table for an item; None where it cannot be used.

        Args:
            name: of the table.
            item: to be filled; the codes of the standard have to fit it.
            codes: the item's list, to which they have to belong; None where it is not coded.
            place: where the table is named.

        Finds `map-codes-missing`, `map-codes-twice`, `map-code-empty`, `map-code-unknown`.
        """
        if name not in self.seen:
            self.seen[name] = self._read(name)
        table = self.seen[name]
        if table is None:
            near = [path.stem for path in code_tables(self.folder)]
            fix = suggest(name, near, f"write the table {FOLDER}/{name or 'NAME'}.csv and its name into 引数")
            self.findings.fault(
                "map-codes-missing", f"there is no code table {name or '(empty)'}", place, fix
            )
            return None
        for new, line in table.values():
            problem = check_value(item, new, codes) if new else None
            if problem is not None:
                what = f"{new} is no code for {place}: {problem.what}"
                self.findings.fault("map-code-unknown", what, line, problem.fix or "")
        return {old: new for old, (new, _) in table.items()}

    def _read(self, name: str) -> dict[str, tuple[str, str]] | None:
        path = self.folder / FOLDER / f"{name}.csv"
        if not name or not path.is_file():
            return None
        shown = f"{FOLDER}/{path.name}"
        found: dict[str, tuple[str, str]] = {}
        for row in read_rows(path, shown, CODE_HEADS, self.findings):
            old, new, line = row.values["旧コード"], row.values["標準コード"], f"{shown}:{row.line}"
            if not old or not new:
                self.findings.fault(
                    "map-code-empty",
                    "旧コード or 標準コード is empty",
                    line,
                    "write both, or remove the line",
                )
            if old in found:
                self.findings.fault(
                    "map-codes-twice", f"the legacy code {old} stands twice, first in {found[old][1]}", line, "keep one of them"
                )  # fmt: skip
            found.setdefault(old, (new, line))
        return found
