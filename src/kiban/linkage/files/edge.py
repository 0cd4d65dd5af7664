"""The edge: a set in a partner's folder under the names of the profile, and such files taken in as a set.

A file gets its name when it is whole, the marker comes last; so nobody ever sees half of anything. What is there already is never
written over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from tempfile import TemporaryDirectory
from typing import Protocol

from kiban import sets
from kiban.kernel import Problem
from kiban.linkage.contracts.model import Contract
from kiban.linkage.contracts.profile import Profile
from kiban.linkage.files.about import COMPANIONS


class Place(Protocol):
    """A partner's folder, near or far. Names may have folders before them, parted by slashes."""

    @property
    def called(self) -> str:
        """As people name it; holds no secret."""
        ...

    def sizes(self, folder: str) -> dict[str, int]:
        """Name and size of each finished file of a folder; nothing where it is not there."""
        ...

    def put(self, name: str, file: Path) -> None:
        """Write a file that shows when it is whole.

        Raises:
            Problem: `edge-unwritable`.
        """
        ...

    def get(self, name: str, file: Path) -> None:
        """Read a file.

        Raises:
            Problem: `edge-unreadable`.
        """
        ...


@dataclass(frozen=True)
class FolderPlace:
    """A partner's folder on this machine or a mounted one."""

    folder: Path

    @property
    def called(self) -> str:
        """Its path."""
        return str(self.folder)

    def sizes(self, folder: str) -> dict[str, int]:
        """See `Place`."""
        place = self.folder / folder
        found = place.iterdir() if place.is_dir() else ()
        return {
            one.name: one.stat().st_size for one in found if one.is_file() and not is_unfinished(one.name)
        }

    def put(self, name: str, file: Path) -> None:
        """See `Place`."""
        target = self.folder / name
        with edge_problem("edge-unwritable", f"{self.folder}/{name}"):
            target.parent.mkdir(parents=True, exist_ok=True)
            waiting = target.with_name(unfinished(target.name))
            with file.open("rb") as source, waiting.open("wb") as to:
                while piece := source.read(1 << 20):
                    to.write(piece)
                to.flush()
                os.fsync(to.fileno())
            waiting.replace(target)

    def get(self, name: str, file: Path) -> None:
        """See `Place`."""
        with edge_problem("edge-unreadable", f"{self.folder}/{name}"):
            file.write_bytes((self.folder / name).read_bytes())


@contextmanager
def edge_problem(code: str, where: str) -> Iterator[None]:
    """Turn what a place raises into a problem; its texts are not repeated."""
    try:
        yield
    except (OSError, EOFError) as error:
        what = f"the partner's folder refuses or does not answer ({type(error).__name__})"
        fix = "see whether it is there, has room and lets you in; then run the same again"
        raise Problem(code, what, where, fix) from None


def unfinished(name: str) -> str:
    """The name of a file while it is written."""
    return f".{name}.part"


def is_unfinished(name: str) -> bool:
    """Whether a file is still being written, or was left so."""
    return name.startswith(".") and name.endswith(".part")


@dataclass(frozen=True)
class Names:
    """What the files of one set are called at the edge.

    Attributes:
        contract: the flow.
        profile: of the files.
    """

    contract: Contract
    profile: Profile

    def folder(self) -> str:
        """The folder of the flow; empty for the partner's own."""
        return self.profile.folder.format(**self._words())

    def file(self, kind: str, position: sets.Position, group: str, number: int, of: int) -> str:
        """Of a file of a group."""
        words = self._words(kind) | {"group": group}
        return self.profile.file_name.format(
            **words, epoch=position[0], sequence=position[1], number=number, of=of
        )

    def marker(self, kind: str, position: sets.Position) -> str | None:
        """Of the empty file that says that a set is complete."""
        if self.profile.marker is None:
            return None
        return self.profile.marker.format(**self._words(kind), epoch=position[0], sequence=position[1])

    def companion(self, position: sets.Position, name: str) -> str:
        """Of a part that holds no rows: Kiban's own, which partners may pass over."""
        return f"{self.contract.flow}.{position[0]:010}-{position[1]:010}.{name}"

    def read(self, name: str) -> dict[str, str] | None:
        """What the name of a file of a group says; None where it is no such name."""
        found = re.fullmatch(self._pattern(), name)
        return found.groupdict() if found else None

    def position(self, said: Mapping[str, str]) -> sets.Position:
        """Epoch and sequence of a name."""
        return int(said["epoch"]), int(said["sequence"])

    def _words(self, kind: str = "full") -> dict[str, str]:
        called = self.profile.full if kind == "full" else self.profile.delta
        own = {"flow": self.contract.flow, "provider": self.contract.provider.id}
        return own | {"consumer": self.contract.consumer.id, "kind": called}

    def _pattern(self) -> str:
        words = {name: re.escape(value) for name, value in self._words().items()}
        words["kind"] = f"{re.escape(self.profile.full)}|{re.escape(self.profile.delta)}"
        words["group"] = "|".join(re.escape(feed.name) for feed in self.contract.feeds)
        seen: set[str] = set()
        pattern = ""
        for text, name, width, _ in Formatter().parse(self.profile.file_name):
            pattern += re.escape(text)
            if name is None:
                continue
            inner = words.get(name) or (f"[0-9]{{{int(width)},}}" if width else "[0-9]+")
            pattern += f"(?P={name})" if name in seen else f"(?P<{name}>{inner})"
            seen.add(name)
        return pattern


