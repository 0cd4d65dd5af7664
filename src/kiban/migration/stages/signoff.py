"""Sign-off: the packet the owner of the data reads and signs. What was not done stands in it as not done."""

from __future__ import annotations

from pathlib import Path

from kiban.migration import packet
from kiban.migration.packet import Packet, Section
from kiban.migration.plan import Plan
from kiban.migration.stage import Context, Outcome, Stage, gate
from kiban.migration.stages import sections

_NEEDS = ("inventory", "land", "decode", "prove", "totals", "characters", "cleanse")
_WANTS = {"transform": "変換", "load": "取込み", "reconcile": "突合"}


def _run(context: Context) -> Outcome:
    made = _packet(context)
    context.progress("確認書", 0, 3)
    (context.out / "packet.json").write_text(made.as_json(), encoding="utf-8")
    context.progress("確認書", 1, 3)
    (context.out / "packet.html").write_text(packet.to_html(made), encoding="utf-8")
    context.progress("確認書", 2, 3)
    (context.out / "packet.pdf").write_bytes(packet.to_pdf(made, context.plan.cut_date))
    context.progress("確認書", 3, 3)
    waiting = [one.title for one in made.sections if one.verdict in {"open", "bad"}]
    reason = f"確認書に承認できない項目があります（{'、'.join(waiting)}）。確認書（packet.html）を読み、判断してください。"
    return Outcome(
        {"sections": len(made.sections), "waiting": len(waiting), "digest": made.digest},
        gate([reason] if waiting else []),
    )


def _packet(context: Context) -> Packet:
    plan = context.plan
    facts = [
        ("計画", plan.id),
        ("団体コード", plan.city),
        ("データの基準日", plan.cut_date.isoformat()),
        ("停止できる時間", f"{plan.window_hours}時間"),
        ("システム", "、".join(f"{one.title}（{one.vendor}）" for one in plan.systems)),
        (
            "標準の版",
            "、".join(_edition(plan, name) for name in dict.fromkeys(one.edition for one in plan.targets)),
        ),
    ]
    return Packet(plan.title, facts, list(_sections(context)), plan.signers)


def _edition(plan: Plan, name: str) -> str:
    edition = plan.editions[name]
    return f"{edition.title} {edition.edition}"


def _sections(context: Context) -> list[Section]:
    parts = [
        sections.received(context),
        sections.decoded(context),
        sections.gaiji(context),
        sections.cleansed(context),
    ]
    if "transform" in context.inputs:
        parts.append(sections.converted(context))
    if "reconcile" in context.inputs:
        parts.append(sections.reconciled(context))
    parts.append(sections.protected(context))
    waiting = [title for name, title in _WANTS.items() if name not in context.inputs]
    parts += [
        sections.ahead(context, waiting),
        sections.consumers(context),
        sections.fingerprints(context),
    ]
    return parts


def _reads(plan: Plan) -> list[Path]:
    return [*(one.map for one in plan.targets), *sorted((plan.folder / "codes").glob("*.csv"))]


SIGNOFF = Stage("signoff", "確認書", _NEEDS, _run, "2", _reads, wants=tuple(_WANTS), looks=True)
