"""What each user of the broker may do, from the contracts: a consumer reaches its own flows, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from kiban.linkage.broker import names
from kiban.linkage.contracts.model import Contract


def users(contracts: Iterable[Contract]) -> dict[str, tuple[str, ...]]:
    """The users that contracts need: name -> flows in their order. A flow that is not sent as events has none."""
    found: dict[str, list[str]] = {}
    for contract in contracts:
        if "event" in contract.ways:
            found.setdefault(names.user(contract), []).append(contract.flow)
    return {name: tuple(sorted(flows)) for name, flows in sorted(found.items())}


def written(flows: Mapping[str, Iterable[str]], passwords: Mapping[str, str]) -> str:
    """The part of a server's configuration that names the users.

    Args:
        flows: user -> its flows.
        passwords: of these users and of the platform.
    """
    platform = {"user": names.PLATFORM, "password": passwords[names.PLATFORM]}
    others = [
        {"user": name, "password": passwords[name], "permissions": permissions(name, of)}
        for name, of in flows.items()
    ]
    # The configuration of a NATS server takes JSON. Who watches the server itself has an account of its own, without users.
    accounts = {"KIBAN": {"jetstream": "enabled", "users": [platform, *others]}, "SYS": {}}
    return f"accounts: {json.dumps(accounts, indent=1)}\nsystem_account: SYS\n"


def permissions(name: str, flows: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """What a consumer's user may publish and subscribe to, as a server's configuration says it."""
    publish = []
    for flow in flows:
        durable = names.durable(flow)
        for stream in names.LANES:
            publish += [
                f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}",
                f"$JS.API.CONSUMER.INFO.{stream}.{durable}",
                f"$JS.ACK.{stream}.{durable}.>",
            ]
        publish.append(names.subject(names.RECEIPT, flow))
    return {"publish": {"allow": publish}, "subscribe": {"allow": [f"{names.inbox(name)}.>"]}}
