"""Doctests import every module; those with models of Django can be imported only where it is set up."""

from __future__ import annotations

from kiban.web.configured import set_up

set_up("a secret of the web, for tests only, long enough to be taken for one")
