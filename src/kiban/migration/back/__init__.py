"""The way back (切戻し): changes after the cut-over as files for the legacy system, and the proof that everything could go back."""

from kiban.migration.back.place import check_day
from kiban.migration.back.run import REKEY, go_back
from kiban.migration.back.whole import compare_back

__all__ = ["REKEY", "check_day", "compare_back", "go_back"]
