"""What crosses a border is a set: parts, a manifest, receipts. Its rows have one canonical digest, and two sides can be compared."""

from kiban.sets.buckets import Buckets, BucketSum, Figures, buckets_body, differing, digest_of, read_buckets
from kiban.sets.buckets import added as buckets_together
from kiban.sets.compare import DIFFERENCES, Comparison, Side, compare
from kiban.sets.comparing import compare_sets, differing_buckets
from kiban.sets.contents import Contents, contents, find, positions, published, published_at
from kiban.sets.digest import (
    BUCKETS,
    Column,
    bucket,
    duckdb_bucket,
    duckdb_digest,
    pieces,
    postgres_bucket,
    postgres_day,
    postgres_digest,
    postgres_hash,
    postgres_pieces,
    row_digest,
)
from kiban.sets.expect import Expectation, Finding, expected
from kiban.sets.fetching import batches, part_file, relation
from kiban.sets.manifest import Draft, Manifest, Part, Position, moment_of, new_set_id
from kiban.sets.places import manifest_of as manifest_place
from kiban.sets.places import place_of as part_place
from kiban.sets.publish import columns_of, discard, publish, publish_folder
from kiban.sets.receipts import (
    Receipt,
    State,
    file_receipt,
    read_receipt,
    receipt_bytes,
    receipt_fits,
    receipts,
)
from kiban.sets.roots import Root, refuse_unless_it_follows, root_fault, root_faults
from kiban.sets.shelf import Access, Shelf, open_shelf
from kiban.sets.signing import Signature, Signed, Signer, fits, read_keys, read_signer
from kiban.sets.sources import Digester, File, Raw, Rows, Source, together
from kiban.sets.verify import verify
from kiban.sets.writing import manifest_bytes, read_manifest

__all__ = [
    "BUCKETS",
    "DIFFERENCES",
    "Access",
    "BucketSum",
    "Buckets",
    "Column",
    "Comparison",
    "Contents",
    "Digester",
    "Draft",
    "Expectation",
    "Figures",
    "File",
    "Finding",
    "Manifest",
    "Part",
    "Position",
    "Raw",
    "Receipt",
    "Root",
    "Rows",
    "Shelf",
    "Side",
    "Signature",
    "Signed",
    "Signer",
    "Source",
    "State",
    "batches",
    "bucket",
    "buckets_body",
    "buckets_together",
    "columns_of",
    "compare",
    "compare_sets",
    "contents",
    "differing",
    "differing_buckets",
    "digest_of",
    "discard",
    "duckdb_bucket",
    "duckdb_digest",
    "expected",
    "file_receipt",
    "find",
    "fits",
    "manifest_bytes",
    "manifest_place",
    "moment_of",
    "new_set_id",
    "open_shelf",
    "part_file",
    "part_place",
    "pieces",
    "positions",
    "postgres_bucket",
    "postgres_day",
    "postgres_digest",
    "postgres_hash",
    "postgres_pieces",
    "publish",
    "publish_folder",
    "published",
    "published_at",
    "read_buckets",
    "read_keys",
    "read_manifest",
    "read_receipt",
    "read_signer",
    "receipt_bytes",
    "receipt_fits",
    "receipts",
    "refuse_unless_it_follows",
    "relation",
    "root_fault",
    "root_faults",
    "row_digest",
    "together",
    "verify",
]
