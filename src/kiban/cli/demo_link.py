"""The demonstration goes on: the migrated city feeds three systems, people move, and every side is shown equal."""

from __future__ import annotations

import asyncio
import re
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiban import linkage, main, sets, store
from kiban.cli import demo_moves, linking
from kiban.kernel import Problem
from kiban.linkage import events, evidence, files, reconcile
from kiban.settings import Settings
from kiban.store import Books, Store

TAX, LEGACY, LIBRARY = "resident-tax.v1", "resident-tax-legacy.v1", "resident-library.v1"
MOVES = 5
_DUE_SETS = (
    re.compile(r"^ +- \{kind: (full|delta),.*\n", re.M),
    re.compile(r"^ +- property: x-due\n +value:\n(?! +- \{kind)", re.M),
)


@dataclass(frozen=True)
class Line:
    """What the three systems hang on.

    Attributes:
        given: the settings of the demonstration.
        opened: the registers.
        books: of the linkage.
        known: the contracts, signed by the city.
        key: of the city.
        say: prints a line.
    """

    given: Settings
    opened: Store
    books: Books
    known: linkage.Contracts
    key: sets.Signer
    say: Any


def forget(given: Settings) -> None:
    """Nothing of an earlier demonstration stays: no broker, set, replica or contract."""
    linkage.broker.Broker(given.home).destroy()
    for name in ("contracts", "consumers", "sets", "files", "linkage", "trusted"):
        shutil.rmtree(given.home / name, ignore_errors=True)


def begin(given: Settings, opened: Store, books: Books, characters: Path, say: Any) -> Line:
    """Three contracts, signed by a key that the city makes now.

    Args:
        given: the settings of the demonstration.
        opened: the registers.
        books: of the linkage.
        characters: folder with the chart and the decisions on the city's own characters.
        say: prints a line.
    """
    folder = given.home / "contracts"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for flow in (TAX, LEGACY, LIBRARY):
        name = f"{flow.removesuffix('.v1')}.yaml"
        text = (linkage.SAMPLES / name).read_text(encoding="utf-8")
        for lines in (
            _DUE_SETS
        ):  # the flows of the demonstration begin now: no set was due before, and none is missing
            text = lines.sub("", text)
        (folder / name).write_text(text, encoding="utf-8")
    layout = folder / "layouts" / LEGACY
    shutil.copytree(linkage.SAMPLES / "layouts" / LEGACY, layout)
    for name in ("chart.csv", "decisions.csv"):
        shutil.copy(characters / name, layout)
    with (layout / "jumin.yaml").open("a", encoding="utf-8") as file:
        file.write("system: jef\ncharacters: [chart.csv, decisions.csv]\n")
    key = _city_key(given.home)
    given = replace(given, contracts=(folder,))
    for contract in main.contracts(given):
        assert contract.path is not None
        linkage.signature_file(contract.path).write_text(linkage.sign(contract, key), encoding="utf-8")
    known = main.contracts(given)
    for contract in known:
        ways = "、".join(sorted(contract.ways))
        say(
            f"  {contract.flow}: {contract.title}  [dim]{ways}; {contract.consumer.name}（{contract.consumer.id}）[/dim]"
        )
    return Line(given, opened, books, known, key, say)


def _city_key(home: Path) -> sets.Signer:
    """A key for the city; its public half lies where the commands look for keys that are trusted."""
    key = Ed25519PrivateKey.generate()
    file = home / "city.pem"
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    form = serialization.PrivateFormat.PKCS8
    file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    (home / "trusted").mkdir(exist_ok=True)
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    (home / "trusted" / "city.pem").write_bytes(public)
    return sets.read_signer(file)


def everything(line: Line, flow: str) -> None:
    """A full set of a flow, and its consumer takes it."""
    contract = line.known.flow(flow)
    desk = _desk(line, contract)
    done = files.publish_full(desk, contract)
    if "event" in contract.ways:
        events.floor(line.books, flow, done.about.event, done.manifest.epoch)
    _take(line, contract)
    held = sum(often for often, _ in done.held.values())
    note = f", {held} kept back: the records cannot hold them" if held else ""
    line.say(
        f"  {contract.consumer.name}: {done.about.rows:,} rows in {len(done.manifest.parts)} parts{note}"
    )


def _desk(line: Line, contract: linkage.Contract) -> files.Desk:
    ledger = evidence.BookLedger(line.books)
    return main.desk(line.given, line.opened, line.known, contract, now, signer=line.key, ledger=ledger)


