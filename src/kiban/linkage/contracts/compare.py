"""What changed between two versions of a contract, and what of it breaks provider or consumer.

The rule: whatever one side has to act upon before the other may follow it is breaking. What protects more never is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from kiban.linkage.contracts.compare_items import compare_feeds
from kiban.linkage.contracts.difference import Difference, changed, counted
from kiban.linkage.contracts.model import Contract, Due, System


def compare(old: Contract, new: Contract) -> tuple[Difference, ...]:
    """Every change from one version of a contract to another.

    Args:
        old: the version that is agreed on.
        new: the version that is to follow.

    Returns:
        Nothing where both say the same, whatever their version numbers and the writing of their files.
    """
    found = [*_systems(old, new), *compare_feeds(old, new), *_terms(old, new), *_due(old, new)]
    return (*found, *_receiver(old, new), *_protection(old, new), *_incoming(old, new))


def _systems(old: Contract, new: Contract) -> Iterator[Difference]:
    for end, ja in (("provider", "提供側"), ("consumer", "利用側")):
        a: System = getattr(old, end)
        b: System = getattr(new, end)
        yield from changed(f"{end}-changed", f"x-{end}", _bound(a), _bound(b), f"{ja}のシステム")
        yield from changed(f"{end}-renamed", f"x-{end}", a.name, b.name, f"{ja}の名称", breaking=False)


def _bound(system: System) -> str:
    kind = "standard" if system.standard else "own"
    return f"{system.id} {kind} {system.business or ''}".strip()


def _terms(old: Contract, new: Contract) -> Iterator[Difference]:
    yield from changed("id-changed", "id", old.id, new.id, "フローのID")
    for way in sorted(old.ways - new.ways):
        yield Difference("way-removed", "x-ways", True, f"no longer by {way}", f"{way} では渡さなくなる")
    for way in sorted(new.ways - old.ways):
        yield Difference("way-added", "x-ways", False, f"also by {way}", f"{way} でも渡すようになる")
    both = "file" in old.ways and "file" in new.ways
    yield from changed(
        "profile-changed", "x-profile", old.profile, new.profile, "プロファイル", breaking=both
    )
    yield from changed("purpose-changed", "x-purpose", old.purpose, new.purpose, "利用目的")
    yield from changed("basis-changed", "x-legal-basis", old.basis, new.basis, "法的根拠")
    yield from changed("owner-changed", "x-owner", old.owner, new.owner, "担当", breaking=False)
    yield from changed("title-reworded", "name", old.title, new.title, "名称", breaking=False)
    yield from changed("status-changed", "status", old.status, new.status, "状態", breaking=False)
    days = old.effective, new.effective
    yield from changed("effective-changed", "x-effective", *days, "適用開始日", breaking=False)
    sooner = new.until is not None and (old.until is None or new.until < old.until)
    yield from changed("until-changed", "x-until", old.until, new.until, "適用終了日", breaking=sooner)


def _due(old: Contract, new: Contract) -> Iterator[Difference]:
    before, after = ({due.kind: due for due in one.due} for one in (old, new))
    for kind in sorted(before.keys() | after.keys()):
        a, b = before.get(kind), after.get(kind)
        words = _when(a), _when(b)
        if a is None:
            yield from changed("due-added", "x-due", *words, f"{kind} の期限", breaking=False)
        elif b is None:
            yield from changed("due-removed", "x-due", *words, f"{kind} の期限")
        else:
            yield from changed("due-changed", "x-due", *words, f"{kind} の期限")


def _when(due: Due | None) -> str | None:
    if due is None:
        return None
    at = "" if due.at is None else f" {due.at // 60:02}:{due.at % 60:02}"
    return f"{due.every or ''} {due.day or ''}{at} +{_minutes(due.within)}".strip()


def _minutes(span: timedelta) -> str:
    return f"{span.total_seconds() / 60:g} min"


def _receiver(old: Contract, new: Contract) -> Iterator[Difference]:
    """A receiver that takes less breaks the provider; one that takes more breaks nobody."""
    for name, ja in (
        ("rows", "1ファイルの件数"),
        ("bytes", "1ファイルの大きさ"),
        ("per_second", "毎秒の件数"),
        ("pending", "受領待ちの件数"),
        ("requests", "毎分の照会"),
        ("answer_bytes", "毎分の答えの量"),
    ):
        values = getattr(old.receiver, name), getattr(new.receiver, name)
        kind = f"receiver-{name.replace('_', '-')}"
        yield from counted(kind, "x-receiver", *values, f"受け取れる{ja}", up=False)


def _protection(old: Contract, new: Contract) -> Iterator[Difference]:
    a, b = old.protection, new.protection
    if a.carried != b.carried:
        kind = "protection-weakened" if a.carried else "protection-strengthened"
        ja = "支援措置の状態を" + ("渡さなくなる" if a.carried else "渡すようになる")
        note = f"protection is {'no longer ' if a.carried else ''}carried"
        yield Difference(kind, "x-protection", a.carried, note, ja)
    if a.patience != b.patience and old.patience != new.patience:
        longer = new.patience > old.patience
        kind = "protection-weakened" if longer else "protection-strengthened"
        note = f"who heard nothing goes by the last state for {_minutes(new.patience)}"
        ja = f"便りがなくても最後の状態を使う時間が{_minutes(new.patience)}になる"
        yield Difference(kind, "x-protection", longer, note, ja)
    yield from _sets(
        a.withheld,
        b.withheld,
        (
            "protection-weakened",
            "is no longer withheld of protected persons",
            "支援措置の対象者にも渡すようになる",
            True,
        ),
        (
            "protection-strengthened",
            "is withheld of protected persons",
            "支援措置の対象者には渡さなくなる",
            False,
        ),
    )


def _incoming(old: Contract, new: Contract) -> Iterator[Difference]:
    a, b = old.incoming, new.incoming
    if a is None or b is None:
        state = a is not None, b is not None
        yield from changed("incoming-changed", "x-incoming", *state, "取込みの定め")
        return
    yield from _sets(
        a.auto,
        b.auto,
        ("incoming-auto-removed", "waits for an officer", "職員の確認を経るようになる", False),
        ("incoming-auto-added", "is applied without an officer", "職員の確認なしに反映するようになる", True),
    )
    yield from changed(
        "incoming-owner-changed", "x-incoming", a.owner, b.owner, "確認する所管", breaking=False
    )


def _sets(
    before: Mapping[str, frozenset[str]],
    after: Mapping[str, frozenset[str]],
    gone: tuple[str, str, str, bool],
    come: tuple[str, str, str, bool],
) -> Iterator[Difference]:
    """Items that left a set of items of each feed, and those that joined it."""
    for feed in sorted(before.keys() | after.keys()):
        a, b = before.get(feed, frozenset()), after.get(feed, frozenset())
        for names, (kind, note, ja, breaking) in ((a - b, gone), (b - a, come)):
            for name in sorted(names):
                where = f"{feed}.{name}"
                yield Difference(kind, where, breaking, f"{name} {note}", f"{name} を{ja}")
