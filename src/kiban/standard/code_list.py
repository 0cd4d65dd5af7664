"""Lists of codes (コード一覧), as plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property


@dataclass(frozen=True)
class Code:
    """One value of a code list.

    Attributes:
        value: コード値, as it stands in the data.
        label: コード値の内容.
        remarks: 備考; empty where there is none.
        valid_from: first day it may be used; None where it always could.
        valid_to: the day after the last; None while it may be used.
    """

    value: str
    label: str
    remarks: str = ""
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True)
class CodeList:
    """A list of codes (コード一覧).

    Attributes:
        id: コードID without leading zeros.
        name: コード名.
        codes: in the order of the file.
        free: whether each municipality fills it itself (自治体固有コード), so values are not checked.
        shared: whether it belongs to コード一覧（連携） and its values are not at hand here.
    """

    id: str
    name: str
    codes: tuple[Code, ...]
    free: bool = False
    shared: bool = False

    @cached_property
    def values(self) -> tuple[str, ...]:
        """Every value that was ever valid, once each, in the order of the file."""
        return tuple(dict.fromkeys(code.value for code in self.codes))

    def label(self, value: str) -> str | None:
        """The latest label of a value; None where the list does not have it."""
        return next((code.label for code in reversed(self.codes) if code.value == value), None)
