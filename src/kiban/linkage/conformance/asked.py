"""What a contract asks of a provider's read API, tried by asking it."""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kiban.kernel import Problem
from kiban.linkage import api
from kiban.linkage.conformance.verifying import Result
from kiban.linkage.contracts.model import Contract, Feed
from kiban.linkage.message import CLEAR, PROTECTED, UNKNOWN

CHECKS = {
    "answers": ("契約の項目を答える", "利用側の画面に何も出ない"),
    "token": ("トークンのない要求、でたらめなトークンの要求を断る（401）", "誰でも住民の情報を読める"),
    "fields": ("求めた項目だけを答える", "業務に要らない個人情報が流れる"),
    "values": ("値が契約と標準のとおりである", "利用側が値を読み違える"),
    "bound": ("答えが問いに結び付き、欠けていない", "別の人の答えを取り違える"),
    "named": ("答えが契約とフローを示す", "どの約束による情報か分からない"),
    "purpose": ("事務・職員・事案・問いの番号のない要求を断る（400）", "何のために見たかが残らない"),
    "refused": ("契約にない項目・鍵の要求を断る（400）", "契約の外の情報が流れる"),
    "elsewhere": ("契約にないフローの要求を断る（403または404）", "他の業務の情報が流れる"),
    "nobody": ("いない人については空の答えを返す", "いないことと障害とを見分けられない"),
    "pages": ("分けて答えるとき、抜けも重なりもない", "続きの人が漏れる"),
    "protection": (
        "求めなくても支援措置の状態を添え、渡さない項目を空にする",
        "支援措置の対象者の住所が漏れる",
    ),
}
"""What is tried, and what goes wrong in a city whose provider does not do so."""

_PATIENCE = 60.0  # seconds
_NOBODY = "000000000000000"


