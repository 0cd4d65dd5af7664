"""Profiles are read from `profiles/*.yaml`: each detail of the files says what it is, or that nobody knows it yet."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from string import Formatter
from typing import Any

from kiban.kernel import Problem
from kiban.linkage.contracts.profile import Profile
from kiban.linkage.contracts.terms import Terms
from kiban.standard import Findings, read_document, suggest

STATUSES = ("official", "city", "example")
_DELIMITERS = {"comma": ",", "tab": "\t", "semicolon": ";"}
_LINE_ENDS = {"crlf": "\r\n", "lf": "\n"}
_BY_POSITION = ("bom", "header", "delimiter", "quoting", "line_end", "list_separator")
"""Details that files of fixed length have none of."""

_WORDS = ("flow", "provider", "consumer", "group", "kind")
_NUMBERS = ("epoch", "sequence", "number", "of")


@dataclass(frozen=True)
class ProfileFile:
    """A profile as its file has it.

    Attributes:
        id: its name.
        title: its Japanese name.
        status: `official`, `city` or `example`.
        path: the file.
        unset: the details that nobody knows yet (null), in the order of the file.
        profile: the profile; None where a detail is unset.
    """

    id: str
    title: str
    status: str
    path: Path
    unset: tuple[str, ...] = ()
    profile: Profile | None = None

    def known(self) -> Profile:
        """The profile, for whoever is about to write or read files by it.

        Raises:
            Problem: `profile-unset`.
        """
        if self.profile is None:
            raise Problem(
                "profile-unset",
                f"the profile {self.id} does not say {', '.join(self.unset)}: nobody has verified it",
                where=str(self.path),
                fix="copy them from the original into a profile of your own under profiles/; they are never guessed",
            )
        return self.profile


def read_profiles(paths: Iterable[Path], findings: Findings) -> dict[str, ProfileFile]:
    """The profiles in some files, by name.

    Finds: those of `standard.read_document` and of the fields; `profile-name`, `profile-separators`, `profile-encoding`,
    `profile-twice`.
    """
    found: dict[str, ProfileFile] = {}
    for path in paths:
        one = _read(path, findings)
        if one and one.id in found:
            fix = f"the other is {found[one.id].path}; give one of them another id"
            findings.fault("profile-twice", f"the profile {one.id} stands in two files", str(path), fix)
        elif one:
            found[one.id] = one
    return found


def _read(path: Path, findings: Findings) -> ProfileFile | None:
    before = len(findings.faults)
    document = read_document(path, str(path), findings)
    if not document.lines:
        return None
    top = Terms(document, (), document.value, findings, "the profile")
    name = top.form("id", "[a-z][a-z0-9-]*", "small letters, digits and hyphens")
    title, status = top.text("title"), top.choice("status", STATUSES)
    details = _Details(top)
    told: dict[str, Any] = {"basis": top.text("basis"), "effective": _effective(top)}
    told["form"] = top.choice("form", ("csv", "records"))
    for key, reader in _READERS.items():
        if told["form"] == "records" and key in _BY_POSITION and key not in top.value:
            continue
        details.take(key, reader)
    top.done()
    _check_together(top, details.found)
    if len(findings.faults) > before:
        return None
    if details.unset:
        return ProfileFile(name, title, status, path, tuple(details.unset))
    profile = Profile(name, title, official=status == "official", **told, **details.found)
    return ProfileFile(name, title, status, path, (), profile)


def _effective(top: Terms) -> date | None:
    return top.day("effective", needed=False)


@dataclass
class _Details:
    """The details of one profile: found, or said to be unknown."""

    top: Terms
    found: dict[str, Any] = field(default_factory=dict)
    unset: list[str] = field(default_factory=list)

    def take(self, key: str, reader: Callable[[Terms, str], Any]) -> None:
        if key in self.top.value and self.top.value[key] is None:
            self.top.asked.append(key)
            self.unset.append(key)
        else:
            self.found[key] = reader(self.top, key)


def _plain(top: Terms, key: str) -> str:
    """A text that may be empty, as it stands."""
    if isinstance(top.value.get(key), str):
        top.asked.append(key)
        return str(top.value[key])
    return top.text(key)


def _word(words: dict[str, str]) -> Callable[[Terms, str], str]:
    return lambda top, key: words.get(top.choice(key, words), "")


def _choice(*words: str) -> Callable[[Terms, str], str]:
    return lambda top, key: top.choice(key, words)


def _separator(top: Terms, key: str) -> str:
    return top.form(key, "[!-~]", "one half-width sign in quotes")


def _encoding(*further: str) -> Callable[[Terms, str], str]:
    def read(top: Terms, key: str) -> str:
        text = top.text(key)
        if text and text not in further and not _is_encoding(text):
            fix = suggest(
                text,
                ("utf-8", "utf-16", "cp932", "shift_jisx0213", "euc_jp", *further),
                "see Python's codecs",
            )
            top.fault("profile-encoding", f"{key} {text} is no encoding that is known", fix, key)
        return text

    return read


def _is_encoding(name: str) -> bool:
    try:
        "山".encode(codecs.lookup(name).name)
    except (LookupError, UnicodeError):
        return False
    return True


def _name(needed: tuple[str, ...], *, may_be_none: bool = False) -> Callable[[Terms, str], str | None]:
    """Reads a name with places in braces, such as {group} or {number:03}."""

    def read(top: Terms, key: str) -> str | None:
        text = _plain(top, key)
        if may_be_none and text == "none":
            return None
        try:
            places = [(name, spec) for _, name, spec, _ in Formatter().parse(text) if name is not None]
        except ValueError:
            top.fault(
                "profile-name", f"{key} has braces that do not fit", "write {group} or {number:03}", key
            )
            return text
        for name, spec in places:
            if name not in (*_WORDS, *_NUMBERS):
                fix = suggest(name, (*_WORDS, *_NUMBERS), "leave it out")
                top.fault("profile-name", f"{key} has a place {{{name}}} that is none", fix, key)
            elif spec and (name in _WORDS or not re.fullmatch(r"0[1-9]", spec)):
                fix = "write a number with its width as {number:03}, a word without"
                top.fault("profile-name", f"{key} writes {{{name}:{spec}}}", fix, key)
        for name in needed:
            if name not in dict(places):
                what = f"{key} does not tell {{{name}}}: two files would have one name"
                top.fault("profile-name", what, f"add {{{name}}}", key)
        return text

    return read


_READERS: dict[str, Callable[[Terms, str], Any]] = {
    "encoding": _encoding(),
    "bom": lambda top, key: top.flag(key),
    "header": _choice("none", "romaji", "name"),
    "delimiter": _word(_DELIMITERS),
    "quoting": _choice("all", "needed", "none"),
    "line_end": _word(_LINE_ENDS),
    "list_separator": _separator,
    "open_from": _plain,
    "open_to": _plain,
    "repertoire": _encoding("unicode", "unicode-private"),
    "file_name": _name(("group", "kind", "epoch", "sequence", "number")),
    "folder": _name(()),
    "full": _plain,
    "delta": _plain,
    "marker": _name(("kind", "epoch", "sequence"), may_be_none=True),
}


def _check_together(top: Terms, found: dict[str, Any]) -> None:
    if found.get("bom") and found.get("encoding") not in (None, "utf-8"):
        top.fault("profile-encoding", "a byte order mark is of UTF-8 only", "write bom: false", "bom")
    separators = [found.get("delimiter"), found.get("list_separator"), '"']
    if len({each for each in separators if each}) < len([each for each in separators if each]):
        top.fault(
            "profile-separators", "two separators are the same sign", "name different ones", "list_separator"
        )
    if found.get("full") is not None and found.get("full") == found.get("delta"):
        top.fault("profile-name", "full and delta are called the same", "name them differently", "delta")
    for key in ("full", "delta", "file_name", "folder", "marker"):
        text = found.get(key)
        if isinstance(text, str) and re.search(r"[\\\x00-\x1f]|\.\.|^/|[/]$", text):
            top.fault("profile-name", f"{key} leads out of the folder", "write a plain name", key)
