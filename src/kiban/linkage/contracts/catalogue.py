"""All contracts at hand: looked up, in force or not, live or refused."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from kiban.kernel import Problem, Problems
from kiban.linkage.contracts.compare import compare
from kiban.linkage.contracts.model import Contract
from kiban.linkage.contracts.profile import Profile
from kiban.linkage.contracts.profiles import ProfileFile, read_profiles
from kiban.linkage.contracts.read import read_contract
from kiban.standard import Findings, Library, suggest

SAMPLES = Path(__file__).parents[1] / "samples"
"""Folder of the sample contracts that come with Kiban: examples, none official."""


@dataclass(frozen=True)
class Contracts:
    """Contracts side by side.

    Attributes:
        contracts: in the order of their flow and version.
        profiles: name -> the profile as its file has it; contracts name them.
    """

    contracts: tuple[Contract, ...] = ()
    profiles: Mapping[str, ProfileFile] = field(default_factory=dict, hash=False)

    def __iter__(self) -> Iterator[Contract]:
        return iter(self.contracts)

    def __len__(self) -> int:
        return len(self.contracts)

    @cached_property
    def _by_flow(self) -> dict[str, list[Contract]]:
        found: dict[str, list[Contract]] = {}
        for contract in self.contracts:
            found.setdefault(contract.flow, []).append(contract)
        return found

    def flow(self, name: str, day: date | None = None) -> Contract:
        """The contract of a flow, such as `resident-tax.v1`: its newest version, or the newest in force on a day.

        Raises:
            Problem: `contract-unknown`, `contract-not-in-force`.
        """
        versions = self._by_flow.get(name)
        if versions is None:
            fix = suggest(name, self._by_flow, "kiban link contracts list shows what is there")
            raise Problem("contract-unknown", f"there is no contract of the flow {name}", fix=fix)
        if day is None:
            return versions[-1]
        found = [each for each in versions if is_in_force(each, day)]
        if not found:
            raise Problem(
                "contract-not-in-force",
                f"no contract of the flow {name} is in force on {day}",
                where=str(versions[-1].path),
                fix="see its status, x-effective and x-until",
            )
        return found[-1]

    def profile(self, name: str) -> Profile:
        """The profile of this name, with every detail known.

        Raises:
            Problem: `profile-unknown`, `profile-unset`.
        """
        if name not in self.profiles:
            fix = suggest(name, self.profiles, "put it into a folder profiles/ beside the contracts")
            raise Problem("profile-unknown", f"there is no profile {name}", fix=fix)
        return self.profiles[name].known()

    def in_force(self, day: date) -> tuple[Contract, ...]:
        """For each flow the newest contract that is active and in force on a day, signed or not."""
        found = {each.flow: each for each in self.contracts if is_in_force(each, day)}
        return tuple(found.values())

    def live(self, day: date, keys: Collection[str]) -> tuple[Contract, ...]:
        """Those in force that one of the keys has signed: what may carry traffic.

        Args:
            day: the day.
            keys: trusted public keys, 64 hex digits each.
        """
        return tuple(each for each in self.in_force(day) if not each.signed_by.isdisjoint(keys))

    def admit(self, flow: str, day: date, keys: Collection[str]) -> Contract:
        """The live contract of a flow, for traffic that asks to pass.

        Raises:
            Problem: `contract-unknown`, `contract-not-in-force`, `contract-unsigned`: the traffic is refused.
        """
        contract = self.flow(flow, day)
        if contract.signed_by.isdisjoint(keys):
            raise Problem(
                "contract-unsigned",
                f"no trusted key has signed the contract of the flow {flow}",
                where=str(contract.path),
                fix="have it signed: kiban link contracts sign",
            )
        return contract


def is_in_force(contract: Contract, day: date) -> bool:
    """Whether a contract is active and the day lies in its period."""
    begun = contract.effective <= day
    return contract.status == "active" and begun and (contract.until is None or day < contract.until)


def load_contracts(folders: Iterable[Path], library: Library, *, signatures: bool = True) -> Contracts:
    """All contracts at or below some folders: every `.yaml`; those in a folder `profiles` are profiles, in `layouts` of records.

    The profiles that come with Kiban are always at hand.

    Args:
        folders: folders or single files.
        library: the editions that the contracts name.
        signatures: whether the signatures beside the files are looked at; not so for who is about to sign anew.

    Raises:
        Problems: every fault of every file, each with file, line and what to do; `contract-twice`,
            `contract-breaking`, `contract-overlap`, `root-missing`, `profile-unknown`.
    """
    findings = Findings()
    files = list(dict.fromkeys(path for folder in folders for path in _files(folder, findings)))
    shipped = sorted(SAMPLES.glob("profiles/*.yaml"))
    own = [path for path in files if path.parent.name == "profiles" and path not in shipped]
    profiles = read_profiles([*shipped, *own], findings)
    contracts = (
        path for path in files if path.parent.name != "profiles" and path.parent.parent.name != "layouts"
    )
    read = [read_contract(path, library, findings, signatures=signatures) for path in contracts]
    found = sorted((each for each in read if each), key=lambda each: (each.id, each.version))
    _check_twice(found, findings)
    _check_versions(found, findings)
    _check_profiles(found, profiles, findings)
    if findings.faults:
        raise Problems(findings.faults)
    return Contracts(tuple(found), profiles)


def _files(folder: Path, findings: Findings) -> list[Path]:
    if folder.is_file():
        return [folder]
    if not folder.is_dir():
        findings.fault("root-missing", "there is no such folder", str(folder), "check the path")
    hidden = (
        path for path in folder.rglob("*.yaml") if not path.relative_to(folder).as_posix().startswith(".")
    )
    return sorted(path for path in hidden if "/." not in path.relative_to(folder).as_posix())


def _check_profiles(
    contracts: list[Contract], profiles: Mapping[str, ProfileFile], findings: Findings
) -> None:
    for contract in contracts:
        if contract.profile and contract.profile not in profiles:
            findings.fault(
                "profile-unknown",
                f"{contract.flow} names a profile {contract.profile} that is not there",
                str(contract.path),
                suggest(contract.profile, profiles, "put it into a folder profiles/ beside the contracts"),
            )


def _check_versions(contracts: list[Contract], findings: Findings) -> None:
    """A version follows the one before it without breaking anybody, or takes a new major number and both are served."""
    for old, new in pairwise(contracts):
        if old.id != new.id or old.version == new.version:
            continue
        if old.version[0] == new.version[0]:
            broken = [each for each in compare(old, new) if each.breaking]
            for each in broken:
                findings.fault(
                    "contract-breaking",
                    f"{new.id} {written(new)} breaks {written(old)}: {each.where}: {each.note} ({each.kind})",
                    str(new.path),
                    f'write version: "{old.version[0] + 1}.0.0" and serve both for a while, or take the change back',
                )
        elif old.until is not None and old.until <= new.effective and old.status == "active":
            findings.fault(
                "contract-overlap",
                f"{old.flow} ends on {old.until}, before consumers can go over to {new.flow}",
                str(old.path),
                "serve two major versions side by side for half a year: move x-until of the old one",
            )


def written(contract: Contract) -> str:
    """The version of a contract, as 1.0.0."""
    return ".".join(map(str, contract.version))


def _check_twice(contracts: list[Contract], findings: Findings) -> None:
    first: dict[tuple[str, tuple[int, int, int]], Contract] = {}
    for contract in contracts:
        other = first.setdefault((contract.id, contract.version), contract)
        if other is not contract:
            findings.fault(
                "contract-twice",
                f"{contract.id} {written(contract)} stands in two files",
                str(contract.path),
                f"the other is {other.path}; keep one, or give one another version",
            )
