"""plan.yaml: what is migrated, from which files of which systems, to which registers, and who answers for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from kiban.characters import Mode
from kiban.standard import Edition, definition

Form = Literal["fixed", "rdw", "vb", "csv"]


@dataclass(frozen=True)
class System:
    """A legacy system. Its gaiji are never mixed with those of another.

    Attributes:
        id: short, such as JUKI; names the system in charts, ledgers and decisions.
        title, vendor, owner: as officials read them. The owner is asked about findings and signs.
        code_page: of its double-byte text; see `characters.code_page`.
        tables: code tables laid over the algorithmic area, JSON.
        charts, decisions: the city's gaiji chart and its two-person decisions, CSV.
    """

    id: str
    title: str
    vendor: str
    owner: str
    code_page: str
    tables: tuple[Path, ...] = ()
    charts: tuple[Path, ...] = ()
    decisions: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Checks:
    """Which fields of a file's first or last record say what it is.

    Attributes:
        file_id, cut_date: fields of the first record.
        count: field of the last record: how many records lie between.
        sums: fields of the last record, and of each the field whose yen it is the sum of, over all records between.
    """

    file_id: str | None = None
    cut_date: str | None = None
    count: str | None = None
    sums: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SourceFile:
    """One expected file of the unload.

    Attributes:
        id: as in every ledger; `JUKI-01` where the plan says `JUKI` with part 01.
        kind: the id in the plan, shared by all parts.
        part: of a file delivered in several; "" where it is one.
        system: id of a `System`.
        path: relative to the unload folder.
        title, owner: as officials read them.
        form: records of one length, variable ones with a descriptor word before each (rdw) or in blocks besides (vb), or CSV with a
            line of names.
        segment: dataset name of a CSV file; "" for others, whose copybook names them.
        copybook: None for CSV.
        code_page: where it differs from that of the system; otherwise the system's.
        modes, when, unset: what the copybook leaves open; see `records.Reading`.
        checks: see `Checks`.
        key: fields that tell its records apart; the profile looks for doubles.
        coded: fields whose values are codes and may be shown in the profile; every other field counts as personal.
        person: fields that hold the number of the person a record or a row of its table is about, one for each segment that has one.
        wards: of its records, where the file is of certain wards only.
        may_be_empty: whether a file without a record is a file all the same: nobody is in it. It has to be there.
    """

    id: str
    kind: str
    part: str
    system: str
    path: str
    title: str
    owner: str
    form: Form
    code_page: str
    segment: str = ""
    copybook: Path | None = None
    modes: Mapping[str, Mode] = field(default_factory=dict)
    when: Mapping[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    unset: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    checks: Checks = field(default_factory=Checks)
    key: tuple[str, ...] = ()
    coded: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    wards: tuple[str, ...] = ()
    may_be_empty: bool = False


@dataclass(frozen=True)
class Target:
    """A group of the standard that is filled.

    Attributes:
        edition: of a business, such as resident.
        group: of that edition.
        map: CSV that says where every item comes from.
        source: name of the segment whose records become its rows.
        where: field of the segment and the values with which a record becomes a row; None for every record.
    """

    edition: str
    group: str
    map: Path
    source: str
    where: tuple[str, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class NotHeld:
    """A group of the standard the legacy systems hold nothing of, and why."""

    edition: str
    group: str
    reason: str


@dataclass(frozen=True)
class Consumer:
    """Whoever uses the data afterwards: printers, banks, the prefecture, elections.

    Attributes:
        id, title, owner: as officials read them.
        accepted: the day on which it showed that it can take the new form, YYYY-MM-DD; "" where it has not yet.
    """

    id: str
    title: str
    owner: str
    accepted: str = ""


@dataclass(frozen=True)
class Delta:
    """How many subjects of a register may be missing from a newer unload before a delta stops.

    Attributes:
        vanish_most: a share of the subjects of the register.
        vanish_count: subjects that may be missing in any case, whatever the share; for small registers.
    """

    vanish_most: Decimal = Decimal("0.001")
    vanish_count: int = 0


@dataclass(frozen=True)
class Plan:
    """A migration.

    Attributes:
        id: short; names the sets it leaves.
        title: as officials read it.
        city: code of the local government, six digits.
        cut_date: the day whose state every file shows.
        window_hours: how long the business may stand still.
        folder: of the plan; its paths are relative to it.
        unload: where the files arrive.
        totals: what the legacy systems printed, CSV in the unload folder; None where there is nothing.
        signers: roles that are asked to sign, in order.
        keys: public keys (Ed25519, PEM) one of which must have signed the decisions on characters; empty where nobody has to sign.
        delta: when a delta stops.
        return_until: the last day on which the way back is open (point of no return); None where officials have set none.
        editions: of the standard, under the names by which targets and groups not held call them; empty where the plan was read
            without a library.
    """

    id: str
    title: str
    city: str
    cut_date: date
    window_hours: int
    folder: Path
    unload: Path
    systems: tuple[System, ...]
    files: tuple[SourceFile, ...]
    targets: tuple[Target, ...]
    not_held: tuple[NotHeld, ...]
    consumers: tuple[Consumer, ...]
    totals: str | None = None
    signers: tuple[str, ...] = ()
    keys: tuple[Path, ...] = ()
    delta: Delta = Delta()
    return_until: date | None = None
    editions: Mapping[str, Edition] = field(default_factory=dict)

    def system(self, name: str) -> System:
        """The system of this id; the loader has checked that there is one."""
        return next(one for one in self.systems if one.id == name)

    def file(self, name: str) -> SourceFile:
        """The file of this id."""
        return next(one for one in self.files if one.id == name)

    @property
    def findings(self) -> Path:
        """Where decisions on findings are written: decisions/findings.csv beside the plan."""
        return self.folder / "decisions" / "findings.csv"

    def as_data(self) -> dict[str, Any]:
        """What the plan says of one unload, as JSON can hold it.

        Paths are relative to the plan, and editions are named by their digests. Left out are the place of the unload, the limits of
        a delta, and the last day of the way back, which may be moved when everything is loaded.
        """
        bare = replace(self, editions={})
        data: dict[str, Any] = plain(bare, self.folder)
        data["editions"] = {name: definition(one) for name, one in sorted(self.editions.items())}
        return {name: value for name, value in data.items() if name not in _LEFT_OUT}


_LEFT_OUT = ("folder", "unload", "delta", "return_until")


def plain(value: Any, folder: Path) -> Any:
    """A value of a plan as JSON can hold it; paths relative to a folder where they lie in it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name), folder) for one in fields(value)}
    if isinstance(value, Path):
        return (value.relative_to(folder) if value.is_relative_to(folder) else value).as_posix()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return {key: plain(each, folder) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [plain(each, folder) for each in value]
    return value
