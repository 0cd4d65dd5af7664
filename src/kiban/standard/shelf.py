"""All editions of the data standard at hand."""

from __future__ import annotations

from dataclasses import dataclass

from kiban.kernel import Problem
from kiban.standard.findings import suggest
from kiban.standard.model import Edition


@dataclass(frozen=True)
class Library:
    """All editions at hand, side by side.

    Attributes:
        editions: in the order in which they were found; the first of a business is its default.
    """

    editions: tuple[Edition, ...]

    def edition(self, business: str, edition_id: str | None = None) -> Edition:
        """The edition of a business, named by its 業務ID or its folder name.

        Without an edition ID it is the first one found for the business.

        Raises:
            Problem: `business-unknown` or `edition-unknown`, suggesting what is there.
        """
        of_business = [e for e in self.editions if business in (e.called, e.id)]
        if not of_business:
            known = [word for e in self.editions for word in dict.fromkeys((e.called, e.id))]
            raise Problem(
                "business-unknown",
                f"no edition of a business {business} is at hand",
                fix=suggest(business, known, "point --root at the folder that holds its editions"),
            )
        if edition_id is None:
            return of_business[0]
        for edition in of_business:
            if edition.edition == edition_id:
                return edition
        raise Problem(
            "edition-unknown",
            f"business {business} has no edition {edition_id}",
            fix=suggest(
                edition_id,
                [e.edition for e in of_business],
                "point --root at the folder that holds the edition",
            ),
        )
