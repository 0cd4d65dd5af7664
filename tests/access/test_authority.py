"""Systems sign in as the common-function standard says, and in no other way."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiban import access
from kiban.access import FAILURES, WINDOW, Access, Asked, Authority, Credentials, Registration, Scope
from kiban.kernel import Problem, Problems

from .conftest import ISSUER, NUMBERING, READING, Clock, ask, signed, token


def basic(given: Credentials) -> str:
    return "Basic " + base64.b64encode(f"{given.client_id}:{given.secret}".encode()).decode()


def refusal(authority: Authority, form: dict[str, list[str]], scope: Any = NUMBERING, **more: Any) -> str:
    answer = ask(authority, form, scope, **more)
    assert answer.status in (400, 401, 403, 429)
    assert "access_token" not in answer.body
    return str(answer.body["error"])


def test_a_client_id_has_32_letters_and_digits_and_a_secret_at_least_32(library_card: Credentials) -> None:
    assert library_card.client_id.isalnum() and len(library_card.client_id) == 32
    assert library_card.secret.isalnum() and len(library_card.secret) >= 32
    assert library_card.secret not in repr(library_card)


def test_a_token_lives_ten_minutes_and_not_a_second_more(
    authority: Authority, library_card: Credentials, clock: Clock
) -> None:
    answer = ask(authority, signed(library_card, clock))
    assert answer.status == 200
    assert answer.body["expires_in"] == 600
    assert answer.body["token_type"] == "Bearer"
    assert answer.body["scope"] == str(NUMBERING)
    assert "refresh_token" not in answer.body
    assert answer.headers["Cache-Control"] == "no-store"
    found = authority.tokens.find(answer.body["access_token"])
    assert found is not None
    clock.forward(seconds=599)
    assert found.good(clock())
    clock.forward(seconds=1)
    assert not found.good(clock())


@pytest.mark.parametrize("seconds", [0, 601, 3600])
def test_a_longer_life_is_refused(opened: Access, clock: Clock, seconds: int) -> None:
    with pytest.raises(Problems, match="token-life"):
        opened.systems.add(Registration("Z02", "試験", seconds=seconds), clock())


def test_a_shorter_life_is_kept(authority: Authority, opened: Access, clock: Clock) -> None:
    short = opened.systems.add(
        Registration("Z02", "試験", scopes=frozenset({NUMBERING}), seconds=60), clock()
    )
    assert ask(authority, signed(short, clock)).body["expires_in"] == 60


def test_a_system_has_one_client(opened: Access, library_card: Credentials, clock: Clock) -> None:
    with pytest.raises(Problem, match="system-known"):
        opened.systems.add(Registration("Z01", "もう一つ"), clock())


def test_every_fault_of_a_registration_is_told_at_once(opened: Access, clock: Clock) -> None:
    with pytest.raises(Problems) as told:
        opened.systems.add(Registration("図書館", " ", seconds=0, basic_until=date(2020, 1, 1)), clock())
    assert [p.code for p in told.value.problems] == [
        "system-id",
        "system-unnamed",
        "token-life",
        "basic-over",
    ]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"aud": "https://elsewhere.example"}, "invalid_client"),
        ({"aud": None}, "invalid_client"),
        ({"exp": None}, "invalid_client"),
        ({"iat": None}, "invalid_client"),
        ({"jti": None}, "invalid_client"),
        ({"jti": ""}, "invalid_client"),
        ({"iss": "somebody else"}, "invalid_client"),
        ({"exp": 1}, "invalid_client"),
        ({"exp": 10**12}, "invalid_client"),
        ({"iat": 10**12}, "invalid_client"),
        ({"sub": None}, "invalid_client"),
        ({"sub": "x" * 32}, "invalid_client"),
        ({"exp": "soon"}, "invalid_client"),
    ],
)
def test_an_assertion_that_says_something_else_is_refused(
    authority: Authority, library_card: Credentials, clock: Clock, fault: dict[str, Any], error: str
) -> None:
    assert refusal(authority, signed(library_card, clock, **fault)) == error


def test_the_issuer_and_the_endpoint_are_both_the_audience(
    authority: Authority, library_card: Credentials, clock: Clock
) -> None:
    for number, audience in enumerate([ISSUER, ISSUER + "/oauth/token", [ISSUER, "https://other.example"]]):
        assert ask(authority, signed(library_card, clock, aud=audience, jti=str(number))).status == 200


def test_an_assertion_is_good_once(authority: Authority, library_card: Credentials, clock: Clock) -> None:
    form = signed(library_card, clock)
    assert ask(authority, form).status == 200
    answer = ask(authority, form)
    assert (answer.status, answer.body["error_description"]) == (401, "jti was used before")


def test_only_hs256_signs(authority: Authority, library_card: Credentials, clock: Clock) -> None:
    assert refusal(authority, signed(library_card, clock, "HS512")) == "invalid_client"
    unsigned = signed(library_card, clock)
    head = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    unsigned["client_assertion"] = [f"{head}.{unsigned['client_assertion'][0].split('.')[1]}."]
    assert refusal(authority, unsigned) == "invalid_client"


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "é.é.é", "." * 3000, "e30.e30.e30"])
def test_what_is_no_assertion_is_refused(authority: Authority, text: str) -> None:
    kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    form = {"client_assertion_type": [kind], "client_assertion": [text]}
    assert refusal(authority, form) == "invalid_client"


def test_basic_is_refused_unless_the_registration_says_so(
    authority: Authority, library_card: Credentials, opened: Access, clock: Clock
) -> None:
    assert refusal(authority, {}, authorization=basic(library_card)) == "invalid_client"
    until = clock().date() + timedelta(days=30)
    old = opened.systems.add(
        Registration("Z03", "旧", scopes=frozenset({NUMBERING}), basic_until=until), clock()
    )
    assert ask(authority, {}, authorization=basic(old)).status == 200
    clock.forward(days=30)
    assert refusal(authority, {}, authorization=basic(old)) == "invalid_client"
    assert ask(authority, signed(old, clock)).status == 200


def test_secrets_in_the_body_and_two_ways_at_once_are_refused(
    authority: Authority, library_card: Credentials, clock: Clock
) -> None:
    body = {"client_id": [library_card.client_id], "client_secret": [library_card.secret]}
    assert refusal(authority, body) == "invalid_request"
    both = signed(library_card, clock)
    assert refusal(authority, both, authorization=basic(library_card)) == "invalid_request"
    assert refusal(authority, {**both, "scope": [str(NUMBERING)] * 2}) == "invalid_request"


@pytest.mark.parametrize(
    "header", ["Basic", "Basic =", "Basic 4pyT8J+Yig", "Basic /w==", "Bearer x", "Basic Og=="]
)
def test_a_broken_header_is_refused(authority: Authority, header: str) -> None:
    assert refusal(authority, {}, authorization=header) in ("invalid_client", "invalid_request")


def test_nobody_is_told_whether_the_client_or_the_secret_was_wrong(
    authority: Authority, library_card: Credentials, clock: Clock
) -> None:
    wrong = replace(library_card, secret="x" * 43)
    unknown = Credentials("y" * 32, "x" * 43)
    assert ask(authority, signed(wrong, clock)) == ask(authority, signed(unknown, clock))


def test_a_token_is_for_one_provider(authority: Authority, library_card: Credentials, clock: Clock) -> None:
    assert refusal(authority, signed(library_card, clock), f"{NUMBERING} {READING}") == "invalid_scope"


@pytest.mark.parametrize(
    "scope",
    ["", "everything", "031:app_submit/v10/jutogaishaatenabangofuban:Delete", "002:a:Read", "031:あ:Read"],
)
def test_only_what_a_contract_or_the_registration_grants_is_given(
    authority: Authority, library_card: Credentials, clock: Clock, scope: str
) -> None:
    assert refusal(authority, signed(library_card, clock), scope) == "invalid_scope"


def test_a_contract_grants_its_scope(authority: Authority, library_card: Credentials, clock: Clock) -> None:
    found = authority.tokens.find(token(authority, library_card, clock, READING))
    assert found is not None
    assert (found.provider, found.system, found.scopes) == ("001", "Z01", frozenset({READING}))


@pytest.mark.parametrize("grant", ["password", "refresh_token", "authorization_code", ""])
def test_there_is_no_other_grant(
    authority: Authority, library_card: Credentials, clock: Clock, grant: str
) -> None:
    form = {**signed(library_card, clock), "grant_type": [grant]}
    assert refusal(authority, form) == "unsupported_grant_type"


def introspect(authority: Authority, given: Credentials, clock: Clock, value: str) -> access.Answer:
    form = {**signed(given, clock, jti=f"i{clock.at.timestamp()}{value[:9]}"), "token": [value]}
    return authority.answer(Asked("introspection", form, "", "192.0.2.1"))


def test_a_provider_learns_of_tokens_for_itself_and_of_no_other(
    authority: Authority, library_card: Credentials, provider: Credentials, clock: Clock
) -> None:
    numbering = token(authority, library_card, clock)
    answer = introspect(authority, provider, clock, numbering)
    assert answer.status == 200
    assert answer.body["active"] is True
    assert (answer.body["sub"], answer.body["aud"]) == ("Z01", "031")
    assert answer.body["scope"] == str(NUMBERING)
    clock.forward(seconds=1)
    reading = token(authority, library_card, clock, READING)
    assert introspect(authority, provider, clock, reading).body == {"active": False}
    assert introspect(authority, provider, clock, "never given out").body == {"active": False}
    clock.forward(seconds=600)
    assert introspect(authority, provider, clock, numbering).body == {"active": False}


def test_a_consumer_may_not_ask_about_tokens(
    authority: Authority, library_card: Credentials, clock: Clock
) -> None:
    answer = introspect(authority, library_card, clock, token(authority, library_card, clock))
    assert (answer.status, answer.body["error"]) == (403, "unauthorized_client")


def test_a_revoked_token_is_refused_at_once_and_another_clients_cannot_be_revoked(
    authority: Authority, library_card: Credentials, provider: Credentials, clock: Clock
) -> None:
    value = token(authority, library_card, clock)

    def revoke(given: Credentials) -> access.Answer:
        form = {**signed(given, clock, jti="revoke"), "token": [value]}
        return authority.answer(Asked("revocation", form, "", "192.0.2.1"))

    assert revoke(provider).body["error"] == "invalid_grant"
    found = authority.tokens.find(value)
    assert found is not None and found.good(clock())
    assert revoke(library_card).status == 200
    found = authority.tokens.find(value)
    assert found is not None and not found.good(clock())


def test_a_revoked_system_has_no_token_and_no_way_in(
    authority: Authority, library_card: Credentials, opened: Access, clock: Clock
) -> None:
    value = token(authority, library_card, clock)
    opened.systems.revoke("Z01", clock())
    found = authority.tokens.find(value)
    assert found is not None and not found.good(clock())
    assert refusal(authority, signed(library_card, clock, jti="later")) == "invalid_client"
    assert (
        opened.systems.add(Registration("Z01", "図書館カード"), clock()).client_id != library_card.client_id
    )


def test_two_secrets_are_good_during_a_rotation_and_never_three(
    authority: Authority, library_card: Credentials, opened: Access, clock: Clock
) -> None:
    second = opened.systems.rotate("Z01", clock(), timedelta(days=7))
    assert second.client_id == library_card.client_id
    for number, given in enumerate((library_card, second)):
        assert ask(authority, signed(given, clock, jti=str(number))).status == 200
    third = opened.systems.rotate("Z01", clock(), timedelta(days=7))
    assert refusal(authority, signed(library_card, clock, jti="a")) == "invalid_client"
    assert ask(authority, signed(second, clock, jti="b")).status == 200
    clock.forward(days=7)
    assert refusal(authority, signed(second, clock, jti="c")) == "invalid_client"
    assert ask(authority, signed(third, clock, jti="d")).status == 200


def test_who_guesses_is_locked_out_from_where_it_guesses(
    authority: Authority, library_card: Credentials, clock: Clock
) -> None:
    wrong = replace(library_card, secret="x" * 43)
    for _ in range(FAILURES):
        assert refusal(authority, signed(wrong, clock)) == "invalid_client"
    locked = ask(authority, signed(library_card, clock))
    assert locked.status == 429
    assert int(locked.headers["Retry-After"]) == WINDOW.total_seconds()
    assert ask(authority, signed(library_card, clock), address="192.0.2.2").status == 200
    clock.forward(seconds=WINDOW.total_seconds() + 1)
    assert ask(authority, signed(library_card, clock)).status == 200


def test_no_secret_and_no_token_lies_in_the_database_in_clear(
    authority: Authority, library_card: Credentials, opened: Access, clock: Clock
) -> None:
    value = token(authority, library_card, clock)
    with opened.books.transaction() as page:
        written = "".join(
            str(page.rows(f"SELECT * FROM {table}")) for table in ("system", "secret", "token", "assertion")
        )
    assert library_card.secret not in written and value not in written


def test_the_key_file_is_for_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "home" / "access.key"
    first = access.seal(file)
    assert file.stat().st_mode & 0o777 == 0o600
    assert access.seal(file).open("me", first.close("me", "秘密")) == "秘密"
    with pytest.raises(Problem, match="secret-unreadable"):
        first.open("you", first.close("me", "秘密"))
    with pytest.raises(Problem, match="secret-unreadable"):
        access.seal(tmp_path / "other.key").open("me", first.close("me", "秘密"))
    file.chmod(0o644)
    with pytest.raises(Problem, match="access-key-open"):
        access.seal(file)
    file.chmod(0o600)
    file.write_text("short")
    with pytest.raises(Problem, match="access-key-broken"):
        access.seal(file)


def test_it_says_what_it_is(authority: Authority) -> None:
    about = authority.metadata()
    assert about["issuer"] == ISSUER
    assert about["token_endpoint_auth_methods_supported"] == ["client_secret_jwt", "client_secret_basic"]
    assert about["token_endpoint_auth_signing_alg_values_supported"] == ["HS256"]
    assert about["grant_types_supported"] == ["client_credentials"]


def test_an_address_without_tls_is_refused(opened: Access, clock: Clock) -> None:
    with pytest.raises(Problem, match="issuer-insecure"):
        Authority(opened.systems, opened.tokens, opened.guard, "http://kiban.example", lambda _: (), clock)


def test_old_tokens_and_assertions_are_forgotten(
    authority: Authority, library_card: Credentials, opened: Access, clock: Clock
) -> None:
    value = token(authority, library_card, clock)
    clock.forward(days=2)
    token(authority, library_card, clock)
    assert authority.tokens.find(value) is None
    with opened.books.transaction() as page:
        assert [row["n"] for row in page.rows("SELECT count(*) AS n FROM assertion")] == [1]


@pytest.mark.parametrize(
    "text", ["031:a", "31:a:Read", "031:/a:Read", "031:a:read", "031:a b:Read", "031:a:Read\n"]
)
def test_what_is_no_scope_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="scope-unreadable"):
        Scope.parse(text)
