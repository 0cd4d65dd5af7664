"""Files: full and delta sets of what contracts carry, published, watched, taken, mirrored at the edge."""

from kiban.linkage.files.about import (
    About,
    FeedSaid,
    about_of,
    digest_columns,
    digest_of_feeds,
    digester,
    key_columns,
)
from kiban.linkage.files.codec import RecordCodec, Unfit, columns_of
from kiban.linkage.files.csvfile import CsvCodec
from kiban.linkage.files.days import JAPAN, Moment, japan_day, moments
from kiban.linkage.files.due import LOOK_BACK, Finding, due, watch
from kiban.linkage.files.edge import Arrived, FolderPlace, Names, Place, arrived, send
from kiban.linkage.files.fetch import Fetched, fetch
from kiban.linkage.files.intake import ABSENT_MOST, Intake, TakenSet, stated_absence
from kiban.linkage.files.publish import Desk, Published, publish_delta, publish_full, quiet
from kiban.linkage.files.rows import Source
from kiban.linkage.files.sftp import SftpPlace, open_sftp
from kiban.linkage.files.take import position, take_newest, take_set
from kiban.linkage.files.withhold import Protected

__all__ = [
    "ABSENT_MOST",
    "JAPAN",
    "LOOK_BACK",
    "About",
    "Arrived",
    "CsvCodec",
    "Desk",
    "FeedSaid",
    "Fetched",
    "Finding",
    "FolderPlace",
    "Intake",
    "Moment",
    "Names",
    "Place",
    "Protected",
    "Published",
    "RecordCodec",
    "SftpPlace",
    "Source",
    "TakenSet",
    "Unfit",
    "about_of",
    "arrived",
    "columns_of",
    "digest_columns",
    "digest_of_feeds",
    "digester",
    "due",
    "fetch",
    "japan_day",
    "key_columns",
    "moments",
    "open_sftp",
    "position",
    "publish_delta",
    "publish_full",
    "quiet",
    "send",
    "stated_absence",
    "take_newest",
    "take_set",
    "watch",
]