@dataclass(frozen=True)
class Arrived:
    """The files of one set in a partner's folder.

    Attributes:
        kind: full or delta.
        position: epoch and sequence.
        files: group -> the names of its files, in order.
        companions: those of Kiban's own parts that are there: part -> name.
        lacking: what keeps it from being complete, in words; nothing where it is.
    """

    kind: str
    position: sets.Position
    files: Mapping[str, tuple[str, ...]]
    companions: Mapping[str, str] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()


def send(
    shelf: sets.Shelf, manifest: sets.Manifest, names: Names, place: Place, scratch: Path
) -> tuple[str, ...]:
    """Mirror a set into a partner's folder; who is interrupted calls again, and what is there is not sent again.

    Returns:
        The names of the files, the marker last.

    Raises:
        Problem: `edge-exists` where another file has a name; `edge-unwritable`; `part-missing`, `part-changed`.
    """
    folder = names.folder()
    there = place.sizes(folder)
    done: list[str] = []
    with TemporaryDirectory(dir=scratch) as room:
        for part, name in _named(manifest, names):
            if name in there and there[name] != part.bytes:
                fix = "find out who put it there; a set is sent once"
                raise Problem("edge-exists", "another file has this name", f"{place.called}: {name}", fix)
            if name not in there:
                with sets.part_file(shelf, manifest, part, scratch=Path(room)) as file:
                    place.put(_joined(folder, name), file)
            done.append(name)
        marker = names.marker(manifest.kind, manifest.position)
        if marker is not None:
            empty = Path(room) / "marker"
            empty.touch()
            if marker not in there:
                place.put(_joined(folder, marker), empty)
            done.append(marker)
    return tuple(done)


def arrived(names: Names, place: Place) -> list[Arrived]:
    """The sets of a flow in a partner's folder, complete or not, in the order of their positions.

    Raises:
        Problem: `profile-completeness` where the profile has neither a marker nor a number of files by which a set is complete.
    """
    if names.profile.marker is None and "{of" not in names.profile.file_name:
        fix = "agree with the partner on a marker, or on {of} in the name"
        raise Problem("profile-completeness", "nothing says when a set is complete", names.profile.id, fix)
    there = place.sizes(names.folder())
    found: dict[tuple[sets.Position, str], list[dict[str, str]]] = {}
    for name in there:
        if (said := names.read(name)) is not None:
            kind = "full" if said["kind"] == names.profile.full else "delta"
            found.setdefault((names.position(said), kind), []).append(said | {"name": name})
    return [_arrived(names, there, kind, place_of, said) for (place_of, kind), said in sorted(found.items())]


def fetched_files(arrival: Arrived, names: Names, place: Place, room: Path) -> dict[str, Path]:
    """Bring the files of a set here: name of the part -> file."""
    wanted = {
        f"{group}.{number:04}{Path(name).suffix or '.dat'}": name
        for group, files in arrival.files.items()
        for number, name in enumerate(files, 1)
    } | dict(arrival.companions)
    for part, name in wanted.items():
        place.get(_joined(names.folder(), name), room / part)
    return {part: room / part for part in wanted}


def _arrived(
    names: Names, there: Mapping[str, int], kind: str, position: sets.Position, said: list[dict[str, str]]
) -> Arrived:
    lacking: list[str] = []
    files: dict[str, tuple[str, ...]] = {}
    for feed in names.contract.feeds:
        mine = sorted((one for one in said if one["group"] == feed.name), key=lambda one: int(one["number"]))
        numbers = [int(one["number"]) for one in mine]
        of = max((int(one.get("of", 0)) for one in mine), default=0) or max(numbers, default=1)
        lacking += [f"{feed.name} {n}/{of}" for n in range(1, of + 1) if n not in numbers]
        files[feed.name] = tuple(one["name"] for one in mine)
    marker = names.marker(kind, position)
    if marker is not None and marker not in there:
        lacking.append(marker)
    companions = {name: names.companion(position, name) for name in COMPANIONS}
    known = {name: called for name, called in companions.items() if called in there}
    if known and len(known) < len(companions):
        lacking += [called for name, called in companions.items() if name not in known]
    return Arrived(kind, position, files, known, tuple(lacking))


def _named(manifest: sets.Manifest, names: Names) -> Iterator[tuple[sets.Part, str]]:
    """Each part with its name at the edge; those without rows first, so that nobody takes rows without knowing who is protected."""
    for part in manifest.parts:
        if part.name in COMPANIONS:
            yield part, names.companion(manifest.position, part.name)
    for feed in names.contract.feeds:
        mine = [part for part in manifest.parts if part.name.partition(".")[0] == feed.name]
        mine = [part for part in mine if part.name not in COMPANIONS]
        for number, part in enumerate(mine, 1):
            yield part, names.file(manifest.kind, manifest.position, feed.name, number, len(mine))


def _joined(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
