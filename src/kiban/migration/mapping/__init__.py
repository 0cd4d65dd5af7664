"""From old to new: the maps of a project, their closed list of rules, each for Polars and for DuckDB."""

from kiban.migration.mapping.book import HEADS, load_maps
from kiban.migration.mapping.codes import CODE_HEADS, code_tables
from kiban.migration.mapping.frames import COUNTS, REFUSED, Piece, answers, typed_value
from kiban.migration.mapping.inverse import NOTHING_BACK, Inverse, inverse_rule
from kiban.migration.mapping.map import Map
from kiban.migration.mapping.model import MADE, MOVED, NOT_HELD, Line, Lookup
from kiban.migration.mapping.pair import named, quoted
from kiban.migration.mapping.rules import RULES, Compiled, Rule, Source, compile_rule

__all__ = [
    "CODE_HEADS",
    "COUNTS",
    "HEADS",
    "MADE",
    "MOVED",
    "NOTHING_BACK",
    "NOT_HELD",
    "REFUSED",
    "RULES",
    "Compiled",
    "Inverse",
    "Line",
    "Lookup",
    "Map",
    "Piece",
    "Rule",
    "Source",
    "answers",
    "code_tables",
    "compile_rule",
    "inverse_rule",
    "load_maps",
    "named",
    "quoted",
    "typed_value",
]
