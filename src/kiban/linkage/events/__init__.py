"""Changes as events: from the outbox to each consumer once, in order, with receipts, replays and quarantine."""

from kiban.linkage.events.consuming import Consumer
from kiban.linkage.events.holding import EMPTY, begin, floor, pause
from kiban.linkage.events.publisher import Guard, Publisher
from kiban.linkage.events.pulling import Puller
from kiban.linkage.events.receipts import Desk
from kiban.linkage.events.replaying import Replayer
from kiban.linkage.events.sending import Parcel, Sender
from kiban.linkage.events.serving import Platform
from kiban.linkage.events.status import FlowStatus, Quarantined, protection_held, status, waiting
from kiban.linkage.events.thinning import thin
from kiban.linkage.events.wire import (
    Receipt,
    decode_notice,
    decode_receipt,
    encode_notice,
    encode_receipt,
)

__all__ = [
    "EMPTY",
    "Consumer",
    "Desk",
    "FlowStatus",
    "Guard",
    "Parcel",
    "Platform",
    "Publisher",
    "Puller",
    "Quarantined",
    "Receipt",
    "Replayer",
    "Sender",
    "begin",
    "decode_notice",
    "decode_receipt",
    "encode_notice",
    "encode_receipt",
    "floor",
    "pause",
    "protection_held",
    "status",
    "thin",
    "waiting",
]
