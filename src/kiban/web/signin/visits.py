# mypy: disable-error-code="import-untyped"
"""Sign-ins of people at other systems: what such a system holds belongs to one, and ends with it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from allauth.idp.oidc.models import Token
from django.db import transaction
from django.http import HttpRequest

from kiban.web.city import City
from kiban.web.signin import farewell, lines, strength
from kiban.web.signin.models import Account, Spent, Visit

LONGEST = timedelta(hours=12)
"""How long a system may hold tokens of one sign-in, however often it renews them."""
_CODE, _REFRESH = "authorization_code", "refresh_token"


def begin(request: HttpRequest, account: Account, client: str, issuer: str, code: str, scopes: str) -> None:
    """A person signs in at a system: it gets a code."""
    now = lines.city_of(request).now()
    Visit.objects.filter(ends_at__lte=now).delete()
    Visit.objects.create(
        account=account,
        client_id=client,
        session=request.session.session_key,
        code=_digest(code),
        issuer=issuer,
        scopes=scopes,
        began_at=now,
        shown_at=datetime.fromtimestamp(strength.shown_at(request), UTC),
        ends_at=now + LONGEST,
    )


def asked(form: Mapping[str, str]) -> Visit | None:
    """The sign-in for which a system asks for tokens, locked until the transaction ends; None where it shows nothing of one."""
    held = Visit.objects.select_for_update()
    if form.get("grant_type") == _CODE:
        return held.filter(code=_digest(form.get("code", ""))).first()
    if form.get("grant_type") == _REFRESH:
        digest = _digest(form.get("refresh_token", ""))
        token = Token.objects.filter(type=Token.Type.REFRESH_TOKEN, hash=digest).first()
        return held.filter(pk=(token.data or {}).get("visit") if token else None).first()
    return None


def given(visit: Visit, form: Mapping[str, str], tokens: Iterable[str]) -> bool:
    """Bind tokens that were just given out to their sign-in; False where its code had been redeemed before."""
    if form["grant_type"] == _CODE:
        if visit.redeemed:
            return False
        visit.redeemed = True
        visit.save(update_fields=["redeemed"])
    else:
        Spent.objects.create(digest=_digest(form["refresh_token"]), visit=visit)
    for each in Token.objects.filter(hash__in=[_digest(value) for value in tokens]):
        each.data = {**(each.data or {}), "visit": visit.pk}
        each.expires_at = min(each.expires_at, visit.ends_at)
        each.save(update_fields=["data", "expires_at"])
    return True


def shown_again(form: Mapping[str, str]) -> Visit | None:
    """The sign-in whose code or refresh token was shown a second time: somebody has it who should not."""
    if form.get("grant_type") == _CODE:
        return Visit.objects.filter(code=_digest(form.get("code", "")), redeemed=True).first()
    spent = Spent.objects.filter(digest=_digest(form.get("refresh_token", ""))).first()
    return spent.visit if spent else None


def end(city: City, ended: Iterable[Visit]) -> None:
    """End sign-ins: their tokens are gone, and the systems that want to know are told once this holds."""
    found = list(ended)
    if not found:
        return
    letters = farewell.letters(city, found)
    numbers = [each.pk for each in found]
    with transaction.atomic():
        Token.objects.filter(data__visit__in=numbers).delete()
        Visit.objects.filter(pk__in=numbers).delete()
        transaction.on_commit(lambda: farewell.send(city, letters))


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()
