"""What a test of conformance found, as one page in Japanese."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from html import escape

from kiban.linkage.conformance.verifying import Result
from kiban.linkage.contracts.model import Contract
from kiban.standard import frame

_HEADS = (("結果", "short"), ("試したこと", "name"), ("守らないと起きること", "long"), ("食い違い", "long"))


def report(contract: Contract, results: Sequence[Result], tested: str, role: str, now: datetime) -> str:
    """The page of a test.

    Args:
        contract: under which it was tested.
        results: of all cases.
        tested: what was tested, in words of whoever tested it.
        role: 利用側 or 提供側.
        now: the moment, in UTC.
    """
    failed = [each for each in results if not each.passed]
    verdict = "適合" if results and not failed else "不適合"
    at = (now + timedelta(hours=9)).strftime("%Y-%m-%d %H:%M（日本時間）")
    head = (
        f'<p class="notice">{verdict}：{len(results)}件中{len(results) - len(failed)}件が合格</p>\n'
        + frame.facts(
            (
                ("試験の対象", f"{tested}（{role}）"),
                ("契約", f"{contract.title} {contract.flow} {'.'.join(map(str, contract.version))}"),
                ("契約の要約値", contract.digest),
                ("試験の日時", at),
                ("試験の内容", "契約から作った架空のデータによる。国の適合確認試験に代わるものではない"),
            )
        )
    )
    parts = [("failed", "不合格", failed), ("passed", "合格", [each for each in results if each.passed])]
    return frame.document(
        f"連携の適合試験：{contract.title}",
        head,
        frame.contents([(target, title, f"{len(found)}件") for target, title, found in parts]),
        "".join(_part(*part) for part in parts),
        "試験",
    )


def _part(target: str, title: str, found: Sequence[Result]) -> str:
    body = frame.table(_HEADS, "".join(map(_row, found)), title) if found else "<p>なし。</p>\n"
    return f'<section class="part" aria-labelledby="{target}">\n<h2 id="{target}">{title}</h2>\n{body}</section>\n'


def _row(one: Result) -> str:
    mark = frame.chip("合格", "key") if one.passed else frame.chip("不合格", "must")
    faults = "\n".join(one.faults)
    return (
        f'<tr><td>{mark}</td><th scope="row"><strong>{escape(one.title)}</strong>{frame.romaji(one.id)}</th>'
        f'<td class="text">{escape(one.why)}</td><td class="text">{escape(faults)}</td></tr>\n'
    )
