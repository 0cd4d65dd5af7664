"""Counters in wards, and a desk for extracts, in the process of a bench."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from bench import city
from kiban import access, web
from kiban.access import Access, Assignment, Office, Staff, extract
from kiban.store import Store

PURPOSE = "住民基本台帳事務"
_BEGAN = date(2020, 4, 1)
Page = Callable[[str, Mapping[str, str]], object]
Preview = Callable[[tuple[str, str]], object]


@contextmanager
def open_desks(opened: Store, home: Path, wards: Sequence[str]) -> Iterator[tuple[Page, Preview]]:
    """A counter in each of these wards, and somebody who extracts; all in this process, so that no network lies over what is measured.

    Args:
        opened: the registers.
        home: folder for keys.
        wards: codes.

    Yields:
        What a clerk of a ward finds by a form, and how many live at an address (町字, 番地) as a preview tells.
    """
    with access.open_access(opened, access.seal(home / "access.key")) as room:
        _hire(room, wards)
        page = _counters(opened, room, home, wards)
        grant = room.policies.grant(
            room.people.acting("timing-euc", extract.today(datetime.now(UTC)), "統計事務")
        )
        held = extract.Extracts(room, opened, home / "extracts", lambda: datetime.now(UTC))

        def preview(where: tuple[str, str]) -> object:
            tests = [
                {"item": item, "is": value}
                for item, value in zip(("jusho_choaza", "jusho_banchigohyoki"), where, strict=True)
            ]
            body = {"business": "resident", "main": "jumin", "totals": {"count": "yes"}, "where": tests}
            return held.preview(extract.query_in(body), grant)

        yield page, preview
        from django.db import connections  # noqa: PLC0415 - only now is Django set up

        connections.close_all()


def _hire(room: Access, wards: Sequence[str]) -> None:
    offices = [
        Office("timing", "市役所", "city"),
        *(Office(f"t{w}", "区役所", "ward", "timing", w) for w in wards),
    ]
    duties = {
        "timing-euc": ("euc", "timing"),
        **{f"timing-{w}": ("resident-counter", f"t{w}") for w in wards},
    }
    staff = [Staff(number, "計測　花子", "ケイソク　ハナコ", _BEGAN) for number in duties]
    given = [Assignment(number, duty, office, _BEGAN) for number, (duty, office) in duties.items()]
    room.people.apply((*offices, *staff, *given), "bench", datetime.now(UTC))


def _counters(opened: Store, room: Access, home: Path, wards: Sequence[str]) -> Page:
    """A browser for each ward."""
    accounts = web.install_accounts(opened, secret := web.web_secret(home / "web.secret"))
    policies = access.load_policies([access.REFERENCE], opened.library)
    served = web.City("計測市", opened, room, policies, accounts, lambda: datetime.now(UTC), searches=10**9)
    authority: Any = type("Authority", (), {"issuer": "http://localhost"})()
    house = web.House(authority, None, None, lambda: None, served.now, ("localhost",), city=served)  # type: ignore[arg-type]
    web.application(house, secret)
    browsers = {ward: _browser(house, f"timing-{ward}") for ward in wards}

    def page(ward: str, form: Mapping[str, str]) -> object:
        answer = browsers[ward].post("/people", {"register": city.PEOPLE, **form})
        return browsers[ward].get(answer["Location"]).content

    return page


def _browser(house: web.House, number: str) -> Any:
    """A browser in which somebody is at work."""
    from django.test import Client  # noqa: PLC0415 - only now is Django set up

    from kiban.web.house import NAME  # noqa: PLC0415
    from kiban.web.signin.models import Account  # noqa: PLC0415

    account, _ = Account.objects.get_or_create(number=number)
    extra: Any = {NAME: house}
    client = Client(headers={"accept": "text/html", "host": "localhost"}, **extra)
    client.force_login(account)
    session = client.session
    session["account_authentication_methods"] = [{"method": "mfa", "type": "totp", "at": 0}]
    session["account_authentication_methods_user"] = str(account.pk)
    room = house.city.access if house.city else None
    assert room is not None
    session["kiban.assignment"] = [room.people.assignments(number)[0].id, PURPOSE]
    session.save()
    return client
