"""certificate.json: what was compared, by which path, and what was found. No times and no personal data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kiban.migration.plan import Plan
from kiban.migration.proof.counts import Cell, Number, Place, total
from kiban.migration.proof.rows import Compared
from kiban.migration.proof.shield import Judged, Shield
from kiban.migration.proof.side import Decoded

PATHS = {
    "source": "復号したファイルに、写像をDuckDBのSQLとして適用した値（変換はPolarsで行い、その出力は読まない）",
    "stored": "統合データベースの行から、PostgreSQLが自ら計算した指紋・件数・合計",
    "protection_source": "復号したファイルの項目（写像も、整備での除外も通さない）",
    "protection_stored": "窓口と同じ読取り（基準日現在、記録に残る）",
}
_VERDICTS = ("equal", "stronger", "weaker", "missing")


@dataclass(frozen=True)
class Register:
    """All that was found of one register.

    Attributes:
        decoded: the side that is right.
        compared: rows and items.
        cells: counts and sums by ward and fiscal year.
        confidential: whether its small numbers would tell of protected people; then it has no numbers by ward.
    """

    decoded: Decoded
    compared: Compared
    cells: Mapping[Place, Cell]
    confidential: bool

    @property
    def uneven(self) -> list[tuple[Place, str, Cell]]:
        """What does not agree, by ward and fiscal year; see `Cell.uneven`."""
        return [(place, what, cell) for place, cell in self.cells.items() for what in cell.uneven]


def certificate(
    plan: Plan,
    load: Mapping[str, Any],
    registers: Sequence[Register],
    protection: Mapping[str, Any],
) -> dict[str, Any]:
    """The certificate as JSON holds it.

    Args:
        plan: the plan.
        load: load.json.
        registers: in the order of the plan.
        protection: see `protected`.
    """
    lines = [_register(one) for one in registers]
    differences = sum(one.compared.unexplained for one in registers)
    uneven = sum(len(one.uneven) for one in registers)
    return {
        "plan": {
            "id": plan.id,
            "title": plan.title,
            "city": plan.city,
            "cut_date": plan.cut_date.isoformat(),
        },
        "load": load["job"],
        "editions": load["editions"],
        "paths": PATHS,
        "registers": lines,
        "protection": dict(protection),
        "totals": {
            "registers": len(lines),
            "rows": sum(one.compared.found.left for one in registers),
            "values": sum(one.compared.found.left * len(one.compared.items) for one in registers),
            "sums": sum(len(cell.source_sums) for one in registers for cell in one.cells.values()),
            "differences": differences,
            "uneven": uneven,
        },
        "unexplained": differences + uneven + protection["weaker"] + protection["missing"],
    }


def protected(source: Shield, judged: Iterable[Judged]) -> dict[str, Any]:
    """What the certificate says of protection: numbers of the whole city, and of nobody by ward."""
    verdicts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for one in judged:
        verdicts[one.verdict] += 1
        if one.verdict in ("weaker", "missing"):
            reasons.update(one.reasons)
    active = [each for some in source.measures.values() for each in some if each.on]
    return {
        "not_held": "",
        "people": sum(verdicts.values()),
        **{verdict: verdicts[verdict] for verdict in _VERDICTS},
        "reasons": dict(sorted(reasons.items())),
        "measures": len(active),
        "aggressors": sum(
            len(source.aggressors.get(number, ())) for number in {one.number for one in active}
        ),
    }


def not_protected(reason: str) -> dict[str, Any]:
    """What the certificate says where the project declares that it holds no protection."""
    nobody = protected(Shield(), ())
    return {**nobody, "not_held": reason}


def _register(one: Register) -> dict[str, Any]:
    found, whole = one.compared.found, total(one.cells)
    return {
        "register": one.decoded.register,
        "name": one.decoded.group.name,
        "key": list(one.compared.key),
        "items": list(one.compared.items),
        "rows": {"source": found.left, "stored": found.right},
        "digests": {"source": found.digests[0], "stored": found.digests[1]},
        "differences": {
            "missing": found.missing,
            "extra": found.extra,
            "differs": found.differing,
            "repeated": found.repeated,
            "named": len({tuple(key) for key in one.compared.differences.column("key").to_pylist()}),
        },
        "confidential": one.confidential,
        "whole": _cell(whole),
        "cells": []
        if one.confidential
        else [{"ward": ward, "year": year, **_cell(cell)} for (ward, year), cell in one.cells.items()],
        "uneven": len(one.uneven),
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "source": cell.source,
        "stored": cell.stored,
        "every": cell.every,
        "merged": cell.merged,
        "rejected": cell.rejected,
        "sums": {
            name: [_json(cell.source_sums.get(name, 0)), _json(cell.stored_sums.get(name, 0))]
            for name in dict.fromkeys([*cell.source_sums, *cell.stored_sums])
        },
    }


def _json(value: Number) -> int | str:
    return str(value) if isinstance(value, Decimal) else value


def reasons(registers: Sequence[Register], protection: Mapping[str, Any]) -> Iterator[str]:
    """Why the certificate cannot be given, in Japanese; nothing where it can."""
    for one in registers:
        name = one.decoded.group.name
        if one.compared.unexplained:
            yield (
                f"{name}の{one.compared.unexplained:,}行が、旧システムのファイルと一致しません。"
                "differences.parquet で台帳のキー・元のファイルと件・項目を確かめてください。"
            )
        for (ward, year), what, cell in one.uneven[:_MOST]:
            where = (
                "" if one.confidential else f"{f' 区{ward}' if ward else ''}{f' {year}年度' if year else ''}"
            )
            yield f"{name}{where}の{_told(one.decoded, what, cell, hidden=one.confidential)}"
    weaker = protection["weaker"] + protection["missing"]
    if weaker:
        yield (
            f"支援措置の対象者{weaker:,}人の保護が、旧システムより弱くなっています。"
            "protection.parquet の人と理由を確かめ、直すまで使い始めないでください。"
        )


_MOST = 10


def _told(decoded: Decoded, what: str, cell: Cell, *, hidden: bool) -> str:
    if hidden:
        return "区ごとの件数か合計が一致しません（少人数のため、数は示しません）。"
    if what == "rows":
        return f"件数が一致しません（旧システム {cell.source:,}、台帳 {cell.stored:,}）。"
    if what == "balance":
        out = f"台帳 {cell.stored:,} ＋ 統合 {cell.merged:,} ＋ 除外 {cell.rejected:,}"
        return f"件数の釣り合いが取れません（元の {cell.every:,} ≠ {out}）。"
    before, after = cell.source_sums.get(what, 0), cell.stored_sums.get(what, 0)
    return f"{decoded.group.item(what).name}の合計が一致しません（旧システム {before:,}、台帳 {after:,}）。"