def changes(line: Line, flow: str) -> None:
    """A delta set of a flow, and its consumer takes it."""
    contract = line.known.flow(flow)
    desk = _desk(line, contract)
    done = files.publish_delta(desk, contract)
    _take(line, contract)
    line.say(f"  {contract.consumer.name}: {done.about.rows:,} rows of records in a delta")


def _take(line: Line, contract: linkage.Contract) -> None:
    with _replica(line, contract.flow) as replica, TemporaryDirectory(dir=line.given.home) as scratch:
        ledger = evidence.FileLedger.open(replica.file.parent / "evidence.sqlite", contract.consumer.id)
        codec = main.codec(line.known, contract)
        intake = files.Intake(codec, Path(scratch), now, {line.key.key}, evidence=ledger.append)
        files.take_newest(replica, main.shelf(line.given), intake)
        ledger.close()


def _replica(line: Line, flow: str) -> linkage.Replica:
    folder = line.given.home / "consumers" / flow
    return linkage.Replica.open(folder, line.known.flow(flow), linkage.validate)


def move(line: Line) -> list[str]:
    """Some people move to another ward; their 宛名番号."""
    today = (now() + timedelta(hours=9)).date()
    movers = demo_moves.alone(line.opened, MOVES)
    wards = [demo_moves.move(line.opened, number, today) for number in movers]
    line.say("  " + "、".join(f"{before}→{after}" for before, after in wards))
    return movers


def deliver(line: Line, flow: str) -> None:
    """What changed goes to a flow's consumer as events, and its answers come back."""

    async def work() -> None:
        keys = frozenset({line.key.key})
        async with main.publisher(line.given, line.opened, line.books, line.known, keys, now) as platform:
            await platform.once()
            address = linkage.broker.Broker(line.given.home).address(line.known.flow(flow).consumer.id)
            client = await address.connect()
            with _replica(line, flow) as replica:
                before = linking.witness(replica.contract, replica.file.parent)
                await events.Consumer(client, replica, now, before).catch_up()
            await client.close()
            await platform.once()

    asyncio.run(work())
    [stands] = events.status(line.opened, line.books, flow)
    matched = _matched(line, flow)
    line.say(
        f"  {line.known.flow(flow).consumer.name}: {stands.sent} messages sent, {stands.applied} applied, "
        f"contents {'equal' if stands.equal else 'not equal'}; evidence of both sides: {matched}"
    )


def _matched(line: Line, flow: str) -> str:
    """What both ledgers say of the messages of today."""
    contract = line.known.flow(flow)
    folder = line.given.home / "consumers" / flow
    theirs = evidence.FileLedger.open(folder / "evidence.sqlite", contract.consumer.id)
    found = evidence.match(
        evidence.BookLedger(line.books), theirs, evidence.day_of(evidence.stamp(now())), {flow}
    )
    theirs.close()
    return f"{found.pairs} pairs, {len(found.differences)} without a match"


def compared(line: Line, flow: str) -> None:
    """Both sides of a flow by digest.

    Raises:
        Problem: `demo-drift` where they differ.
    """
    contract = line.known.flow(flow)
    event, _ = store.last_event(line.opened)
    source = files.Source(
        line.opened, contract, main.protected(line.opened, line.known, contract, event, now()), event
    )
    with _replica(line, flow) as replica, TemporaryDirectory(dir=line.given.home) as scratch:
        found = reconcile.compare(source, replica, Path(scratch))
    linkage.status.note_compared(line.books, found, now())
    for feed in found.feeds:
        same = "equal" if feed.digests[0] == feed.digests[1] else "different"
        line.say(
            f"  {contract.consumer.name} {contract.feed(feed.feed).group.name}: {feed.provider:,} / {feed.consumer:,} rows, "
            f"digests {same}  [dim]{feed.digests[0][:16]}[/dim]"
        )
    if not found.equal:
        raise Problem(
            "demo-drift", "a consumer does not hold what was delivered", flow, "see the lines above"
        )


def status_page(line: Line) -> Path:
    """The page that tells how the flows stand."""
    shown = now()
    views = linkage.status.views(line.opened, line.books, list(line.known), main.shelf(line.given), shown)
    for view in views:
        line.say(f"  {view.contract.title}: {view.verdict}")
        for reason in view.reasons:
            line.say(f"    → {reason.words}")
    page = line.given.home / "linkage" / "status.html"
    page.parent.mkdir(exist_ok=True)
    page.write_text(linkage.status.page(views, shown), encoding="utf-8")
    return page


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)
