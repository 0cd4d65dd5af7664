"""Legacy code pages of mainframes, strict in both directions: nothing is ever replaced, dropped or guessed."""

from kiban.characters.codepages.blocks import (
    BlockFaults,
    DecodedBlock,
    OwnCodes,
    decode_block,
)
from kiban.characters.codepages.page import CodePage, Decoded, Encoded, Fault, Mode
from kiban.characters.codepages.shelf import CODE_PAGES, code_page
from kiban.characters.codepages.stream import StreamDecoder, StreamEncoder, with_line_ends
from kiban.characters.codepages.written import EncodedBlock, encode_block

__all__ = [
    "CODE_PAGES",
    "BlockFaults",
    "CodePage",
    "Decoded",
    "DecodedBlock",
    "Encoded",
    "EncodedBlock",
    "Fault",
    "Mode",
    "OwnCodes",
    "StreamDecoder",
    "StreamEncoder",
    "code_page",
    "decode_block",
    "encode_block",
    "with_line_ends",
]
