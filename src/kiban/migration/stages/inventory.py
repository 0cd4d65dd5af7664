"""Inventory: every file, owner and consumer named before anything is read."""

from __future__ import annotations

import csv

from kiban.migration.plan import Plan
from kiban.migration.stage import Context, Outcome, Stage, gate


def _run(context: Context) -> Outcome:
    plan = context.plan
    with (context.out / "files.csv").open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(["file", "path", "title", "system", "records", "code_page", "owner"])
        for one in plan.files:
            writer.writerow([one.id, one.path, one.title, one.system, one.form, one.code_page, one.owner])
    with (context.out / "consumers.csv").open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(["consumer", "title", "owner"])
        writer.writerows([one.id, one.title, one.owner] for one in plan.consumers)
    summary = {
        "systems": len(plan.systems),
        "files": len(plan.files),
        "targets": len(plan.targets),
        "not_held": len(plan.not_held),
        "consumers": len(plan.consumers),
    }
    return Outcome(summary, gate(_missing(plan)))


def _missing(plan: Plan) -> list[str]:
    reasons = []
    if not plan.signers:
        reasons.append("署名する人（signers）が計画にありません。plan.yaml に役職を書いてください。")
    unread = [one.id for one in plan.systems if all(file.system != one.id for file in plan.files)]
    if unread:
        reasons.append(
            f"ファイルが1つもないシステムがあります：{'、'.join(unread)}。ファイルを加えるか、システムを除いてください。"
        )
    return reasons


INVENTORY = Stage("inventory", "棚卸し", (), _run)
