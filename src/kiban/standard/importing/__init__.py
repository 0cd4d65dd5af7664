"""Reading the official Excel of an item definition into the files of an edition, losing nothing."""

from kiban.standard.importing.book import Imported, ImportRequest, import_workbook
from kiban.standard.importing.lists import Leftover

__all__ = ["ImportRequest", "Imported", "Leftover", "import_workbook"]
