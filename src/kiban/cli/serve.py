"""`kiban serve`: the API of the linkage for other systems."""

from __future__ import annotations

import ipaddress
import logging
import os
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

app = typer.Typer(
    help="""Serve the API of the linkage to other systems.

    It serves the OAuth 2.0 endpoints of the common-function standard, the official numbering API of 住登外者 (031), and for
    every live contract with the way `api` a read API derived from it. /openapi.json says all of it, docs/api.md explains it.

    By default it listens on this machine only. To serve others put it behind a proxy that speaks TLS, or give a certificate
    with its key, and say under which address they reach it (--issuer).""",
    epilog="""Examples:

    [b]kiban serve[/b]                                              on this machine: http://127.0.0.1:8031

    [b]kiban serve --key city.pub.pem[/b]                           with the contracts that this key has signed

    [b]kiban serve --issuer https://api.city.example --workers 4[/b]   behind a proxy of that name

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
    workers: Annotated[int, typer.Option(help="Processes that answer.", min=1, max=64)] = 1,
    certificate: Annotated[
        Path | None, typer.Option("--tls-certificate", exists=True, help="PEM; needs --tls-key.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", exists=True, help="PEM.")] = None,
) -> None:
    """Serve until interrupted; requests under way are answered first."""
    from kiban import main, settings
    from kiban.cli import serving
    from kiban.kernel import Problem

    address = issuer or _address(host, port, tls=certificate is not None)
    if not certificate and not _loopback(host) and not address.startswith("https:"):
        fix = "say --issuer https://NAME where a proxy speaks TLS before it, or give --tls-certificate and --tls-key"
        raise Problem("serve-open", "other machines would reach it without TLS", fix=fix)
    hosts = tuple(dict.fromkeys([urlsplit(address).hostname or host, host, *(allow or ())]))
    keys = main.trusted(settings.read(os.environ), key or ())
    service = serving.Service(address, hosts, tuple(sorted(keys)), tuple(root or ()))
    with serving.opened() as (
        given,
        city,
        systems,
        books,
    ):  # everything that is wrong is told before anybody calls
        served = serving.house(service, given, city, systems, books)
        served.healthy()
        flows = [contract.flow for contract in served.reading.contracts()]
    typer.echo(f"serving on {address} as one of {', '.join(hosts)}; flows: {', '.join(flows) or 'none'}")
    if not keys:
        typer.echo("no trusted key is given: no contract is live, nothing is read by contracts", err=True)
    _run(serving.loader(service), host, port, workers, certificate, tls_key)


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