@dataclass(frozen=True)
class Told:
    """An answer of HTTP: status, headers, body; it may hold personal data, so only the status is printed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


Ask = Callable[[str, Mapping[str, str], bytes], Told]
"""Asks a path by POST, with headers and a body."""


def asking(url: str) -> Ask:
    """Asks a provider at an address.

    Raises:
        Problem: `subject-address`; when asked, `subject-unreachable`.
    """
    if not url.startswith(("http://", "https://")):
        raise Problem("subject-address", "the address is not one of HTTP", url, "write https://HOST")

    def ask(path: str, headers: Mapping[str, str], body: bytes) -> Told:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked
            url.rstrip("/") + path, body, dict(headers), method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310
                return Told(answer.status, dict(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Told(error.code, dict(error.headers), error.read())
        except OSError as error:
            fix = "see whether it runs and can be reached from here"
            raise Problem("subject-unreachable", "the provider does not answer", url, fix) from error

    return ask


@dataclass
class _Trial:
    """One feed of one provider, asked as its consumer."""

    contract: Contract
    feed: Feed
    token: str
    units: Sequence[str]
    ask: Ask
    count: int = 0

    def put(self, fields: Sequence[str], units: Sequence[str], **more: Any) -> tuple[api.Envelope, Told]:
        """A question as it should be, but for what is given otherwise: `path`, `token`, `drop` a header, `keys`, `limit`, `after`."""
        self.count += 1
        path = more.pop("path", f"/link/{self.contract.flow}/{self.feed.name}")
        token, drop = more.pop("token", self.token), more.pop("drop", "")
        body = {"fields": list(fields), "keys": {self.feed.unit.romaji: list(units)}, **more}
        name = hashlib.sha256(f"{self.contract.digest}{self.count}".encode()).hexdigest()[:32]
        made = api.envelope(
            path, body, id=name, purpose=self.contract.purpose, user="適合試験", case="適合試験"
        )
        headers = {key: text for key, text in made.headers.items() if key != drop}
        headers |= {"Content-Type": "application/json"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        return made, self.ask(path, headers, made.body)

    def answer(self, fields: Sequence[str], units: Sequence[str], **more: Any) -> dict[str, Any]:
        """A proved answer.

        Raises:
            Problem: `answer-status`, and those of `api.proved`.
        """
        made, told = self.put(fields, units, **more)
        if told.status != 200:
            raise Problem("answer-status", f"the provider answered {told.status}")
        return api.proved(made, self.contract.consumer.id, told.headers, told.body)


def verify_api(contract: Contract, token: str, units: Sequence[str], ask: Ask) -> tuple[Result, ...]:
    """Ask a provider's read API everything that its contract asks of it.

    Args:
        contract: of the flow; `api` is one of its ways.
        token: a bearer token of the consumer for all feeds of the flow.
        units: invented persons or households that the provider holds for the test, at least two.
        ask: reaches it.

    Returns:
        A result for each of `CHECKS`; its faults tell no value.

    Raises:
        Problem: `verify-way` where the contract has no API, `verify-units` for fewer than two, `subject-unreachable`.
    """
    if "api" not in contract.ways:
        raise Problem("verify-way", f"{contract.flow} is not read by API", fix="verify it by its messages")
    if len(set(units)) < 2:
        fix = "give the numbers of two persons or more whom the provider holds for the test"
        raise Problem("verify-units", "the test needs two units or more", fix=fix)
    found: dict[str, list[str]] = {check: [] for check in CHECKS}
    for feed in contract.feeds:
        trial = _Trial(contract, feed, token, units, ask)
        for check, faults in _TRIALS.items():
            try:
                found[check] += [f"{feed.name}：{fault}" for fault in faults(trial)]
            except Problem as problem:
                if problem.code == "subject-unreachable":
                    raise
                found[check].append(f"{feed.name}：{problem.what}（{problem.code}）")
            except (KeyError, TypeError, ValueError):
                found[check].append(f"{feed.name}：答えの形が違う")
    return tuple(Result(check, *words, tuple(found[check])) for check, words in CHECKS.items())


def _answers(trial: _Trial) -> Iterator[str]:
    told = trial.answer(trial.feed.columns, trial.units, limit=1_000)
    if not told["rows"]:
        yield "試験のための人について1行も答えない"


def _token(trial: _Trial) -> Iterator[str]:
    for token, said in (("", "トークンなし"), ("detarame", "でたらめなトークン")):
        _, told = trial.put([trial.feed.unit.romaji], trial.units, token=token)
        if told.status != 401:
            yield f"{said}に {told.status} と答える"


def _fields(trial: _Trial) -> Iterator[str]:
    for fields in ([trial.feed.unit.romaji], list(trial.feed.columns)[:3]):
        rows = trial.answer(fields, trial.units)["rows"]
        if any(set(row["items"]) != set(fields) for row in rows):
            yield f"{len(fields)}項目を求めた答えに、ほかの項目がある、または足りない"


def _values(trial: _Trial) -> Iterator[str]:
    rows = trial.answer(trial.feed.columns, trial.units, limit=1_000)["rows"]
    for check in trial.feed.checks:
        name = check.item.romaji
        values = [row["items"][name] for row in rows if name not in row["withheld"]]
        if check.item.required and None in values:
            yield f"{name}：必須の値がない"
        if wrong := [problem for each in values if each is not None and (problem := check.problem(each))]:
            yield f"{name}：{wrong[0].what}（{wrong[0].code}）"


def _bound(trial: _Trial) -> Iterator[str]:
    first, told = trial.put([trial.feed.unit.romaji], trial.units[:1])
    api.proved(first, trial.contract.consumer.id, told.headers, told.body)
    second, _ = trial.put([trial.feed.unit.romaji], trial.units[1:2])
    try:
        api.proved(second, trial.contract.consumer.id, told.headers, told.body)
    except Problem:
        return
    yield "別の問いの答えとしても通ってしまう"


def _named(trial: _Trial) -> Iterator[str]:
    told = trial.answer([trial.feed.unit.romaji], trial.units)
    wanted = {"flow": trial.contract.flow, "feed": trial.feed.name, "contract": trial.contract.digest}
    yield from (f"{name} が契約のものでない" for name, value in wanted.items() if told.get(name) != value)


def _purpose(trial: _Trial) -> Iterator[str]:
    for name in (api.ID, api.PURPOSE, api.USER, api.CASE):
        _, told = trial.put([trial.feed.unit.romaji], trial.units, drop=name)
        if told.status != 400:
            yield f"{name} のない要求に {told.status} と答える"


def _refused(trial: _Trial) -> Iterator[str]:
    unit = trial.feed.unit.romaji
    outside = [item.romaji for item in trial.feed.group.items if item not in trial.feed.items]
    tries: list[tuple[str, list[str], dict[str, Any]]] = [
        ("項目を挙げない要求", [], {}),
        ("誰かを言わない要求", [unit], {"keys": {}}),
        ("契約にない項目", [unit, *outside[:1], "keiyakuninaikomoku"], {}),
        ("鍵でない項目での検索", [unit], {"keys": {"keiyakuninaikomoku": ["1"]}}),
    ]
    for said, fields, more in tries:
        _, told = trial.put(fields, trial.units, **more)
        if told.status != 400:
            yield f"{said}に {told.status} と答える"


def _elsewhere(trial: _Trial) -> Iterator[str]:
    for path in ("/link/hokanofuro.v1/jumin", f"/link/{trial.contract.flow}/hokanogurupu"):
        _, told = trial.put([trial.feed.unit.romaji], trial.units, path=path)
        if told.status not in (403, 404):
            yield f"契約にない宛先に {told.status} と答える"


def _nobody(trial: _Trial) -> Iterator[str]:
    if trial.answer([trial.feed.unit.romaji], [_NOBODY])["rows"]:
        yield "いない人について行を答える"


def _pages(trial: _Trial) -> Iterator[str]:
    key = list(trial.feed.key)
    whole = [_place(row, key) for row in trial.answer(key, trial.units, limit=1_000)["rows"]]
    parts: list[tuple[str, ...]] = []
    after: str | None = None
    for _ in range(len(whole) + 2):
        more: dict[str, Any] = {"after": after} if after else {}
        told = trial.answer(key, trial.units, limit=1, **more)
        parts += [_place(row, key) for row in told["rows"]]
        if not (after := told.get("next")):
            break
    if parts != whole:
        yield f"一度に{len(whole)}行のものが、分けると{len(parts)}行になる、または順が違う"


def _place(row: Mapping[str, Any], key: Iterable[str]) -> tuple[str, ...]:
    return tuple(str(row["items"][name]) for name in key)


def _protection(trial: _Trial) -> Iterator[str]:
    hidden = trial.contract.protection.withheld.get(trial.feed.name, frozenset())
    told = trial.answer(trial.feed.columns, trial.units, limit=1_000)
    if datetime.fromisoformat(told["protection_until"]).tzinfo is None:
        yield "支援措置の状態をいつまで使えるかを示していない"
    for row in told["rows"]:
        state = row["protection"]["state"]
        if state not in (CLEAR, PROTECTED, UNKNOWN):
            yield "支援措置の状態がない"
        elif state != CLEAR and (
            named := [name for name in sorted(hidden) if row["items"][name] is not None]
        ):
            yield f"対象者（または不明の人）の渡してはならない項目がある：{'、'.join(named)}"
        elif state != CLEAR and not hidden <= set(row["withheld"]):
            yield "空にした項目を示していない"


_TRIALS: dict[str, Callable[[_Trial], Iterator[str]]] = {
    "answers": _answers,
    "token": _token,
    "fields": _fields,
    "values": _values,
    "bound": _bound,
    "named": _named,
    "purpose": _purpose,
    "refused": _refused,
    "elsewhere": _elsewhere,
    "nobody": _nobody,
    "pages": _pages,
    "protection": _protection,
}
