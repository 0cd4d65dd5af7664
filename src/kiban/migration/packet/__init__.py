"""The sign-off packet: what the owner of the data reads and signs, as a page and as a PDF of at most ten pages."""

from kiban.migration.packet.model import Chart, Glyph, Packet, Section, Table, Verdict
from kiban.migration.packet.page import to_html, to_sheet
from kiban.migration.packet.paper import to_pdf

__all__ = ["Chart", "Glyph", "Packet", "Section", "Table", "Verdict", "to_html", "to_pdf", "to_sheet"]
