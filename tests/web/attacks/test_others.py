"""What belongs to somebody else: sessions, factors, queries, files, handles; and fields that no form has."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from tests.web.attacks.conftest import BOTH, COUNTER, EUC, FAR, HER, PLAIN, at_work, searched, text
from tests.web.signin.conftest import Browser

from kiban import web
from kiban.access import extract
from kiban.access.audit import Wanted


def test_sessions_and_factors_of_others_are_not_there(town: web.House, account: Any) -> None:
    from allauth.mfa.models import Authenticator
    from allauth.usersessions.models import UserSession

    anna, berta = account("100001"), account("100002")
    hers, mine = Browser(town), Browser(town)
    hers.sign_in_by_hand(anna)
    mine.sign_in_by_hand(berta)
    mine.show_again(berta)
    hers.get("/account/sessions/")
    theirs = UserSession.objects.get(user__number=anna.number)
    factor = Authenticator.objects.get(user__number=anna.number)
    assert mine.send("/account/sessions/end", session=str(theirs.pk)).status_code == 404
    for path in (f"/account/2fa/webauthn/keys/{factor.pk}/{act}/" for act in ("edit", "remove")):
        for answer in (mine.get(path), mine.send(path, name="x")):
            assert answer.status_code in (302, 404)
            assert anna.number not in text(answer)
    assert Authenticator.objects.filter(pk=factor.pk).exists()
    assert hers.get("/account").status_code == 200


def test_a_handle_made_under_one_duty_opens_nothing_under_another(town: web.House) -> None:
    client = at_work(town, BOTH)
    address = searched(client, atenabango=PLAIN).redirect_chain[-1][0]
    assert client.get(address).status_code == 200
    choices = re.findall(r'name="choice" value="([^"]+)"', text(client.get("/duty")))
    client.post("/duty", {"choice": next(each for each in choices if "運用" in each)})
    for each in (address, f"{address}/history", f"{address}/characters", f"{address}/rows/resident.ido"):
        assert client.get(each).status_code == 403


def test_the_duty_of_somebody_else_is_not_to_be_chosen(town: web.House) -> None:
    theirs = re.findall(r'name="choice" value="([^"]+)"', text(at_work(town, "900001").get("/duty")))
    client = at_work(town, COUNTER)
    for choice in (*theirs, "1/アカウント管理事務", "x", "/", "-1/x", "1' OR '1'='1/x"):
        client.post("/duty", {"choice": choice})
        assert client.get("/operations/accounts").status_code == 403


def test_a_form_changes_nothing_that_it_does_not_have(town: web.House) -> None:
    from kiban.web.signin.models import Account

    client, other = at_work(town, EUC), at_work(town, BOTH)
    more = {"owner": BOTH, "staff": BOTH, "shared": "1", "is_staff": "1", "is_superuser": "1", "wards": FAR}
    query = client.post("/extracts/new", {"group": "resident.jumin", **more})["Location"].removesuffix(
        "/items"
    )
    client.post(f"{query}/items", {"item": ["shimei"], "next": "1", **more})
    job = client.post(f"{query}/run", {"reason": "試験", "title": "他人の名簿", **more})["Location"]
    for address in (f"{query}/preview", job):
        assert client.get(address).status_code == 200
        assert other.get(address).status_code in (403, 404)
    for path in ("/duty", "/account/password/change/", "/people", "/account/2fa/totp/activate/"):
        client.post(path, more)
    account = Account.objects.get(number=EUC)
    assert account.is_active
    assert not getattr(account, "is_superuser", False) and not getattr(account, "is_staff", False)
    assert client.get("/operations/accounts").status_code == 403


def test_a_file_goes_with_its_duty(
    town: web.House, worker: extract.Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = at_work(town, EUC)
    query = client.post("/extracts/new", {"group": "resident.jumin"})["Location"].removesuffix("/items")
    client.post(f"{query}/items", {"item": ["atenabango", "shimei"], "next": "1"})
    job = client.post(f"{query}/run", {"reason": "試験"})["Location"]
    while worker.next():
        pass
    assert PLAIN in text(client.get(f"{job}/files/all.csv"))
    assert town.city is not None
    policies = type(town.city.policies)
    kept = policies.grant
    monkeypatch.setattr(
        policies, "grant", lambda self, acting: replace(kept(self, acting), decisions=frozenset())
    )
    assert client.get(f"{job}/files/all.csv").status_code == 403


def test_nobody_lifts_protection_by_guessing(town: web.House) -> None:
    client = at_work(town, COUNTER)
    for form in ({"grant": "1"}, {"subject": HER, "whom": COUNTER, "hours": "1", "reason": "x"}):
        assert client.post("/operations/lifts", form).status_code == 403
        assert client.post("/operations/lifts/1/grant", form).status_code == 403
    assert town.city is not None
    refused = town.city.audit.lines(Wanted(actor=COUNTER, outcome="refused"), limit=4).entries
    assert [each.line.kind for each in refused] == ["lift", "read"] * 2


@pytest.mark.parametrize(
    "path", ["/operations/sign-in", "/operations/clients", "/operations/accounts/500001"]
)
def test_an_administrator_of_accounts_does_nothing_for_herself(town: web.House, path: str) -> None:
    client = at_work(town, "900001")
    for act in ("ask", "confirm", "disable", "enable"):
        client.post("/operations/sign-in", {"act": act, "number": "900001"})
    given = {"duty": "resident-records", "office": "hall-it", "start": "2026-01-01", "act": "assign"}
    client.post("/operations/accounts/900001", given)
    assert client.get("/people").status_code == 403
    assert client.get(path).status_code == 200
