"""Whether the samples of a list keep its own rules; official ones do not always, so these are notes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kiban.standard.code_list import CodeList
from kiban.standard.findings import Findings
from kiban.standard.model import Item
from kiban.standard.values import check_value


def check_samples(
    placed: Iterable[tuple[Item, str]], codes: Mapping[str, CodeList], findings: Findings
) -> None:
    """Find samples that their own item would refuse: `sample-value`. Each line is taken as one sample."""
    for item, where in placed:
        code_list = codes.get(item.code) if item.code else None
        for line in item.sample.splitlines():
            problem = check_value(item, line.strip(), code_list) if line.strip() else None
            if problem is not None:
                findings.note(
                    "sample-value",
                    f"サンプル値: {problem.what} [{problem.code}]",
                    where,
                    "correct the sample or the rule; in an official list, tell its authors",
                )
                break
