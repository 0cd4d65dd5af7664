"""A list as a page: what all pages of this folder have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.http import HttpResponse
from django.shortcuts import render

from kiban.kernel import JAPAN
from kiban.web.pages.desk import Desk

Row = Sequence[object]


@dataclass(frozen=True)
class Link:
    """A cell that leads somewhere.

    Attributes:
        text: what stands there.
        address: where it leads; never with a number of a person.
    """

    text: str
    address: str


@dataclass(frozen=True)
class Field:
    """A field of a form.

    Attributes:
        name: under which it is sent.
        title: its label.
        kind: `text`, `date`, `time` or `number`; ignored where there are options.
        options: pairs of value and title to choose from.
        hint: a few words below the label.
        value: what stands in it.
    """

    name: str
    title: str
    kind: str = "text"
    options: tuple[tuple[str, str], ...] = ()
    hint: str = ""
    value: str = ""


@dataclass(frozen=True)
class Sheet:
    """A list.

    Attributes:
        title: of the page.
        heads: of the columns.
        rows: cells as texts or links.
        tabs: pages beside it.
        intro: sentences above it.
        fields: of the form that asks for it; none for a list that is there by itself.
        asked: whether the form was sent, so that an empty list means that there is none.
        wrong: what is wrong with what was asked, in Japanese.
        next: hidden fields of the form for the next page, sent as a form too; None where there is none.
        more: address of the next page where nothing personal is in it.
    """

    title: str
    heads: Sequence[str] = ()
    rows: Sequence[Row] = ()
    tabs: tuple[Link, ...] = ()
    intro: Sequence[str] = ()
    fields: Sequence[Field] = ()
    asked: bool = True
    wrong: str = ""
    next: Mapping[str, str] | None = field(default=None, hash=False)
    more: str = ""


def show(request: Desk, sheet: Sheet) -> HttpResponse:
    """The page of a list."""
    status = 400 if sheet.wrong else 200
    return render(request, "operations/sheet.html", {"sheet": sheet}, status=status)


def moment(at: datetime | None) -> str:
    """A moment as people in Japan write it; a dash for none."""
    return f"{at.astimezone(JAPAN):%Y-%m-%d %H:%M:%S}" if at else "－"


def day(on: date | None) -> str:
    """A day; a dash for none."""
    return on.isoformat() if on else "－"
