"""What a token is good for: an operation on a resource of one provider."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kiban.kernel import Problem

_SCOPE = re.compile(r"([0-9A-Z]{3}):([0-9A-Za-z_][0-9A-Za-z_./-]*):([A-Z][A-Za-z]*)", re.ASCII)


@dataclass(frozen=True, order=True)
class Scope:
    """One scope, as the common-function standard writes it: `${provider}:${resource}:${operation}`.

    Attributes:
        provider: 業務ID or 独自施策システム等ID of the system that provides the API.
        resource: path of the API, without the slash before it.
        operation: such as `Create` or `Read`.
    """

    provider: str
    resource: str
    operation: str

    def __str__(self) -> str:
        return f"{self.provider}:{self.resource}:{self.operation}"

    @classmethod
    def parse(cls, text: str) -> Scope:
        """The scope of a text.

        >>> Scope.parse("031:app_submit/v10/jutogaishaatenabangofuban:Create").operation
        'Create'

        Raises:
            Problem: `scope-unreadable`.
        """
        match = _SCOPE.fullmatch(text)
        if match is None:
            raise Problem(
                "scope-unreadable",
                "a scope has not the form of one",
                fix="write PROVIDER:RESOURCE:OPERATION, such as 031:app_submit/v10/jutogaishaatenabangofuban:Create",
            )
        return cls(*match.groups())
