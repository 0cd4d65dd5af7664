"""What `kiban serve` and the commands of systems wire together."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from kiban import access, linkage, main, settings, web
from kiban.access import Access, Authority, audit
from kiban.cli.upkeeping import Keeping, keep_up
from kiban.kernel import ALL_WARDS, JAPAN, Actor, Problem
from kiban.linkage import Contract, api, evidence, protection
from kiban.settings import Settings
from kiban.store import Books, Store

_RESIDENTS = "resident"
SEALING_SECONDS = 300
"""How long a line waits for its seal at most, where nobody runs `kiban audit seal` besides."""
log = logging.getLogger("kiban.web")


@dataclass(frozen=True)
class Service:
    """How the API is to be served.

    Attributes:
        issuer: its address as other systems write it.
        hosts: names under which requests may come.
        keys: trusted public keys of contracts, hex.
        roots: folders with contracts, besides those of the settings.
        title: the name of the city, on its pages.
        policies: folders of the policy set.
        metrics: networks that may read /metrics, besides this machine.
        proxies: how many proxies of the city stand before it.
        sessions: how many sessions one person may have at once.
        searches: how many pages of the search one person may open within ten minutes, at each worker.
    """

    issuer: str
    hosts: tuple[str, ...]
    keys: tuple[str, ...]
    roots: tuple[Path, ...] = ()
    title: str = "基盤"
    policies: tuple[Path, ...] = (access.REFERENCE,)
    metrics: tuple[str, ...] = ()
    proxies: int = 0
    sessions: int = web.City.sessions
    searches: int = web.City.searches

    @property
    def secure(self) -> bool:
        """Whether browsers reach it by TLS alone."""
        return self.issuer.startswith("https:")


def now() -> datetime:
    """The time in UTC."""
    return datetime.now(UTC)


@contextmanager
def opened() -> Iterator[tuple[Settings, Store, Access, Books]]:
    """The settings, the registers, the systems and the books of the linkage.

    Raises:
        Problem: what keeps one of them from opening.
    """
    given = settings.read(os.environ)
    with ExitStack() as stack:
        city = stack.enter_context(main.open_store(given))
        folders = given.policies or (access.REFERENCE,)
        systems = stack.enter_context(
            access.open_access(city, access.seal(given.home / "access.key"), folders)
        )
        books = stack.enter_context(linkage.open_linkage(city))
        yield given, city, systems, books


def house(service: Service, given: Settings, city: Store, systems: Access, books: Books) -> web.House:
    """The parts behind the addresses, from what is opened.

    Raises:
        Problem: `issuer-insecure`; what is wrong with a contract.
    """
    secret = evidence.city_secret(given.home / "linkage" / "evidence.secret")
    contracts = linkage.load_contracts([*given.contracts, *service.roots], city.library)

    def live(day: date) -> Sequence[Contract]:
        return contracts.live(day, service.keys)

    reading = api.Reading(
        city, live, evidence.BookLedger(books).append, secret, protections(city, books, contracts), now, books
    )
    spec = api.numbering_spec(city.library)
    numbering = api.Numbering(spec, city, api.Numbers(books, secret), secret, now)
    authority = Authority(systems.systems, systems.tokens, systems.guard, service.issuer, reading.scopes, now)

    def healthy() -> None:
        city.tables()
        with systems.books.transaction() as page:
            page.rows("SELECT 1")

    loopback = ("127.0.0.0/8", "::1/128")
    served = web.House(authority, reading, numbering, healthy, now, service.hosts)
    return replace(served, metrics=(*loopback, *service.metrics), proxies=service.proxies)


def pages(
    service: Service, given: Settings, city: Store, systems: Access, books: Books | None = None
) -> web.City:
    """What pages of people at work stand on, from what is opened; accounts were installed before, see `install`.

    Args:
        service: how it is to be served.
        given: the settings.
        city: the registers.
        systems: the room `access`.
        books: of the linkage; None where its status is not shown.

    Raises:
        Problems: what is wrong with the policy set, or with a contract.
    """
    policies = access.load_policies(service.policies, city.library)
    folder = given.home / "signin"
    accounts = web.reach_accounts(city)
    made = web.City(service.title, city, systems, policies, accounts, now, folder, given.home / "extracts")
    return replace(
        made,
        flows=_flows(service, given, city, books) if books else None,
        keeping=given.home / "audit",
        migrations=given.home / "migrations",
        sessions=service.sessions,
        searches=service.searches,
    )


def _flows(
    service: Service, given: Settings, city: Store, books: Books
) -> Callable[[], Sequence[linkage.status.FlowView]] | None:
    """How the flows of the contracts at hand stand, asked anew each time; None where there is no contract."""
    contracts = linkage.load_contracts([*given.contracts, *service.roots], city.library)
    if not tuple(contracts):
        return None

    def views() -> Sequence[linkage.status.FlowView]:
        moment = now()
        today = moment.astimezone(JAPAN).date()
        return linkage.status.views(city, books, contracts.in_force(today), main.shelf(given), moment)

    return views


def keep_sealing(trail: audit.Audit, keeper: audit.Keeper) -> None:
    """Seal the audit trail every few minutes, beside the work of the process; what hinders it stands in the log."""

    def run() -> None:
        while True:
            time.sleep(SEALING_SECONDS)
            try:
                audit.seal_trail(audit.Ledger(trail), keeper, now())
            except Problem as problem:
                log.error("the audit trail cannot be sealed: %s (%s)", problem.what, problem.code)

    threading.Thread(target=run, name="sealing", daemon=True).start()


def install(service: Service, given: Settings, city: Store) -> None:
    """Make or update the tables of accounts, once, before workers begin; this process keeps no connection of them."""
    web.install_accounts(city, web.web_secret(given.home / "web.secret"), secure=service.secure)
    web.install_signing_keys(given.home / "signin", now())


def protections(city: Store, books: Books, contracts: Iterable[Contract]) -> api.Protections:
    """How persons are protected, as the lane of protection knows after all events; everybody is unknown where it cannot tell."""
    actor = Actor("kiban", None, ALL_WARDS, "支援措置の伝達", protected=True)
    given = [each for each in contracts if each.provider.business == _RESIDENTS]
    try:
        lane = protection.Lane(city, books, given, _RESIDENTS, actor)
        lane.prepare(now())
    except Problem as problem:
        log.warning("nobody can be told to be clear: %s (%s)", problem.what, problem.code)
        return api.nothing_known

    caught_up = _Shared(lambda: lane.catch_up(now()))

    def known(contract: Contract, units: Sequence[str]) -> Mapping[str, tuple[str, int]]:
        event = caught_up()
        return dict(zip(units, lane.states(contract, [(unit, event) for unit in units]), strict=True))

    return known


class _Shared:
    """Calls of one instant share one run, which begins after each of them came: as fresh as a run of one's own."""

    def __init__(self, run: Callable[[], int]) -> None:
        self._run, self._turn, self._begun, self._last = run, threading.Lock(), 0, 0

    def __call__(self) -> int:
        wanted = self._begun + 1  # one under way may have begun too early
        with self._turn:
            if self._begun < wanted:
                self._begun += 1
                try:
                    self._last = self._run()
                except BaseException:
                    self._begun -= 1  # nobody who waits may take the one before for it
                    raise
            return self._last


def loader(service: Service) -> Callable[[], Any]:
    """What makes the application in a worker, after it was forked: no connection is shared with another process."""

    def load() -> Any:
        stack = ExitStack()
        atexit.register(stack.close)  # ends with the process, and is held until then
        given, city, systems, books = stack.enter_context(opened())
        served = house(service, given, city, systems, books)
        served = replace(served, city=pages(service, given, city, systems, books))
        keep_sealing(systems.audit, audit.keeper(given.home / "audit"))
        assert served.city is not None
        keep_up(Keeping(city, systems, served.city.policies, service.policies, given.home / "audit", now))
        return web.application(served, web.web_secret(given.home / "web.secret"))

    return load


__all__ = ["Service", "house", "install", "keep_sealing", "loader", "now", "opened", "pages", "protections"]
