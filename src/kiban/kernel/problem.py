"""A refusal that says what is wrong, where, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(eq=False)
class Problem(Exception):  # noqa: N818 - it is the field's word: a problem, not an error of ours
    """One thing that is wrong, told to whoever can mend it.

    Attributes:
        code: stable, lower-case words joined by hyphens; programs may rely on it.
        what: one sentence; never personal data.
        where: a file with its line, a table, a row number, an item; None where there is no place.
        fix: the next step of the reader; None where nothing can be advised.
    """

    code: str
    what: str
    where: str | None = None
    fix: str | None = None

    def __str__(self) -> str:
        """Two or three lines for a terminal.

        >>> print(Problem("tax-negative", "tax is below zero", where="row 1", fix="check the assessment"))
        row 1: tax is below zero [tax-negative]
          fix: check the assessment
        """
        head = f"{self.where}: {self.what}" if self.where else self.what
        lines = [f"{head} [{self.code}]"]
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        return "\n".join(lines)


class Problems(Exception):  # noqa: N818
    """Every problem of one input, found in one reading of it.

    Attributes:
        problems: at least one, in the order of the input.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(*self.problems)

    def __reduce__(self) -> tuple[type[Problems], tuple[tuple[Problem, ...]]]:
        """How problems come whole out of a worker process."""
        return Problems, (self.problems,)

    def __str__(self) -> str:
        count = len(self.problems)
        return "\n".join(
            [*(str(problem) for problem in self.problems), f"{count} problem{'s' * (count != 1)}"]
        )
