"""What the commands of sign-in share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from kiban import access, main, settings, web
from kiban.cli.serving import now
from kiban.kernel import Problem

BY = web.By(web.COMMAND_LINE)
"""Who acts on the command line."""


@contextmanager
def city() -> Iterator[web.City]:
    """The city of the settings, its accounts installed.

    Raises:
        Problem: what keeps a part of it from opening.
    """
    given = settings.read(os.environ)
    with ExitStack() as stack:
        store = stack.enter_context(main.open_store(given))
        opened = stack.enter_context(access.open_access(store, access.seal(given.home / "access.key")))
        policies = access.load_policies([access.REFERENCE], store.library)
        reached = web.install_accounts(store, web.web_secret(given.home / "web.secret"))
        yield web.City("", store, opened, policies, reached, now, given.home / "signin")


def administrator(found: web.City, number: str) -> web.By:
    """A member of staff who may recover accounts today, as who acts.

    Raises:
        Problem: `recover-not-allowed`.
    """
    day = web.today(found)
    for each in found.people.assignments(number, day) if found.people.may_sign_in(number, day) else ():
        duty = found.policies.duties.get(each.duty)
        for purpose in duty.purposes if duty else ():
            if found.policies.grant(found.people.acting(number, day, purpose, each.id)).allows("recover"):
                return web.By(number, each.office, each.duty, purpose)
    what = "this member of staff may not recover accounts today"
    raise Problem(
        "recover-not-allowed", what, fix="name somebody whose duty allows it (kiban access explain)"
    )


def told(code: str, number: str, hours: int) -> str:
    """An invitation, as it is shown once."""
    return f"invitation of {number}, good once within {hours} hours, shown only now:\n\n    {code}\n"
