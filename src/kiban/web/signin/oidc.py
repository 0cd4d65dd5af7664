# mypy: disable-error-code="import-untyped, misc"
"""The city as an OpenID Connect provider: what allauth asks it for."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable
from typing import Any, Literal

from allauth.core import context
from allauth.idp.oidc.adapter import DefaultOIDCAdapter
from allauth.idp.oidc.models import PrivateKey
from django.http import Http404
from oauthlib.oauth2.rfc6749.errors import InvalidTokenError

from kiban.web.city import City, today
from kiban.web.house import NAME
from kiban.web.signin import keys, lines
from kiban.web.signin.accounts import Accounts
from kiban.web.signin.models import Account
from kiban.web.signin.wishes import SCOPES

VISIT = "kiban.visit"
"""Under which the environment of a request for tokens says for which sign-in."""
_ENDPOINTS = {
    "authorization_endpoint": "/identity/o/authorize",
    "end_session_endpoint": "/identity/o/logout",
    "jwks_uri": "/.well-known/jwks.json",
    "revocation_endpoint": "/identity/o/api/revoke",
    "token_endpoint": "/identity/o/api/token",
    "userinfo_endpoint": "/identity/o/api/userinfo",
}


class Provider(DefaultOIDCAdapter):
    """Says who somebody is, and signs it."""

    scope_display = SCOPES

    def get_issuer(self) -> str:
        """The city, as the house says it; whatever name a request came by."""
        return str(context.request.META[NAME].authority.issuer)

    def generate_client_secret(self) -> str:
        """256 bits."""
        return secrets.token_urlsafe(32)

    def list_private_keys(self, **_: Any) -> list[PrivateKey]:
        """All keys that are known: the next one too, so that nobody meets it unawares."""
        return [_private(each) for each in _held()]

    def get_signing_key(self) -> PrivateKey:
        """The current key."""
        return next(_private(each) for each in _held() if each.state == "current")

    def get_user_sub(self, client: Any, user: Any) -> str:
        """What systems know a person by: never the staff number."""
        return str(user.subject.hex)

    def get_user_by_sub(self, client: Any, sub: str) -> Account | None:
        """The account; None where there is none, or the person may not sign in any more."""
        try:
            account = Account.objects.filter(subject=uuid.UUID(hex=sub)).first()
        except ValueError:
            return None
        return account if account and Accounts(_city()).may_sign_in(account) else None

    def get_claims(
        self,
        purpose: Literal["id_token", "userinfo"],
        user: Any,
        client: Any,
        scopes: Iterable[str],
        **_: Any,
    ) -> dict[str, Any]:
        """What is said of a person, by the scopes that the system may see.

        Raises:
            InvalidTokenError: where the person may not sign in any more.
        """
        city = _city()
        if not Accounts(city).may_sign_in(user):
            raise InvalidTokenError()
        claims: dict[str, Any] = {"sub": self.get_user_sub(client, user)}
        if "profile" in scopes:
            claims["name"] = city.people.staff(user.number).name
        if "kiban" in scopes:
            claims |= {"staff_number": user.number, "duties": _duties(city, user.number)}
        return claims

    def populate_id_token(self, id_token: dict[str, Any], client: Any, scopes: Any, **_: Any) -> None:
        """Which sign-in it is of, and when a factor was shown last by then."""
        visit = context.request.META[VISIT]
        id_token |= {"sid": visit.sid.hex, "auth_time": int(visit.shown_at.timestamp())}

    def populate_server_metadata(self, data: dict[str, Any]) -> None:
        """Only what there is."""
        issuer = self.get_issuer()
        data.pop("device_authorization_endpoint", None)
        data.update({name: issuer + path for name, path in _ENDPOINTS.items()})
        data.update(
            {
                "scopes_supported": list(SCOPES),
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "backchannel_logout_supported": True,
                "backchannel_logout_session_supported": True,
                "claims_supported": ["sub", "sid", "auth_time", "name", "staff_number", "duties"],
                "prompt_values_supported": ["none", "login"],
                "request_parameter_supported": False,
                "request_uri_parameter_supported": False,
            }
        )


def _duties(city: City, number: str) -> list[dict[str, Any]]:
    """What somebody is assigned to today, each with its office and ward."""
    found = []
    for each in city.people.assignments(number, today(city)):
        office = city.people.office(each.office)
        until = each.end.isoformat() if each.end else None
        said = {"duty": each.duty, "office": office.id, "office_name": office.name, "ward": office.ward}
        found.append({**said, "until": until, "substitutes": each.substitutes is not None})
    return found


def _city() -> City:
    return lines.city_of(context.request)


def _held() -> Iterable[keys.Key]:
    home = _city().home
    if home is None:
        raise Http404
    return keys.read(home)


def _private(key: keys.Key) -> PrivateKey:
    return PrivateKey(pem=key.pem, issued_at=key.since)
