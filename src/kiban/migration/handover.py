"""The packet as it is handed to those who sign: with the time everything took, which no stage's output may hold."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kiban.migration import packet
from kiban.migration.engine import Result, Work
from kiban.migration.packet import Packet, Section, Table
from kiban.migration.plan import Plan

FOLDER = "packet"
_SHARE = 0.6  # of the window; the rest is for what goes wrong


def hand_over(plan: Plan, results: Sequence[Result], work: Work) -> Path | None:
    """Write packet.html and packet.pdf into the work folder's `packet`, with the time each stage took.

    Args:
        plan: of the migration.
        results: of a run.
        work: whose journal knows the times.

    Returns:
        The page; None where no packet was made.
    """
    folder = work.folder / FOLDER
    made = next((one.out for one in results if one.stage.name == "signoff" and one.out), None)
    if made is None:
        shutil.rmtree(folder, ignore_errors=True)  # nobody signs what an earlier run said
        return None
    content = Packet.from_json((made / "packet.json").read_text(encoding="utf-8"))
    timed = replace(content, time=_time(plan, results, times(results, work)))
    folder.mkdir(exist_ok=True)
    for name, data in (
        ("packet.html", packet.to_html(timed).encode()),
        ("packet.pdf", packet.to_pdf(timed, plan.cut_date)),
    ):
        new = folder / f".{name}.new"
        new.write_bytes(data)
        new.replace(folder / name)
    return folder / "packet.html"


def times(results: Sequence[Result], work: Work) -> Mapping[str, float]:
    """Seconds by stage, of the runs that made the present outputs; stages that are not done are left out."""
    wanted = {one.stage.name: one.key for one in results if one.state == "done"}
    found: dict[str, float] = {}
    with (work.folder / "journal.jsonl").open(encoding="utf-8") as journal:
        for line in journal:
            told = json.loads(line)
            if told["event"] == "finished" and wanted.get(told["stage"]) == told["key"]:
                found[told["stage"]] = told["seconds"]
    return found


def _time(plan: Plan, results: Sequence[Result], seconds: Mapping[str, float]) -> Section:
    total, window = sum(seconds.values()), plan.window_hours * 3600
    share = total / window if window else 1.0
    rows = [
        (one.stage.title_ja, f"{seconds[one.stage.name]:,.1f}")
        for one in results
        if one.stage.name in seconds
    ]
    sentences = [
        f"ここまでの工程は、合わせて{_spoken(total)}で終わりました。停止できる時間（{plan.window_hours}時間）の{share:.1%}です。",
        f"目安は停止できる時間の{_SHARE:.0%}までです。残りは、うまくいかないことのために取っておきます。",
    ]
    return Section(
        "かかった時間",
        "good" if share <= _SHARE else "open",
        sentences,
        [Table("工程ごとの時間", ("工程", "秒"), rows)],
    )


def _spoken(seconds: float) -> str:
    """Such as 1時間2分3秒.

    >>> _spoken(3723.4), _spoken(59.6)
    ('1時間2分3秒', '1分0秒')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}時間" * (hours > 0) + f"{minutes}分" * (minutes > 0 or hours > 0) + f"{rest}秒"
