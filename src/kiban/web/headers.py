"""Headers that keep answers where they belong."""

from __future__ import annotations

from collections.abc import Iterable

ALWAYS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of every answer that does not say otherwise."""
LEFT = "kiban.left"
"""Under which the environment of a request says that a session ended with it."""
CLEAR = '"cache", "storage"'
"""What a browser forgets at the answer with which a session ends; not the cookies: one tells the next page that it did."""


def for_pages(onwards: Iterable[str] = ()) -> str:
    """The content security policy of a page.

    Args:
        onwards: origins of other services to which a form of the page may lead in the end, since a browser looks at every redirect.

    >>> for_pages(["https://vendor.example"]).split("; ")[-3]
    "form-action 'self' https://vendor.example"
    """
    actions = " ".join(["'self'", *onwards])
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        f"form-action {actions}; base-uri 'none'; frame-ancestors 'none'"
    )
