"""`kiban serve`: pages for people at work, and the API of the linkage for other systems, at one address."""

from __future__ import annotations

import ipaddress
import logging
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

app = typer.Typer(
    help="""Serve the pages of people at work, and the API of the linkage for other systems.

    People sign in at the address itself; `kiban account` makes their accounts. Other systems sign people in here by OpenID
    Connect (docs/sign-in.md). Passkeys work under a name only: http://localhost:8031, or https://NAME.

    It serves the OAuth 2.0 endpoints of the common-function standard, the official numbering API of 住登外者 (031), and for
    every live contract with the way `api` a read API derived from it. /openapi.json says all of it, docs/api.md explains it.

    /healthz says whether all of it works, /metrics gives figures to Prometheus, on this machine or where --metrics-from says.

    By default it listens on this machine only. To serve others put it behind a proxy that speaks TLS, or give a certificate
    with its key, and say under which address they reach it (--issuer).""",
    epilog="""Examples:

    [b]kiban serve --title 試験市[/b]                                 on this machine: http://localhost:8031

    [b]kiban serve --key city.pub.pem[/b]                           with the contracts that this key has signed

    [b]kiban serve --issuer https://api.city.example --proxies 1 --workers 4[/b]   behind a proxy of that name

    [b]kiban link systems add L01 図書館カードシステム[/b]          register a system; its secret is shown once""",
    add_completion=False,
    rich_markup_mode="rich",
)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8031,
    issuer: Annotated[
        str | None, typer.Option(help="Address as other systems write it. Default: where it listens.")
    ] = None,
    allow: Annotated[
        list[str] | None,
        typer.Option("--allow-host", help="A further name under which requests may come. Repeatable."),
    ] = None,
    key: Annotated[
        list[Path] | None,
        typer.Option(
            "--key",
            metavar="PEM",
            help="A trusted public key of contracts, besides those in trusted/ of the home. Repeatable.",
        ),
    ] = None,
    root: Annotated[
        list[Path] | None,
        typer.Option(
            "--root", metavar="DIR", help="A folder with contracts, besides those of KIBAN_CONTRACTS."
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="The name of the city, on its pages.")] = "基盤",
    policies: Annotated[
        list[Path] | None,
        typer.Option(
            "--policies",
            metavar="DIR",
            exists=True,
            file_okay=False,
            help="A folder of the policy set, instead of Kiban's own. Repeatable.",
        ),
    ] = None,
    proxies: Annotated[
        int,
        typer.Option(
            help="How many proxies of yours stand before it: whose address is locked out and written down is then the caller's.",
            min=0,
            max=9,
        ),
    ] = 0,
    sessions: Annotated[
        int,
        typer.Option(
            help="Sessions that one person may have at once; one more ends the oldest.", min=1, max=99
        ),
    ] = 5,
    searches: Annotated[
        int,
        typer.Option(
            help="Pages of the search that one person may open within ten minutes, at each worker.", min=1
        ),
    ] = 600,
    metrics: Annotated[
        list[str] | None,
        typer.Option(
            "--metrics-from",
            metavar="NETWORK",
            help="A network that may read /metrics, such as 10.1.0.0/16. Repeatable.",
        ),
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that answer.", min=1, max=64)] = 1,
    warm: Annotated[
        bool, typer.Option(help="Read what searches touch into memory meanwhile, as `kiban db warm` does.")
    ] = True,
    certificate: Annotated[
        Path | None, typer.Option("--tls-certificate", exists=True, help="PEM; needs --tls-key.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", exists=True, help="PEM.")] = None,
) -> None:
    """Serve until interrupted; requests under way are answered first."""
    from kiban import main, settings

    _share_figures(settings.read(os.environ).home)  # before anything counts
    from kiban import access
    from kiban.cli import serving
    from kiban.kernel import Problem

    address = issuer or _address(host, port, tls=certificate is not None)
    if not certificate and not _loopback(host) and not address.startswith("https:"):
        fix = "say --issuer https://NAME where a proxy speaks TLS before it, or give --tls-certificate and --tls-key"
        raise Problem("serve-open", "other machines would reach it without TLS", fix=fix)
    near = ["localhost"] if _loopback(host) else []  # the name under which browsers take passkeys without TLS
    hosts = tuple(dict.fromkeys([urlsplit(address).hostname or host, host, *near, *(allow or ())]))
    keys = main.trusted(settings.read(os.environ), key or ())
    folders = tuple(policies) if policies else (access.REFERENCE,)
    service = serving.Service(
        address,
        hosts,
        tuple(sorted(keys)),
        tuple(root or ()),
        title,
        folders,
        _networks(metrics or ()),
        proxies,
        sessions,
        searches,
    )
    with serving.opened() as opened:  # everything that is wrong is told before anybody calls
        given, city, systems, books = opened
        served = serving.house(service, given, city, systems, books)
        served.healthy()
        serving.install(service, given, city)
        serving.pages(service, given, city, systems)
        flows = [contract.flow for contract in served.reading.contracts()]
    typer.echo(f"serving on {address} as one of {', '.join(hosts)}; flows: {', '.join(flows) or 'none'}")
    if not keys:
        typer.echo("no trusted key is given: no contract is live, nothing is read by contracts", err=True)
    with _extracting(folders), _beside(["db", "warm"]) if warm else nullcontext():
        _run(serving.loader(service), host, port, workers, certificate, tls_key)


def _extracting(policies: Iterable[Path]) -> AbstractContextManager[None]:
    """A process that runs extracts; it ends with this one, and a machine with less to spare gives it less."""
    named = os.pathsep.join(map(str, policies))
    return _beside(["extract", "work", "--beside", str(os.getpid())], KIBAN_POLICIES=named)


@contextmanager
def _beside(command: Sequence[str], **environ: str) -> Iterator[None]:
    """A command of Kiban beside the workers."""
    beside = subprocess.Popen(  # noqa: S603 - ourselves, no shell
        [sys.executable, "-c", "from kiban.cli import main; main()", *command], env={**os.environ, **environ}
    )
    try:
        yield
    finally:
        beside.terminate()
        beside.wait()


def _share_figures(home: Path) -> None:
    """Give the workers a folder for their figures, empty at every start; figures begin at nought then."""
    folder = home / "metrics"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.glob("*.db"):
        old.unlink(missing_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)


def _networks(given: Iterable[str]) -> tuple[str, ...]:
    from kiban.kernel import Problem

    for each in given:
        try:
            ipaddress.ip_network(each)
        except ValueError as error:
            fix = "write it as 10.1.0.0/16"
            raise Problem("metrics-network", "--metrics-from is no network", each, fix) from error
    return tuple(given)


def _address(host: str, port: int, *, tls: bool) -> str:
    return f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"


def _run(
    load: object, host: str, port: int, workers: int, certificate: Path | None, key: Path | None
) -> None:
    from granian.constants import Interfaces, SSLProtocols
    from granian.server import Server

    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    Server(
        target="kiban",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=16,
        backlog=1024,
        log_access=False,  # ours says the route, not the address: it may hold anything
        websockets=False,
        ssl_cert=certificate,
        ssl_key=key,
        ssl_protocol_min=SSLProtocols.tls12,
        workers_kill_timeout=30,
        process_name=None,
    ).serve(target_loader=load, wrap_loader=False)  # type: ignore[arg-type]


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
