"""The parts of the sign-off packet, each made of what one stage left, in words that need no system knowledge."""

from kiban.migration.stages.sections.ahead import ahead, consumers
from kiban.migration.stages.sections.cleansed import cleansed
from kiban.migration.stages.sections.converted import converted
from kiban.migration.stages.sections.decoded import decoded
from kiban.migration.stages.sections.gaiji import gaiji
from kiban.migration.stages.sections.outputs import document, summary_of
from kiban.migration.stages.sections.protected import protected
from kiban.migration.stages.sections.received import fingerprints, received
from kiban.migration.stages.sections.reconciled import reconciled

__all__ = [
    "ahead",
    "cleansed",
    "consumers",
    "converted",
    "decoded",
    "document",
    "fingerprints",
    "gaiji",
    "protected",
    "received",
    "reconciled",
    "summary_of",
]
