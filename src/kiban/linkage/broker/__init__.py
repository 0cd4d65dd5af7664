"""The broker: a real NATS server, embedded by default, a cluster by its address; users and streams come from the contracts."""

from kiban.linkage.broker import names
from kiban.linkage.broker.address import Address, read_address
from kiban.linkage.broker.server import Broker, BrokerStatus
from kiban.linkage.broker.streams import settle, sweep
from kiban.linkage.broker.trio import Trio

__all__ = ["Address", "Broker", "BrokerStatus", "Trio", "names", "read_address", "settle", "sweep"]
