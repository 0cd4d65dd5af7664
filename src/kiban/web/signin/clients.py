# mypy: disable-error-code="import-untyped"
"""Systems that sign people in here by OpenID Connect."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from allauth.idp.oidc.models import Client
from django.db import transaction

from kiban.kernel import Problem
from kiban.web.city import City
from kiban.web.signin import farewell, lines
from kiban.web.signin.lines import By
from kiban.web.signin.wishes import Wish, check


@dataclass(frozen=True)
class Clients:
    """The systems of a city that sign people in here. Django has to be set up and connected.

    Attributes:
        city: whose.
    """

    city: City

    def register(self, wish: Wish, who: By) -> tuple[str, str]:
        """Register a system.

        Returns:
            Its ID, and its secret, which is shown once; "" for a public one.

        Raises:
            Problems: those of `wishes.check`.
        """
        check(wish)
        secret = "" if wish.public else secrets.token_urlsafe(32)
        grants = [
            Client.GrantType.AUTHORIZATION_CODE,
            *([Client.GrantType.REFRESH_TOKEN] if wish.refresh else []),
        ]
        client = Client(
            name=wish.name,
            type=Client.Type.PUBLIC if wish.public else Client.Type.CONFIDENTIAL,
            skip_consent=wish.own,
            scopes="\n".join(dict.fromkeys(["openid", *wish.scopes])),
            default_scopes="openid",
            grant_types="\n".join(grants),
            redirect_uris="\n".join(wish.redirects),
            response_types="code",
        )
        client.set_secret(secret or secrets.token_urlsafe(32))
        client.set_post_logout_redirect_uris(list(wish.after))
        if wish.farewell:
            client.data["client_metadata"][farewell.WHERE] = wish.farewell
        with transaction.atomic():
            client.save(force_insert=True)
            lines.setting(
                self.city, who, "client-registered", client=client.id, own=wish.own, public=wish.public
            )
        return str(client.id), secret

    def renew(self, client_id: str, who: By) -> str:
        """A fresh secret of a system; the old one holds no more.

        Raises:
            Problem: `client-unknown`, `client-public` where it has none.
        """
        secret = secrets.token_urlsafe(32)
        with transaction.atomic():
            client = _found(client_id)
            if client.type == Client.Type.PUBLIC:
                raise Problem("client-public", "the system keeps no secret", fix="register it anew with one")
            client.set_secret(secret)
            client.save(update_fields=["secret"])
            lines.setting(self.city, who, "client-secret-renewed", client=client_id)
        return secret

    def remove(self, client_id: str, who: By) -> None:
        """Remove a system, and every token that it holds.

        Raises:
            Problem: `client-unknown`.
        """
        with transaction.atomic():
            _found(client_id).delete()
            lines.setting(self.city, who, "client-removed", client=client_id)

    def registered(self) -> Sequence[Client]:
        """All systems, by their names."""
        return list(Client.objects.order_by("name", "id"))


def _found(client_id: str) -> Client:
    client = Client.objects.select_for_update().filter(id=client_id).first()
    if client is None:
        raise Problem(
            "client-unknown", "no such system is registered", fix="kiban oidc client list shows all"
        )
    return client
