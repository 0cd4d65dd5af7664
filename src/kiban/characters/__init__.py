"""Characters: legacy code pages, how the standard counts them, and the keys that find people.

Keys never replace a record, and a code page never replaces a character.
"""

from kiban.characters.addresses import address_key, address_keys, address_seam
from kiban.characters.charts import CHART_COLUMNS, CLASSES, DECISION_COLUMNS, Chart, ChartRow, check_decisions
from kiban.characters.codepages import (
    CODE_PAGES,
    BlockFaults,
    CodePage,
    Decoded,
    DecodedBlock,
    Encoded,
    EncodedBlock,
    Fault,
    Mode,
    OwnCodes,
    StreamDecoder,
    StreamEncoder,
    code_page,
    decode_block,
    encode_block,
    with_line_ends,
)
from kiban.characters.decisions import sign_decisions, signature_of, verify_decisions
from kiban.characters.glyphs import Glyph, glyph_font, glyph_svg
from kiban.characters.guess import FieldAt, Guess, Swapped, guess, likeliest, told_apart
from kiban.characters.install import Installation, Placed, install
from kiban.characters.kana import READING_PARTS, kana_key, kana_keys, kana_loose_key, kana_loose_keys
from kiban.characters.kanji import kanji_variants
from kiban.characters.mj import Identity, MjGlyph, Shrunk, identify, shrink
from kiban.characters.names import NAME_PARTS, name_key, name_keys
from kiban.characters.selectors import length, strip_selectors
from kiban.characters.textfiles import LEDGER_COLUMNS, TextFile, decode_text

__all__ = [
    "CHART_COLUMNS",
    "CLASSES",
    "CODE_PAGES",
    "DECISION_COLUMNS",
    "LEDGER_COLUMNS",
    "NAME_PARTS",
    "READING_PARTS",
    "BlockFaults",
    "Chart",
    "ChartRow",
    "CodePage",
    "Decoded",
    "DecodedBlock",
    "Encoded",
    "EncodedBlock",
    "Fault",
    "FieldAt",
    "Glyph",
    "Guess",
    "Identity",
    "Installation",
    "MjGlyph",
    "Mode",
    "OwnCodes",
    "Placed",
    "Shrunk",
    "StreamDecoder",
    "StreamEncoder",
    "Swapped",
    "TextFile",
    "address_key",
    "address_keys",
    "address_seam",
    "check_decisions",
    "code_page",
    "decode_block",
    "decode_text",
    "encode_block",
    "glyph_font",
    "glyph_svg",
    "guess",
    "identify",
    "install",
    "kana_key",
    "kana_keys",
    "kana_loose_key",
    "kana_loose_keys",
    "kanji_variants",
    "length",
    "likeliest",
    "name_key",
    "name_keys",
    "shrink",
    "sign_decisions",
    "signature_of",
    "strip_selectors",
    "told_apart",
    "verify_decisions",
    "with_line_ends",
]
